"""From the preflight to the pinned deployment, with the errors in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from aws.errors import BadCredentials, Denied, Throttled, Unreachable
from catalog.models import (
    ChangeEvent,
    ChangeKind,
    Effect,
)
from deployments import operations
from deployments.models import Outcome, Release, Status
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


def test_a_draft_that_nobody_starts_is_given_up(ecs, draft):
    release = build.look(draft)
    Release.objects.filter(pk=release.pk).update(requested_at=timezone.now() - timedelta(hours=25))

    release = build.look(release)

    assert release.status == Status.CANCELLED
