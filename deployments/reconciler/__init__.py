"""Makes ECS agree with a release, one look at a time, safe to repeat after any crash."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.utils import timezone

from catalog.work import Lease, Progress, handles
from deployments.models import Release, Status
from deployments.operations.errors import CannotMove
from deployments.operations.moving import KIND, move
from deployments.reconciler.following import follow
from deployments.reconciler.preparing import prepare
from deployments.reconciler.starting import bring_to_ecs

DRAFT_LASTS = timedelta(hours=24)
# A draft waits for a person, who wakes it.
IDLE = timedelta(hours=1)


@handles(KIND)
def reconcile(lease: Lease) -> Progress:
    """Look at one release and do at most what its state asks for."""
    release = Release.objects.select_related("service").get(pk=lease.target_id)
    at = timezone.now()
    try:
        return _step(lease, release, at)
    except CannotMove:
        # A person moved it between our read and our write; look again at once.
        return Progress(wait=timedelta())


def _step(lease: Lease, release: Release, at: datetime) -> Progress:
    if release.is_finished:
        return Progress(done=True)
    if release.status == Status.PREPARING:
        prepare(release, at)
        return Progress(wait=IDLE)
    if release.status == Status.READY_TO_START:
        return _wait_for_start(release, at)
    if not release.service_deployment_arn:
        return bring_to_ecs(lease, release, at)
    return follow(lease, release, at)


def _wait_for_start(release: Release, at: datetime) -> Progress:
    if at - release.requested_at < DRAFT_LASTS:
        return Progress(wait=IDLE)
    move(
        release=release,
        to=Status.CANCELLED,
        at=at,
        text="Given up: nobody started it within a day",
        verdict="Never started; nothing was changed.",
    )
    return Progress(done=True)
