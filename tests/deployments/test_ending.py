"""How a release ends, in words, and what is kept of it."""

from __future__ import annotations

import pytest
from django.utils import timezone

from aws.ecs import stopped_tasks
from aws.ecs.stopped_tasks import StoppedTask
from aws.errors import Denied, Refused
from catalog.models import (
    Operation,
    OperationState,
    Service,
)
from deployments import operations
from deployments.models import Status
from tests.deployments import build

pytestmark = pytest.mark.django_db


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
