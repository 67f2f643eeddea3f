"""The one way a release changes its state: compare and swap, with an event, in one transaction."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction

from catalog import audit, work
from catalog.models import User
from deployments.models import FINISHED, TRANSITIONS, Release, ReleaseEvent, Status
from deployments.operations.errors import CannotMove, MovedMeanwhile

KIND = "release"


def target_of(release: Release) -> str:
    """Return the release's name in operations and in the audit log."""
    return f"{KIND}:{release.pk}"


@transaction.atomic
def move(
    *,
    release: Release,
    to: Status,
    at: datetime,
    text: str,
    by: User | None = None,
    **changes: Any,
) -> None:
    """Take the release to another state and write down why.

    :raises CannotMove: if that state cannot follow, or another release of the service is on.
    :raises MovedMeanwhile: if somebody else moved it first.
    """
    origin = release.state
    if to not in TRANSITIONS[origin]:
        raise CannotMove(f"“{origin.label}” cannot become “{to.label}”.")
    changes |= {"status": to}
    if to in FINISHED:
        changes["finished_at"] = at
    if not _swap(release, origin, changes):
        raise MovedMeanwhile("The release moved while you were looking at it.")
    for name, value in changes.items():
        setattr(release, name, value)
    note(release=release, at=at, text=text, by=by)


def _swap(release: Release, origin: Status, changes: dict[str, Any]) -> bool:
    # Of two operators clicking at once, exactly one updates a row.
    try:
        with transaction.atomic():
            return bool(Release.objects.filter(pk=release.pk, status=origin).update(**changes))
    except IntegrityError as error:
        other = Release.objects.in_flight().filter(service=release.service_id).first()
        which = f"release {other.version}" if other else "another release"
        raise CannotMove(f"This service already has {which} in flight.") from error


def note(*, release: Release, at: datetime, text: str, by: User | None = None) -> None:
    """Add a line to the release's history."""
    ReleaseEvent.objects.create(
        release=release, at=at, status=release.status, text=text[:500], by=by
    )


@contextmanager
def audited(
    action: str, *, release: Release, by: User, at: datetime, **detail: Any
) -> Iterator[None]:
    """Do the thing and its audit entry in one transaction; a refusal is audited too."""
    try:
        with transaction.atomic():
            yield
            audit.record(
                by=by,
                action=f"deployments.{action}",
                target=target_of(release),
                at=at,
                detail=detail,
            )
    except CannotMove as error:
        audit.record(
            by=by,
            action=f"deployments.{action}",
            target=target_of(release),
            outcome="refused",
            at=at,
            detail=detail | {"why": str(error)},
        )
        raise


def look_soon(release: Release) -> None:
    """Have the reconciler look at the release as soon as it is free, also after it gave up."""
    work.resume(kind=KIND, target=target_of(release))
    work.wake(kind=KIND, target=target_of(release))
