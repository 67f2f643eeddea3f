"""Going back: what a person or an alarm asks of ECS, and when it is done."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from aws.errors import Refused, Unreachable
from catalog.models import (
    ChangeEvent,
    ChangeKind,
    Operation,
)
from deployments import operations
from deployments.models import Status
from tests.deployments import build

pytestmark = pytest.mark.django_db


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


def test_an_alarm_that_rolled_back_is_named(ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(
        ecs.newest, weight=0.0, status="ROLLBACK_SUCCESSFUL", triggered_alarms=("news-api-5xx",)
    )

    release = build.look(release)

    assert release.status == Status.ROLLED_BACK
    assert "news-api-5xx" in release.verdict


def test_a_rollback_that_no_look_saw_begin_is_a_change_event(ecs, draft, olga):
    release = build.look(build.started(draft, olga))
    ecs.show(ecs.newest, weight=0.0, status="ROLLBACK_SUCCESSFUL")

    build.look(release)

    assert ChangeEvent.objects.filter(kind=ChangeKind.ROLLBACK).count() == 1
