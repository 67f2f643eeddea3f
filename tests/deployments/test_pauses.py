"""The pauses of a deployment: whose answer reaches ECS, and how often."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from aws.errors import Refused, Unreachable
from catalog.models import (
    Effect,
    EffectState,
)
from deployments import operations
from deployments.models import DecisionPoint, DecisionState, Status
from tests.deployments import build

pytestmark = pytest.mark.django_db


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


def test_a_pause_that_expired_meanwhile_is_closed_as_expired(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    DecisionPoint.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    ecs.show(ecs.newest, hooks=(), status="ROLLBACK_IN_PROGRESS")

    build.look(release)

    assert release.decisions.get().state == DecisionState.EXPIRED
