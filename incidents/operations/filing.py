from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from catalog.models import Service, User
from incidents import marks
from incidents.models import (
    Assignment,
    EntryKind,
    Incident,
    IncidentRole,
    Severity,
)
from incidents.operations.record import CannotChange, Happening, write


@transaction.atomic
def file(
    *,
    key: UUID,
    title: str,
    service: Service,
    severity: Severity,
    impact_started_at: datetime,
    text: str,
    by: User,
    at: datetime,
) -> Incident:
    """File an incident; whoever files it commands it until they hand over.

    :param key: of the rendered form: sent twice, even at once, it is one incident.
    :param text: the first update; may be empty.
    :raises CannotChange: if the impact would start in the future.
    """
    if impact_started_at > at:
        raise CannotChange("The impact cannot start in the future.")
    incident, created = Incident.objects.get_or_create(
        filing_key=key,
        defaults={
            "title": title,
            "service": service,
            "severity": severity,
            "impact_started_at": impact_started_at,
            "detected_at": at,
            "declared_at": at,
            "acknowledged_at": at,
        },
    )
    if created:
        _begin(incident=incident, text=text, by=by, at=at)
    return incident


def _begin(*, incident: Incident, text: str, by: User, at: datetime) -> None:
    Assignment.objects.create(
        incident=incident, role=IncidentRole.COMMANDER, user=by, assumed_at=at
    )
    marks.draw(incident=incident, by=by)
    filed = Happening(kind=EntryKind.FILED, action="file", text=text)
    write(incident=incident, happening=filed, by=by, at=at)
