"""The preflight: read what AWS says now, judge it, and store the findings with the release."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, TypeVar

from django.db import transaction

from aws import alarms, ecr, elbv2
from aws.ecr import Image
from aws.ecs import deployments as ecs
from aws.ecs import task_definitions
from aws.ecs.deployments import ServiceFacts
from aws.ecs.task_definitions import TaskDefinition
from aws.elbv2 import TargetHealth
from aws.errors import AwsError, Refused
from deployments import differences, preflight
from deployments.images import named_image
from deployments.models import PreflightResult, Release, Status
from deployments.operations.moving import move
from deployments.preflight import Plan, Snapshot, Unreadable

T = TypeVar("T")


def prepare(release: Release, at: datetime) -> None:
    """Gather, judge, store; the release is then ready to start, or shows what blocks it."""
    seen = _read(lambda: _facts(release))
    running = seen if isinstance(seen, Unreadable) else _read(lambda: _running(seen))
    changes = _changes(release, running)
    if not isinstance(seen, Unreadable):
        _carry_over(release, seen)
    snapshot = _gather(release, seen, changes)
    plan = Plan(
        strategy=release.strategy,
        bake_minutes=release.bake_minutes,
        alarm_names=tuple(release.configuration.get("alarms", {}).get("alarmNames", ())),
    )
    _store(release, preflight.findings(plan, snapshot), at)


def _gather(
    release: Release,
    seen: ServiceFacts | Unreadable,
    changes: list[differences.Difference] | Unreadable,
) -> Snapshot:
    service = release.service
    weights = _read(lambda: _weights(service.production_rule))
    names = tuple(release.configuration.get("alarms", {}).get("alarmNames", ()))
    return Snapshot(
        service=seen,
        deployments=_read(lambda: _in_flight(release)),
        image=_read(lambda: _image(release)),
        weights=weights,
        health=_read(lambda: _health(weights)),
        alarms=_read(lambda: alarms.states(names)) if names else {},
        changes=changes if isinstance(changes, Unreadable) else len(changes),
    )


def _read(read: Callable[[], T]) -> T | Unreadable:
    try:
        return read()
    except AwsError as error:
        return Unreadable(str(error))


def _facts(release: Release) -> ServiceFacts:
    return ecs.service_facts(cluster=release.service.cluster, service=release.service.name)


def _running(seen: ServiceFacts) -> TaskDefinition:
    return task_definitions.describe(seen.task_definition)


def _in_flight(release: Release) -> tuple[str, ...]:
    found = ecs.list_deployments(
        cluster=release.service.cluster, service=release.service.name, status=ecs.IN_FLIGHT
    )
    return tuple(each.arn for each in found)


def _image(release: Release) -> Image | None:
    try:
        return ecr.image(release.image_uri.partition("/")[2], release.digest)
    except Refused as error:
        if error.code == "ImageNotFoundException":
            return None
        raise


def _weights(rule: str) -> dict[str, int] | None:
    return elbv2.rule_weights(rule) if rule else None


def _health(weights: dict[str, int] | Unreadable | None) -> dict[str, TargetHealth]:
    if isinstance(weights, Unreadable) or weights is None:
        return {}
    return {arn: elbv2.target_health(arn) for arn, weight in weights.items() if weight > 0}


def _changes(
    release: Release, running: TaskDefinition | Unreadable
) -> list[differences.Difference] | Unreadable:
    if isinstance(running, Unreadable):
        return running
    wanted = task_definitions.with_image(running.content, release.image)
    found = differences.between(running.content, wanted)
    release.previous_task_definition = running.arn
    release.previous_image = named_image(running.image)
    release.task_definition_diff = [each.as_dict() for each in found]
    return found


def _carry_over(release: Release, seen: ServiceFacts) -> None:
    """Keep the service's own alarms and Lambda hooks: UpdateService replaces the configuration."""
    release.previous_configuration = seen.configuration
    release.source_revision_arn = seen.current_revision
    if alarms_kept := seen.configuration.get("alarms"):
        release.configuration = release.configuration | {"alarms": alarms_kept}
    if "lifecycleHooks" in release.configuration:
        pauses = [hook for hook in release.configuration["lifecycleHooks"] if _is_pause(hook)]
        own = [hook for hook in seen.configuration.get("lifecycleHooks", ()) if not _is_pause(hook)]
        release.configuration = release.configuration | {"lifecycleHooks": [*pauses, *own]}


def _is_pause(hook: Mapping[str, Any]) -> bool:
    # ECS's default is a Lambda function.
    return bool(hook.get("targetType", "AWS_LAMBDA") == "PAUSE")


@transaction.atomic
def _store(release: Release, findings: list[preflight.Finding], at: datetime) -> None:
    release.preflight.all().delete()
    PreflightResult.objects.bulk_create(
        PreflightResult(
            release=release,
            position=position,
            check_name=finding.check,
            outcome=finding.outcome,
            text=finding.text,
        )
        for position, finding in enumerate(findings)
    )
    move(
        release=release,
        to=Status.READY_TO_START,
        at=at,
        text="Preflight done",
        checked_at=at,
        configuration=release.configuration,
        previous_configuration=release.previous_configuration,
        previous_task_definition=release.previous_task_definition,
        previous_image=release.previous_image,
        source_revision_arn=release.source_revision_arn,
        task_definition_diff=release.task_definition_diff,
    )
