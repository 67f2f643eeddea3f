"""A release from its request to its verdict, step by step, with the errors in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from aws.ecs import deployments, stopped_tasks
from aws.ecs.stopped_tasks import StoppedTask
from aws.errors import BadCredentials, Denied, Refused, Throttled, Unreachable
from catalog.models import (
    ChangeEvent,
    ChangeKind,
    Effect,
    EffectState,
    Operation,
    OperationState,
    Service,
)
from deployments import operations
from deployments.models import DecisionPoint, DecisionState, Outcome, Release, Status
from tests.deployments import build
from tests.deployments.ecs import NEW_DIGEST, REPOSITORY

pytestmark = pytest.mark.django_db


def test_the_preflight_runs_before_anything_is_sent(ecs, draft):
    release = build.look(draft)

    assert release.status == Status.READY_TO_START
    assert release.preflight.filter(outcome=Outcome.BLOCK).count() == 0
    assert release.previous_image == f"{REPOSITORY}:1.4.0"
    assert release.task_definition_diff == [
        {
            "path": "news-api image",
            "before": f"{REPOSITORY}:1.4.0",
            "after": f"{REPOSITORY}@{NEW_DIGEST}",
        }
    ]
    assert ecs.calls == []


def test_what_aws_does_not_answer_is_unknown_and_not_a_pass(ecs, draft):
    ecs.fail("service_facts", Unreachable("ecs:DescribeServices: AWS did not answer."))

    release = build.look(draft)

    service = release.preflight.get(check_name="Service")
    assert service.outcome == Outcome.UNKNOWN
    assert "AWS did not answer" in service.text


def test_a_release_sends_exactly_one_update_service(ecs, draft, olga):
    release = build.started(draft, olga)

    assert release.service_deployment_arn == ecs.newest
    assert ecs.count("register") == 1
    assert ecs.count("update_service") == 1
    sent = next(request for name, request in ecs.calls if name == "update_service")
    assert sent["configuration"]["strategy"] == "CANARY"
    assert set(sent) == {"task_definition", "configuration", "cluster", "service"}


def test_the_image_is_pinned_by_its_digest(ecs, draft, olga):
    build.started(draft, olga)

    content = next(request for name, request in ecs.calls if name == "register")
    assert content["containerDefinitions"][0]["image"] == f"{REPOSITORY}@{NEW_DIGEST}"


def test_the_start_of_a_release_is_a_change_event(ecs, draft, olga):
    release = build.started(draft, olga)

    change = ChangeEvent.objects.get(kind=ChangeKind.RELEASE)
    assert (change.actor, change.url) == ("olga", release.get_absolute_url())


@pytest.mark.parametrize("call", ["register", "update_service"])
def test_a_lost_answer_does_not_repeat_the_call(ecs, draft, olga, call):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.lose_answer(call)
    build.look(release)

    release = build.look(release)

    assert release.service_deployment_arn == ecs.newest
    assert ecs.count(call) == 1


def test_an_update_that_never_arrived_is_sent_again_later(ecs, draft, olga, settled):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.fail("update_service", Unreachable("ecs:UpdateService: AWS did not answer."))
    build.look(release)

    early = build.look(release)
    settled()
    late = build.look(release)

    assert early.service_deployment_arn is None
    assert late.service_deployment_arn == ecs.newest
    assert ecs.count("update_service") == 1


def test_a_throttled_update_is_sent_again(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.fail("update_service", Throttled("ecs:UpdateService: ThrottlingException"))
    build.look(release)

    release = build.look(release)

    assert release.service_deployment_arn == ecs.newest
    assert ecs.count("update_service") == 1


def test_a_missing_permission_ends_the_release_and_names_it(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.fail(
        "update_service",
        Denied(
            "ecs:UpdateService: the credentials lack the permission ecs:UpdateService.",
            code="AccessDeniedException",
            operation="ecs:UpdateService",
            action="ecs:UpdateService",
        ),
    )

    release = build.look(release)

    assert release.status == Status.FAILED
    assert "lack the permission ecs:UpdateService" in release.problem


def test_a_release_stops_if_somebody_else_released_since_the_preflight(ecs, draft, olga):
    release = build.look(draft)
    ecs.facts = replace(ecs.facts, task_definition=ecs.facts.task_definition + "9")
    operations.start(release=release, by=olga, at=timezone.now())

    release = build.look(release)

    assert release.status == Status.FAILED
    assert "somebody else released meanwhile" in release.problem
    assert ecs.count("update_service") == 0


def test_a_deployment_that_ecs_never_shows_is_a_clear_failure(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    build.look(release)
    ecs.briefs.clear()
    Release.objects.filter(pk=release.pk).update(service_deployment_arn=None)
    Effect.objects.filter(key="update-service").update(
        finished_at=timezone.now() - timedelta(seconds=121)
    )

    release = build.look(release)

    assert release.status == Status.FAILED
    assert "there is no deployment for it" in release.problem


def test_an_answer_that_came_late_leaves_ecs_its_time_to_show_the_deployment(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    build.look(release)
    ecs.briefs.clear()
    Release.objects.filter(pk=release.pk).update(
        service_deployment_arn=None, update_sent_at=timezone.now() - timedelta(minutes=6)
    )

    release = build.look(release)

    assert release.status == Status.STARTING


def test_an_update_that_never_arrived_is_not_sent_after_a_rollback(ecs, draft, olga, settled):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.fail("update_service", Unreachable("ecs:UpdateService: AWS did not answer."))
    release = build.look(release)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Wrong image")
    early = build.look(release)
    settled()

    late = build.look(release)

    assert (early.status, late.status) == (Status.ROLLING_BACK, Status.CANCELLED)
    assert ecs.count("update_service") == 0


def test_an_update_that_arrived_unheard_is_stopped_after_a_rollback(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.lose_answer("update_service")
    release = build.look(release)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Wrong image")

    build.look(release)
    build.look(release)

    assert (ecs.count("update_service"), ecs.count("stop_deployment")) == (1, 1)


def test_credentials_that_expire_after_a_lost_answer_do_not_end_the_release(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    ecs.lose_answer("update_service")
    build.look(release)
    ecs.fail("service_facts", BadCredentials("ecs:DescribeServices: the token has expired."))

    expired = build.look(release)
    renewed = build.look(release)

    assert expired.status == Status.STARTING
    assert renewed.service_deployment_arn == ecs.newest
    assert ecs.count("update_service") == 1


def test_tags_that_belong_to_aws_are_not_copied(ecs, draft, olga):
    running = next(iter(ecs.task_definitions.values()))
    tags = {"aws:cloudformation:stack-name": "news", "team": "news"}
    ecs.task_definitions[running.arn] = replace(running, tags=tags)

    release = build.started(draft, olga)

    assert ecs.task_definitions[release.task_definition].tags == {
        "team": "news",
        "portal:release": str(release.pk),
        "portal:version": "1.4.1",
    }


def test_a_pause_without_a_known_weight_waits_for_a_person(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.pause(ecs.newest, "ecs-pause-0", weight=0.0)
    seen = ecs.deployments[ecs.newest]
    ecs.show(ecs.newest, target=replace(seen.target, production_weight=None))

    release = build.look(release)

    assert release.status == Status.NEEDS_DECISION
    assert ecs.count("continue_deployment") == 0


def test_the_first_percent_need_no_second_click(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.pause(ecs.newest, "ecs-pause-0", weight=0.0)

    build.look(release)

    decision = DecisionPoint.objects.get(hook_id="ecs-pause-0")
    assert decision.state == DecisionState.APPROVED
    assert ("continue_deployment", ("ecs-pause-0", "CONTINUE")) in ecs.calls


def test_the_first_percent_wait_if_that_was_asked_for(ecs, service, olga):
    release = build.started(build.draft(service, olga, ask_before_canary=True), olga)
    ecs.pause(ecs.newest, "ecs-pause-0", weight=0.0)

    release = build.look(release)

    assert release.status == Status.NEEDS_DECISION
    assert ecs.count("continue_deployment") == 0


def test_an_approval_continues_the_deployment_once(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    decision = release.decisions.get()
    operations.approve(decision=decision, by=anna, at=timezone.now())

    build.look(release)
    build.look(release)

    assert ecs.calls.count(("continue_deployment", ("ecs-pause-1", "CONTINUE"))) == 1


def test_an_approval_with_a_lost_answer_is_not_repeated(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    ecs.lose_answer("continue_deployment")
    build.look(release)

    build.look(release)

    assert ecs.count("continue_deployment") == 1


def test_a_refused_approval_waits_again_with_the_reason(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    ecs.fail("continue_deployment", Refused("ecs:ContinueServiceDeployment: InvalidParameter"))

    release = build.look(release)

    decision = release.decisions.get()
    assert (decision.state, decision.refusals) == (DecisionState.OPEN, 1)
    assert "AWS refused the approval" in release.problem


def test_a_refused_approval_can_be_given_again(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    ecs.fail("continue_deployment", Refused("ecs:ContinueServiceDeployment: AccessDenied"))
    release = build.look(release)

    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    build.look(release)

    assert ecs.count("continue_deployment") == 1


def test_a_rollback_is_sent_before_anything_is_read(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    ecs.fail("describe_deployments", Unreachable("ecs:DescribeServiceDeployments: no answer"))

    build.look(release)

    assert ecs.count("stop_deployment") == 1


def test_a_rollback_that_takes_long_is_not_looked_at_every_second(ecs, draft, olga, time_machine):
    release = build.started(draft, olga)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    build.look(release)
    brisk = Operation.objects.get().due_at
    time_machine.move_to(timezone.now() + timedelta(minutes=1))

    build.look(release)

    assert Operation.objects.get().due_at - brisk > timedelta(seconds=1)
    assert ecs.count("stop_deployment") == 1


def test_a_rollback_ends_red_with_who_when_and_why(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    build.look(release)
    ecs.show(ecs.newest, weight=0.0, status="ROLLBACK_SUCCESSFUL")

    release = build.look(release)

    assert release.status == Status.ROLLED_BACK
    assert "Rolled back by olga" in release.verdict
    assert ChangeEvent.objects.filter(kind=ChangeKind.ROLLBACK, actor="olga").count() == 1


def test_a_rollback_beats_an_approval_that_has_not_reached_ecs(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")

    build.look(release)

    assert ecs.count("stop_deployment") == 1
    assert ecs.count("continue_deployment") == 0


def test_a_refused_rollback_can_be_asked_for_again(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    ecs.fail("stop_deployment", Refused("ecs:StopServiceDeployment: AccessDeniedException"))
    release = build.look(release)
    assert release.can_be_rolled_back
    assert "AWS refused the rollback" in release.problem

    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    build.look(release)

    assert ecs.count("stop_deployment") == 1


def test_a_rollback_before_ecs_was_asked_changes_nothing_there(ecs, draft, olga):
    release = build.look(draft)
    operations.start(release=release, by=olga, at=timezone.now())
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Wrong image")

    release = build.look(release)

    assert release.status == Status.CANCELLED
    assert ecs.calls == []


def test_a_rejection_answers_the_pause_with_a_rollback(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.reject(
        decision=release.decisions.get(), by=olga, at=timezone.now(), reason="Too slow"
    )

    build.look(release)
    build.look(release)

    assert ecs.calls.count(("continue_deployment", ("ecs-pause-1", "ROLLBACK"))) == 1
    assert ecs.count("stop_deployment") == 0


def test_a_rejection_that_aws_refuses_becomes_a_stop(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.reject(
        decision=release.decisions.get(), by=olga, at=timezone.now(), reason="Too slow"
    )
    ecs.fail("continue_deployment", Refused("ecs:ContinueServiceDeployment: gone"))

    build.look(release)

    assert ecs.count("stop_deployment") == 1


def test_a_pause_answered_elsewhere_is_closed_here(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    ecs.continue_deployment(arn=ecs.newest, hook_id="ecs-pause-1", action="CONTINUE")

    build.look(release)

    decision = release.decisions.get()
    assert decision.state == DecisionState.APPROVED
    assert decision.decided_by is None


def test_a_successful_deployment_is_a_successful_release(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")

    release = build.look(release)

    assert release.status == Status.SUCCEEDED
    assert release.verdict == "1.4.1 serves all traffic."
    operation = Operation.objects.get(target=f"release:{release.pk}")
    assert operation.state == OperationState.DONE


def test_without_a_load_balancer_nothing_is_said_of_traffic(ecs, draft, olga):
    release = build.started(draft, olga)
    Service.objects.update(load_balancer="")
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")

    release = build.look(release)

    assert release.verdict == "1.4.1 runs in all tasks."


def test_an_alarm_that_rolled_back_is_named(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(
        ecs.newest, weight=0.0, status="ROLLBACK_SUCCESSFUL", triggered_alarms=("news-api-5xx",)
    )

    release = build.look(release)

    assert release.status == Status.ROLLED_BACK
    assert "news-api-5xx" in release.verdict


def test_a_stage_that_nobody_knows_keeps_the_release_running(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, status="IN_PROGRESS", lifecycle_stage="WARM_UP")

    release = build.look(release)

    assert release.is_in_flight
    assert release.lifecycle_stage == "WARM_UP"


def test_a_deployment_missing_from_one_answer_is_still_followed(ecs, draft, olga):
    release = build.look(build.started(draft, olga))
    kept = dict(ecs.deployments)
    ecs.deployments.clear()

    missed = build.look(release)
    ecs.deployments |= kept
    found = build.look(release)

    assert missed.is_in_flight
    assert found.ecs_status == "PENDING"


def test_the_end_of_a_deleted_service_is_the_end_of_its_release(ecs, draft, olga):
    release = build.look(build.started(draft, olga))
    Release.objects.update(observed_at=timezone.now() - timedelta(minutes=11))
    gone = Refused("ecs: ServiceNotFoundException", code="ServiceNotFoundException")
    ecs.fail("describe_deployments", gone)

    release = build.look(release)

    assert release.status == Status.STOPPED


def test_a_look_that_took_too_long_writes_nothing_over_its_heirs(ecs, draft, olga, monkeypatch):
    release = build.look(build.started(draft, olga))
    ecs.show(ecs.newest, weight=10.0, status="IN_PROGRESS", lifecycle_stage="BAKE_TIME")
    describe = deployments.describe_deployments

    def slowly(arns):
        seen = describe(arns)
        Operation.objects.update(lease_token=F("lease_token") + 1)
        return seen

    monkeypatch.setattr(deployments, "describe_deployments", slowly)

    release = build.look(release)

    assert release.ecs_status == "PENDING"
    assert release.target_weight == 0.0


def test_a_deployment_that_ecs_forgot_ends_without_a_claim(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.deployments.clear()
    Release.objects.update(update_sent_at=timezone.now() - timedelta(minutes=11))

    release = build.look(release)

    assert release.status == Status.STOPPED
    assert "not known" in release.verdict


def test_a_restore_deploys_what_ran_before_and_puts_the_configuration_back(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)
    restoring = operations.restore(
        release=release, reason="Slow since", key="r1", by=olga, at=timezone.now()
    )
    restoring = build.look(restoring)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")

    restoring = build.look(restoring)

    updates = [request for name, request in ecs.calls if name == "update_service"]
    assert restoring.status == Status.SUCCEEDED
    assert updates[1]["task_definition"] == release.previous_task_definition
    assert updates[1]["configuration"]["lifecycleHooks"] == []
    assert updates[2]["configuration"] == {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5}
    assert updates[2]["task_definition"] == ""
    assert ecs.count("register") == 1


def test_a_refused_way_back_of_the_configuration_is_said(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)
    restoring = operations.restore(
        release=release, reason="Slow since", key="r1", by=olga, at=timezone.now()
    )
    restoring = build.look(restoring)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    ecs.fail("update_service", Refused("ecs:UpdateService: AccessDeniedException"))

    restoring = build.look(restoring)

    assert restoring.status == Status.SUCCEEDED
    assert "kept the fast deployment configuration" in restoring.problem


def test_why_tasks_stopped_is_kept(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.stopped = [
        StoppedTask("arn:task/abc", "arn/news-api:2", "Task failed ELB health checks", None)
    ]
    ecs.show(ecs.newest, weight=0.0, status="ROLLBACK_FAILED", rollback_reason="no capacity")

    release = build.look(release)

    assert release.status == Status.BROKEN
    assert "the service needs a person. no capacity" in release.verdict
    assert release.evidence["stopped_tasks"][0]["reason"] == "Task failed ELB health checks"


def test_unreadable_stopped_tasks_do_not_keep_a_release_from_ending(ecs, draft, olga, monkeypatch):
    def refuse(**_):
        raise Denied("no", code="AccessDenied", operation="ecs:ListTasks", action="ecs:ListTasks")

    release = build.started(draft, olga)
    monkeypatch.setattr(stopped_tasks, "latest", refuse)
    ecs.show(ecs.newest, weight=0.0, status="STOPPED", status_reason="stopped by AWS")

    release = build.look(release)

    assert release.status == Status.STOPPED
    assert "Could not be read" in release.evidence["stopped_tasks"][0]["reason"]


def test_a_canary_beside_nobody_waits_for_a_person(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.pause(ecs.newest, "ecs-pause-0", weight=0.0)
    ecs.show(ecs.newest, sources=())

    build.look(release)

    assert release.decisions.get().state == DecisionState.OPEN
    assert ecs.count("continue_deployment") == 0


def test_a_canary_beside_the_old_version_begins_with_the_start(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.pause(ecs.newest, "ecs-pause-0", weight=0.0)

    build.look(release)

    assert release.decisions.get().state == DecisionState.APPROVED
    assert ecs.count("continue_deployment") == 1


def test_the_services_own_lambda_hooks_go_with_the_release_once(ecs, draft, olga):
    function = {
        "hookTargetArn": "arn:aws:lambda:us-east-1:123456789012:function:smoke-test",
        "roleArn": "arn:aws:iam::123456789012:role/hooks",
        "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"],
    }
    old_pause = {"targetType": "PAUSE", "lifecycleStages": ["POST_SCALE_UP"]}
    ecs.facts = replace(ecs.facts, configuration={"lifecycleHooks": [function, old_pause]})
    checked = build.look(draft)
    operations.check_again(release=checked, by=olga, at=timezone.now())

    build.started(checked, olga)

    sent = next(request for name, request in ecs.calls if name == "update_service")
    hooks = sent["configuration"]["lifecycleHooks"]
    assert [hook.get("targetType", "AWS_LAMBDA") for hook in hooks] == ["PAUSE", "AWS_LAMBDA"]
    assert hooks[1] == function


def test_the_services_own_alarms_go_with_the_release(ecs, draft, olga):
    alarms = {"alarmNames": ["5xx"], "enable": True, "rollback": True}
    ecs.facts = replace(ecs.facts, configuration={"strategy": "CANARY", "alarms": alarms})
    ecs.alarms = {"5xx": "OK"}

    build.started(draft, olga)

    sent = next(request for name, request in ecs.calls if name == "update_service")
    assert sent["configuration"]["alarms"] == alarms


def test_a_rejection_whose_answer_was_lost_is_not_repeated(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.reject(
        decision=release.decisions.get(), by=olga, at=timezone.now(), reason="Too slow"
    )
    ecs.lose_answer("continue_deployment")
    build.look(release)

    build.look(release)

    assert ecs.count("continue_deployment") == 1


def test_a_rejection_that_a_pause_overtook_becomes_a_stop(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    operations.reject(
        decision=release.decisions.get(), by=olga, at=timezone.now(), reason="Too slow"
    )
    ecs.fail("continue_deployment", Unreachable("ecs:ContinueServiceDeployment: no answer"))
    build.look(release)
    hooks = tuple(replace(each, status="TIMED_OUT") for each in ecs.deployments[ecs.newest].hooks)
    ecs.show(ecs.newest, hooks=hooks, lifecycle_stage="PRODUCTION_TRAFFIC_SHIFT")
    Effect.objects.filter(key__startswith="rollback:").update(
        state=EffectState.DONE, finished_at=timezone.now() - timedelta(seconds=16)
    )

    build.look(release)

    assert ecs.count("stop_deployment") == 1


def test_an_approval_that_came_too_late_is_not_called_a_promotion(ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    operations.approve(decision=release.decisions.get(), by=anna, at=timezone.now())
    hooks = tuple(replace(each, status="TIMED_OUT") for each in ecs.deployments[ecs.newest].hooks)
    ecs.show(ecs.newest, hooks=hooks, status="ROLLBACK_IN_PROGRESS")

    release = build.look(release)

    assert release.decisions.get().who_won.startswith("Expired at")
    assert release.events.filter(text__contains="came too late").exists()


def test_a_rollback_that_no_look_saw_begin_is_a_change_event(ecs, draft, olga):
    release = build.look(build.started(draft, olga))
    ecs.show(ecs.newest, weight=0.0, status="ROLLBACK_SUCCESSFUL")

    build.look(release)

    assert ChangeEvent.objects.filter(kind=ChangeKind.ROLLBACK).count() == 1


def test_a_pause_that_expired_meanwhile_is_closed_as_expired(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    DecisionPoint.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    ecs.show(ecs.newest, hooks=(), status="ROLLBACK_IN_PROGRESS")

    build.look(release)

    assert release.decisions.get().state == DecisionState.EXPIRED


def test_a_draft_that_nobody_starts_is_given_up(ecs, draft):
    release = build.look(draft)
    Release.objects.filter(pk=release.pk).update(requested_at=timezone.now() - timedelta(hours=25))

    release = build.look(release)

    assert release.status == Status.CANCELLED
