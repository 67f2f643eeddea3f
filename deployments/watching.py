"""Finds the deployments that the portal did not start, so that they are seen and can be undone."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction

from aws.ecs import deployments as ecs
from aws.ecs import revisions
from aws.ecs.deployments import DeploymentBrief, ServiceDeployment
from aws.ecs.revisions import ServiceRevision
from aws.errors import AwsError
from catalog import work
from catalog.models import Operation, OperationState, Service
from catalog.schedule import PartlyDone
from deployments import states
from deployments.changes import record_rollback, record_start
from deployments.images import named_image, uri_of
from deployments.models import FINISHED, MOVING, Origin, Release, Status, Strategy
from deployments.operations.moving import KIND, look_soon, note, target_of

log = logging.getLogger(__name__)

# ECS keeps service deployments for 90 days; with each service's first look, all of them are read.
SETTLED_AFTER = timedelta(minutes=2)
NEW_AT_ONCE = 40
UPDATE_UNSEEN_FOR = timedelta(minutes=2)
# So many unread services in a row are an AWS that does not answer: each may take half a minute.
UNREAD_IN_A_ROW = 5


def watch(*, at: datetime) -> None:
    """Look at every service; one that cannot be read does not hide the others.

    :raises PartlyDone: naming the services that could not be read, after the others were.
    """
    unread: list[str] = []
    in_a_row = 0
    # In another order each time: what stands behind an AWS that does not answer has its turn too.
    for service in Service.objects.present().order_by("?"):
        problem = _problem(service, at)
        in_a_row = in_a_row + 1 if problem else 0
        unread += [f"{service.slug}: {problem}"] if problem else []
        if in_a_row == UNREAD_IN_A_ROW:
            break
    _wake_forgotten()
    if unread:
        raise PartlyDone(unread)


def _problem(service: Service, at: datetime) -> str:
    """Look at one service, and return why that failed or an empty text."""
    try:
        _watch(service, at)
    except AwsError as error:
        log.warning("deployments of %s: %s", service.slug, error)
        return str(error)
    except Exception as error:
        # An answer that no adapter foresaw is this service's problem, and no other's.
        log.exception("deployments of %s", service.slug)
        return f"{type(error).__name__}: {error}"
    return ""


def _watch(service: Service, at: datetime) -> None:
    if _own_is_being_pinned(service, at):
        return
    newest = _newest_known(service)
    listed = ecs.list_deployments(
        cluster=service.cluster,
        service=service.name,
        created_after=newest - SETTLED_AFTER if newest else None,
    )
    _mark_superseded(service, listed, at)
    unknown = _unknown(listed)
    if unknown:
        _adopt(service, sorted(unknown, key=lambda each: each.created_at)[:NEW_AT_ONCE], at)


def _own_is_being_pinned(service: Service, at: datetime) -> bool:
    """Whether a deployment that shows up now is most likely our own, not yet pinned."""
    return (
        Release.objects.in_flight()
        .filter(service=service, origin=Origin.PORTAL, service_deployment_arn=None)
        .filter(update_sent_at__gt=at - UPDATE_UNSEEN_FOR)
        .exists()
    )


def _newest_known(service: Service) -> datetime | None:
    known = Release.objects.filter(service=service, service_deployment_arn__isnull=False)
    return known.order_by("-started_at").values_list("started_at", flat=True).first()


def _unknown(listed: Iterable[DeploymentBrief]) -> list[DeploymentBrief]:
    arns = {each.arn: each for each in listed}
    known = Release.objects.filter(service_deployment_arn__in=arns).values_list(
        "service_deployment_arn", flat=True
    )
    return [each for arn, each in arns.items() if arn not in set(known)]


def _mark_superseded(service: Service, listed: list[DeploymentBrief], at: datetime) -> None:
    """Say so on a release that ECS has left for a newer deployment of the same service."""
    ours = Release.objects.in_flight().filter(service=service, superseded=False).first()
    if ours is None or not ours.service_deployment_arn:
        return
    created = {each.arn: each.created_at for each in listed}
    begun = created.get(ours.service_deployment_arn)
    if begun and any(when > begun for when in created.values()):
        Release.objects.filter(pk=ours.pk).update(superseded=True)
        note(release=ours, at=at, text="ECS has begun a newer deployment of this service")


def _adopt(service: Service, briefs: list[DeploymentBrief], at: datetime) -> None:
    seen = ecs.describe_deployments(each.arn for each in briefs)
    arns = [arn for each in seen.values() for arn in _revision_arns(each)]
    known = revisions.describe_revisions(arns)
    for brief in briefs:
        if deployment := seen.get(brief.arn):
            _record(service, deployment, known, at)


def _revision_arns(seen: ServiceDeployment) -> list[str]:
    sources = [source.arn for source in seen.sources]
    return [arn for arn in [*sources, seen.target.arn if seen.target else ""] if arn]


def _record(
    service: Service, seen: ServiceDeployment, known: dict[str, ServiceRevision], at: datetime
) -> None:
    release = _external(service, seen, known, at)
    try:
        with transaction.atomic():
            release.save(force_insert=True)
            began = release.started_at or at
            note(release=release, at=began, text="Started outside Quarterdeck")
            record_start(release, began)
            if release.status in {Status.ROLLED_BACK, Status.BROKEN}:
                record_rollback(release, release.finished_at or at)
            if release.is_in_flight:
                target = target_of(release)
                work.submit(kind=KIND, target=target, key=target, by=None)
    except IntegrityError:
        # Another of this service is still in flight here; it will have ended at the next look.
        log.info("external deployment %s waits for its turn", seen.arn)


def _external(
    service: Service, seen: ServiceDeployment, known: dict[str, ServiceRevision], at: datetime
) -> Release:
    status = states.status_of(seen)
    source = known.get(seen.sources[0].arn) if seen.sources else None
    target = known.get(seen.target.arn) if seen.target else None
    image = named_image(_image(target))
    began = seen.started_at or seen.created_at or at
    finished = status in FINISHED
    return Release(
        service=service,
        origin=Origin.EXTERNAL,
        key=f"external:{seen.arn}",
        status=status,
        image_uri=uri_of(image),
        tag=image.partition("@")[0].rpartition("/")[2].partition(":")[2],
        digest=image.partition("@")[2],
        previous_image=named_image(_image(source)),
        strategy=_strategy(seen),
        configuration=seen.configuration,
        reason="Started outside Quarterdeck",
        requested_at=seen.created_at or began,
        started_at=began,
        update_sent_at=began,
        service_deployment_arn=seen.arn,
        previous_task_definition=source.task_definition if source else "",
        task_definition=target.task_definition if target else "",
        source_revision_arn=source.arn if source else "",
        target_revision_arn=target.arn if target else "",
        source_target_group=source.target_group if source else "",
        target_target_group=target.target_group if target else "",
        ecs_status=seen.status,
        lifecycle_stage=seen.lifecycle_stage[:64],
        status_reason=seen.status_reason or seen.rollback_reason,
        observed_at=at,
        finished_at=(seen.finished_at or at) if finished else None,
        verdict=_verdict(status, seen) if finished else "",
    )


def _image(revision: ServiceRevision | None) -> str:
    """Return the first container's image, pinned by the digest that ECS resolved."""
    if revision is None or not revision.images:
        return ""
    first = revision.images[0]
    if first.digest and "@" not in first.image:
        return f"{first.image}@{first.digest}"
    return first.image


def _strategy(seen: ServiceDeployment) -> str:
    return seen.strategy if seen.strategy in Strategy.values else Strategy.ROLLING


def _verdict(status: Status, seen: ServiceDeployment) -> str:
    return f"{status.label}. {seen.status_reason or seen.rollback_reason}".strip()


def _wake_forgotten() -> None:
    """Have releases in flight followed again whose operation was given up as failing too often."""
    open_targets = Operation.objects.filter(kind=KIND, state=OperationState.OPEN)
    followed = set(open_targets.values_list("target", flat=True))
    for release in Release.objects.filter(status__in=sorted(MOVING | {Status.ROLLING_BACK})):
        if target_of(release) not in followed:
            look_soon(release)
