"""Releases as change events: charts draw them, incidents rank them."""

from __future__ import annotations

from datetime import datetime

from catalog.models import ChangeEvent, ChangeKind
from deployments.models import Release


def record_start(release: Release, at: datetime) -> None:
    """Record that a release, or a restore, has begun to change the service."""
    kind = ChangeKind.ROLLBACK if release.restores_id else ChangeKind.RELEASE
    verb = "Restore of" if release.restores_id else "Release"
    strategy = release.get_strategy_display().lower()
    _record(release, at, kind, f"{verb} {release.version} ({strategy})", "start")


def record_rollback(release: Release, at: datetime) -> None:
    title = f"Rollback of {release.version} to {release.previous_name}"
    _record(release, at, ChangeKind.ROLLBACK, title, "rollback")


def _record(release: Release, at: datetime, kind: ChangeKind, title: str, moment: str) -> None:
    who = release.rollback_requested_by if moment == "rollback" else release.requested_by
    ChangeEvent.objects.get_or_create(
        key=f"release:{release.pk}:{moment}",
        defaults={
            "service": release.service,
            "at": at,
            "kind": kind,
            "title": title[:200],
            "actor": who.username if who else "",
            "url": release.get_absolute_url(),
        },
    )
