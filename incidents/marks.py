"""Draws an incident's start and end among the changes of its service."""

from __future__ import annotations

from datetime import datetime

from catalog.models import ChangeEvent, ChangeKind, User
from incidents.models import Incident, Status


def draw(*, incident: Incident, by: User) -> None:
    """Make the change events say what the incident says now; safe to repeat.

    A canceled incident leaves no mark, a reopened one has no end.
    """
    real = incident.status != Status.CANCELED
    _mark(incident, "began", incident.impact_started_at if real else None, by)
    _mark(incident, "resolved", incident.resolved_at if real else None, by)


def _mark(incident: Incident, what: str, at: datetime | None, by: User) -> None:
    key = f"incident:{incident.pk}:{what}"
    if at is None:
        ChangeEvent.objects.filter(key=key).delete()
        return
    drawn = {
        "service_id": incident.service_id,
        "at": at,
        "kind": ChangeKind.INCIDENT,
        "title": f"{incident.reference} {incident.severity} {what}: {incident.title}"[:200],
        "url": incident.get_absolute_url(),
    }
    ChangeEvent.objects.update_or_create(
        key=key, defaults=drawn, create_defaults=drawn | {"actor": by.username}
    )
