"""Following a deployment that ECS shows late, differently, or not at all."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils import timezone

from aws.ecs import deployments
from aws.errors import Refused
from catalog.models import (
    Operation,
)
from deployments.models import Release, Status
from tests.deployments import build

pytestmark = pytest.mark.django_db


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
