"""Builders of incidents, on top of `tests.make`."""

from __future__ import annotations

import uuid
from datetime import timedelta
from typing import Any

from catalog.models import ChangeEvent, Service, User
from incidents import operations
from incidents.models import Assignment, Incident, IncidentRole, Severity, Status
from tests import make

ONSET = make.NOON - timedelta(minutes=10)
LATER = make.NOON + timedelta(minutes=30)
REASON = "the rollback took the errors away"
WAYS = {
    Status.INVESTIGATING: (),
    Status.IDENTIFIED: (Status.IDENTIFIED,),
    Status.MITIGATED: (Status.MITIGATED,),
    Status.RESOLVED: (Status.RESOLVED,),
    Status.CLOSED: (Status.RESOLVED, Status.CLOSED),
    Status.CANCELED: (Status.CANCELED,),
}


def filed(by: User, **changes: Any) -> Incident:
    defaults = {
        "key": uuid.uuid4(),
        "title": "News API answers with 5xx",
        "severity": Severity.SEV2,
        "impact_started_at": ONSET,
        "text": "",
        "at": make.NOON,
    }
    if "service" not in changes:
        changes["service"] = Service.objects.first() or make.service()
    return operations.file(by=by, **defaults | changes)


def at_status(status: Status, *, by: User, **changes: Any) -> Incident:
    """File an incident and lead it to `status`, a minute a step."""
    incident = filed(by, **changes)
    for minutes, to in enumerate(WAYS[status], start=1):
        moved(incident, to, by=by, at=make.NOON + timedelta(minutes=minutes))
    return incident


def moved(incident: Incident, to: Status, *, by: User, **changes: Any) -> None:
    defaults = {"version": incident.version, "reason": REASON, "at": make.NOON}
    operations.move(incident=incident, to=to, by=by, **defaults | changes)


def change_event(service: Service, **changes: Any) -> ChangeEvent:
    defaults = {
        "service": service,
        "at": ONSET - timedelta(minutes=6),
        "kind": "RELEASE",
        "title": "Release 1.4.1",
        "actor": "olga",
        "url": "/deployments/7/",
        "key": str(uuid.uuid4()),
    }
    return ChangeEvent.objects.create(**defaults | changes)


def holders(incident: Incident, role: IncidentRole) -> list[str]:
    """Who holds the role now, the longest first."""
    current = Assignment.objects.filter(incident=incident, role=role, renounced_at=None)
    return [held.user.username for held in current.order_by("assumed_at", "pk")]
