"""The end of a release: its verdict in words, and the evidence that AWS soon forgets."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from aws.ecs import deployments as ecs
from aws.ecs import stopped_tasks
from aws.ecs.deployments import ServiceDeployment
from aws.errors import AwsError, Refused
from catalog.work import Lease, Progress, effect
from deployments.models import DecisionState, Release, Status
from deployments.operations.moving import move
from deployments.queries import compared

KEPT_TASKS = 20


def finish(
    lease: Lease, release: Release, seen: ServiceDeployment, status: Status, at: datetime
) -> Progress:
    """Write the verdict; the status of the pinned deployment alone decides it."""
    problem = _put_configuration_back(lease, release) if release.restores_id else ""
    release.decisions.filter(state=DecisionState.OPEN).update(
        state=DecisionState.SUPERSEDED, decided_at=at
    )
    verdict = verdict_words(release, seen, status)
    move(
        release=release,
        to=status,
        at=seen.finished_at or at,
        text=verdict,
        verdict=verdict,
        problem=problem,
        evidence=_evidence(release, seen, at),
    )
    return Progress(done=True)


def give_up(release: Release, at: datetime) -> Progress:
    """End the release because ECS no longer knows the deployment."""
    verdict = "ECS no longer knows this deployment, so how it ended is not known."
    move(release=release, to=Status.STOPPED, at=at, text=verdict, verdict=verdict)
    return Progress(done=True)


def verdict_words(release: Release, seen: ServiceDeployment, status: Status) -> str:
    """Say how it ended and why, in one sentence or two."""
    does = "serves all traffic" if release.service.has_load_balancer else "runs in all tasks"
    if status == Status.SUCCEEDED:
        return f"{release.version} {does}."
    why = _why(release, seen)
    if status == Status.ROLLED_BACK:
        return f"{release.previous_name} {does} again. {why}".strip()
    if status == Status.BROKEN:
        return f"ECS could not roll back: the service needs a person. {why}".strip()
    return f"ECS stopped the deployment. {why}".strip()


def _why(release: Release, seen: ServiceDeployment) -> str:
    if release.rollback_requested_by and release.rollback_requested_at:
        when = f"{release.rollback_requested_at:%H:%M:%S} UTC"
        who = release.rollback_requested_by.username
        reason = f": {release.rollback_reason}" if release.rollback_reason else "."
        return f"Rolled back by {who} at {when}{reason}"
    if seen.triggered_alarms:
        return f"The alarm {', '.join(seen.triggered_alarms)} went off."
    return seen.rollback_reason or seen.status_reason


def _put_configuration_back(lease: Lease, release: Release) -> str:
    """A restore deploys by a fast profile; the service keeps its own. Return what went wrong."""
    if not release.previous_configuration:
        return ""
    service = release.service
    try:
        effect(
            lease,
            key="put-configuration-back",
            request={"deploymentConfiguration": release.previous_configuration},
            call=lambda: ecs.update_service(
                cluster=service.cluster,
                service=service.name,
                configuration=release.previous_configuration,
            ),
            find=lambda _: None,
        )
    except Refused as error:
        return f"The service kept the fast deployment configuration. {error}"
    return ""


def _evidence(release: Release, seen: ServiceDeployment, at: datetime) -> dict[str, Any]:
    return {
        "stopped_tasks": _stopped_tasks(release),
        "signals": [each.as_dict() for each in compared(release, at)],
        "alarms": list(seen.triggered_alarms),
    }


def _stopped_tasks(release: Release) -> list[dict[str, Any]]:
    try:
        found = stopped_tasks.latest(cluster=release.service.cluster, service=release.service.name)
    except AwsError as error:
        return [{"reason": f"Could not be read: {error}"}]
    began = release.started_at or release.requested_at
    return [
        {
            "task": task.arn.rpartition("/")[2],
            "revision": task.task_definition.rpartition("/")[2],
            "reason": task.reason,
            "containers": list(task.containers),
            "stopped_at": task.stopped_at.isoformat() if task.stopped_at else "",
        }
        for task in found
        if task.stopped_at is None or task.stopped_at >= began
    ][:KEPT_TASKS]
