"""Asking for a release: draft, preflight, start, cancel, restore."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction

from catalog import audit, work
from catalog.models import Service, User
from deployments import presets
from deployments.models import Image, Outcome, Release, ReleaseEvent, Status
from deployments.operations.errors import CannotMove, NotReady
from deployments.operations.moving import KIND, audited, look_soon, move, note, target_of

PREFLIGHT_LASTS = timedelta(minutes=10)


@transaction.atomic
def draft(
    *,
    service: Service,
    image: Image,
    preset: presets.Preset,
    configuration: dict[str, Any],
    reason: str,
    key: str,
    by: User,
    at: datetime,
    ask_before_canary: bool = False,
) -> Release:
    """Write down a wanted release and have its preflight run. The same `key` is one release."""
    release, created = Release.objects.get_or_create(
        key=key,
        defaults={
            "service": service,
            "image_uri": image.repository.uri,
            "tag": image.tags[0] if image.tags else "",
            "digest": image.digest,
            "strategy": preset.strategy,
            "preset": preset.name,
            "configuration": configuration,
            "ask_before_canary": ask_before_canary,
            "reason": reason,
            "requested_by": by,
            "requested_at": at,
        },
    )
    if created:
        work.submit(kind=KIND, target=target_of(release), key=target_of(release), by=by)
        note(release=release, at=at, by=by, text=f"Requested: {reason}")
        audit.record(by=by, action="deployments.request", target=target_of(release), at=at)
    return release


def check_again(*, release: Release, by: User, at: datetime) -> None:
    """Run the preflight once more."""
    with audited("check", release=release, by=by, at=at):
        move(release=release, to=Status.PREPARING, at=at, by=by, text="Preflight asked for again")
        look_soon(release)


def start(*, release: Release, by: User, at: datetime) -> None:
    """Let the release begin in ECS.

    :raises NotReady: if a check blocks it, or the checks are older than ten minutes.
    :raises CannotMove: if it has been started or cancelled, or another one is in flight.
    """
    with audited("start", release=release, by=by, at=at):
        _refuse_unchecked(release, at)
        move(
            release=release,
            to=Status.STARTING,
            at=at,
            by=by,
            text="Started",
            started_by=by,
            started_at=at,
            problem="",
        )
        look_soon(release)


def cancel(*, release: Release, by: User, at: datetime) -> None:
    """Give the release up before ECS has heard of it.

    :raises CannotMove: once UpdateService has been, or is being, sent.
    """
    with audited("cancel", release=release, by=by, at=at):
        locked = Release.objects.select_for_update().get(pk=release.pk)
        if not locked.can_be_cancelled:
            raise CannotMove("ECS is already working on this release: roll it back instead.")
        release.status = locked.status
        move(
            release=release,
            to=Status.CANCELLED,
            at=at,
            by=by,
            text="Cancelled",
            verdict="Cancelled before it began; nothing was changed.",
        )
        look_soon(release)


def restore(*, release: Release, reason: str, key: str, by: User, at: datetime) -> Release:
    """Go back to what ran before a release that took over, as fast as ECS can.

    Restores the task definition; ECS's own rollback, while it lasts, restores the whole revision.

    :raises CannotMove: if the release did not succeed or another one is in flight.
    """
    with audited("restore", release=release, by=by, at=at, reason=reason):
        if made := Release.objects.filter(key=key).first():
            return made
        if not release.can_be_restored:
            raise CannotMove("Only the newest release that succeeded can be undone by a new one.")
        restoring = _restoring(release, reason=reason, key=key, by=by, at=at)
        work.submit(kind=KIND, target=target_of(restoring), key=target_of(restoring), by=by)
        note(release=restoring, at=at, by=by, text=f"Restore of {restoring.version}: {reason}")
        note(release=release, at=at, by=by, text="Restoring the previous revision was asked for")
        return restoring


def _restoring(release: Release, *, reason: str, key: str, by: User, at: datetime) -> Release:
    service = release.service
    preset = presets.RESTORE if service.has_load_balancer else presets.named("rolling")
    uri, _, digest = release.previous_image.partition("@")
    name, _, tag = uri.rpartition("/")[2].partition(":")
    try:
        with transaction.atomic():
            return Release.objects.create(
                service=service,
                key=key,
                status=Status.STARTING,
                image_uri=f"{uri.rpartition('/')[0]}/{name}",
                tag=tag,
                digest=digest,
                previous_image=_running_image(release),
                strategy=preset.strategy,
                preset=presets.RESTORE.name,
                configuration=presets.configuration(preset),
                previous_configuration=release.previous_configuration,
                reason=reason,
                requested_by=by,
                requested_at=at,
                restores=release,
                previous_task_definition=release.task_definition,
                task_definition=release.previous_task_definition,
                started_by=by,
                started_at=at,
            )
    except IntegrityError as error:
        raise CannotMove("This service already has a release in flight.") from error


def _running_image(release: Release) -> str:
    tag = f":{release.tag}" if release.tag else ""
    return f"{release.image_uri}{tag}@{release.digest}"


def _refuse_unchecked(release: Release, at: datetime) -> None:
    release.refresh_from_db()
    if release.status == Status.PREPARING:
        raise NotReady("The preflight is still running.")
    if release.status != Status.READY_TO_START:
        started = release.events.filter(text="Started").select_related("by").first()
        raise CannotMove(_already(release, started))
    if release.checked_at is None or at - release.checked_at > PREFLIGHT_LASTS:
        raise NotReady("The preflight is older than ten minutes: run it again.")
    if not release.previous_task_definition:
        raise NotReady("What runs now could not be read: run the preflight again.")
    if block := release.preflight.filter(outcome=Outcome.BLOCK).first():
        raise NotReady(f"{block.check_name}: {block.text}")


def _already(release: Release, started: ReleaseEvent | None) -> str:
    if started is None:
        return f"The release is “{release.state.label}”."
    who = started.by.username if started.by else "Quarterdeck"
    return f"Started by {who} at {started.at:%H:%M:%S} UTC."
