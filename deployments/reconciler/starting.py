"""From a confirmed release to the one ECS service deployment that carries it out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db.models.functions import Now

from aws.ecs import deployments as ecs
from aws.ecs import revisions, task_definitions
from aws.errors import Refused
from catalog.models import Effect, EffectState
from catalog.work import Lease, OutcomeUnknown, Progress, effect, was_sent_within
from deployments.changes import record_start
from deployments.models import Release, Status
from deployments.operations.errors import CannotMove
from deployments.operations.moving import move, note
from monitoring.operations import watch_closely

SOON = timedelta(seconds=1)
# How long ECS may take to show what an UpdateService with a lost answer has done.
SETTLED = timedelta(seconds=20)
# AWS itself refuses requests that were signed by a clock further off than this.
CLOCK_TOLERANCE = timedelta(minutes=5)
INVISIBLE_FOR = timedelta(seconds=120)
WATCH_FOR = timedelta(hours=2)
_UPDATE = "update-service"


def bring_to_ecs(lease: Lease, release: Release, at: datetime) -> Progress:
    """Register, update, pin: each at most once, each resumed where a crash left it."""
    if release.status == Status.ROLLING_BACK and not _reached_ecs(lease, release):
        return _call_off(release, at)
    try:
        _register(lease, release)
        _update(lease, release, at)
    except Refused as error:
        return _refused(release, str(error), at)
    return _pin(lease, release, at)


def _reached_ecs(lease: Lease, release: Release) -> bool:
    """Whether ECS carried UpdateService out, or will say that it refused.

    :raises OutcomeUnknown: while ECS cannot tell.
    """
    sent = _sent_update(lease)
    if sent is None:
        return False
    return sent.state != EffectState.INTENDED or _updated(release, sent) is not None


def _sent_update(lease: Lease) -> Effect | None:
    updates = Effect.objects.filter(operation_id=lease.operation_id, key=_UPDATE)
    return updates.filter(attempts__gt=0).first()


def _register(lease: Lease, release: Release) -> None:
    if release.task_definition:
        return
    answer = effect(
        lease,
        key="register-task-definition",
        request={"image": release.image, "copyOf": release.previous_task_definition},
        call=lambda: _register_now(release),
        find=lambda _: _registered(release),
    )
    release.task_definition = answer["taskDefinition"]
    Release.objects.filter(pk=release.pk).update(task_definition=release.task_definition)


def _register_now(release: Release) -> dict[str, Any]:
    running = task_definitions.describe(release.previous_task_definition)
    made = task_definitions.register(
        task_definitions.with_image(running.content, release.image),
        tags=_own_tags(running.tags) | _tags(release),
    )
    return {"taskDefinition": made.arn}


def _tags(release: Release) -> dict[str, str]:
    return {"portal:release": str(release.pk), "portal:version": release.version}


def _own_tags(tags: dict[str, str]) -> dict[str, str]:
    # AWS's own, such as CloudFormation's, may be read and never written.
    return {key: value for key, value in tags.items() if not key.lower().startswith("aws:")}


def _registered(release: Release) -> dict[str, Any] | None:
    # A second revision would do no harm; the newest of the family tells whether the first exists.
    family = release.previous_task_definition.rpartition("/")[2].partition(":")[0]
    newest = task_definitions.describe(family)
    ours = newest.tags.get("portal:release") == str(release.pk)
    return {"taskDefinition": newest.arn} if ours else None


def _update(lease: Lease, release: Release, at: datetime) -> None:
    """Send UpdateService once.

    :raises Refused: also if somebody released something else since the preflight.
    """
    service = release.service
    if _sent_update(lease) is None:
        _refuse_moved_service(release)
        _take_right_to_send(release, at)
    effect(
        lease,
        key=_UPDATE,
        request={
            "service": service.name,
            "cluster": service.cluster,
            "taskDefinition": release.task_definition,
            "deploymentConfiguration": release.configuration,
        },
        call=lambda: ecs.update_service(
            cluster=service.cluster,
            service=service.name,
            task_definition=release.task_definition,
            configuration=release.configuration,
        ),
        find=lambda intent: _find_update(release, intent, at),
    )


def _find_update(release: Release, intent: Effect, at: datetime) -> dict[str, Any] | None:
    found = _updated(release, intent)
    if found is None:
        # It will be sent once more, unless somebody asked for a rollback meanwhile.
        _take_right_to_send(release, at)
    return found


def _refuse_moved_service(release: Release) -> None:
    facts = ecs.service_facts(cluster=release.service.cluster, service=release.service.name)
    if facts.task_definition != release.previous_task_definition:
        seen = facts.task_definition.rpartition("/")[2]
        raise Refused(f"The service runs {seen} by now: somebody else released meanwhile.")


def _take_right_to_send(release: Release, at: datetime) -> None:
    # Against a cancellation at the same moment: either it wins, or the call is sent.
    taken = Release.objects.filter(pk=release.pk, status=Status.STARTING).update(update_sent_at=at)
    if not taken:
        raise CannotMove("Cancelled before it was sent.")
    release.update_sent_at = at


def _updated(release: Release, intent: Effect) -> dict[str, Any] | None:
    facts = ecs.service_facts(cluster=release.service.cluster, service=release.service.name)
    if facts.task_definition == release.task_definition:
        return {"taskDefinition": release.task_definition}
    if was_sent_within(intent, SETTLED):
        raise OutcomeUnknown("UpdateService was sent, and ECS does not show it yet.")
    return None


def _pin(lease: Lease, release: Release, at: datetime) -> Progress:
    sent_at = release.update_sent_at or at
    found = _find_deployment(release, sent_at)
    if found is None:
        return _not_visible(lease, release, at)
    lease.renew()
    release.service_deployment_arn = found.arn
    release.target_revision_arn = found.target_revision_arn
    Release.objects.filter(pk=release.pk).update(
        service_deployment_arn=found.arn, target_revision_arn=found.target_revision_arn
    )
    note(release=release, at=at, text=f"ECS deployment {found.arn.rpartition('/')[2]}")
    record_start(release, at)
    watch_closely(service=release.service, until=at + WATCH_FOR)
    return Progress(wait=timedelta())


def _find_deployment(release: Release, sent_at: datetime) -> ecs.DeploymentBrief | None:
    listed = ecs.list_deployments(
        cluster=release.service.cluster,
        service=release.service.name,
        created_after=sent_at - CLOCK_TOLERANCE,
    )
    taken = set(
        Release.objects.filter(service_deployment_arn__in=[each.arn for each in listed])
        .exclude(pk=release.pk)
        .values_list("service_deployment_arn", flat=True)
    )
    free = [each for each in listed if each.arn not in taken and each.target_revision_arn]
    known = revisions.describe_revisions(each.target_revision_arn for each in free)
    for each in sorted(free, key=lambda brief: brief.created_at, reverse=True):
        revision = known.get(each.target_revision_arn)
        if revision and revision.task_definition == release.task_definition:
            return each
    return None


def _not_visible(lease: Lease, release: Release, at: datetime) -> Progress:
    # From the answer on: while AWS was silent, nothing could be seen.
    answered = Effect.objects.filter(operation_id=lease.operation_id, key=_UPDATE)
    if not answered.filter(finished_at__lt=Now() - INVISIBLE_FOR).exists():
        return Progress(wait=SOON)
    return _refused(
        release,
        "ECS took UpdateService, and two minutes later there is no deployment for it.",
        at,
    )


def _refused(release: Release, why: str, at: datetime) -> Progress:
    move(
        release=release,
        to=Status.FAILED,
        at=at,
        text=why,
        problem=why,
        verdict=f"Not released. {why}",
    )
    return Progress(done=True)


def _call_off(release: Release, at: datetime) -> Progress:
    move(
        release=release,
        to=Status.CANCELLED,
        at=at,
        text="Called off before ECS was asked",
        verdict="Rolled back before it began; nothing was changed.",
    )
    return Progress(done=True)
