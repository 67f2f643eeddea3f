from __future__ import annotations

from datetime import datetime
from typing import Any

from catalog.models import User
from incidents.models import TRANSITIONS, EntryKind, Incident, Severity, Status
from incidents.operations.record import (
    CannotChange,
    Change,
    Happening,
    change,
    moment,
    refuse_stale,
)

SHORTEST_REASON = 10
_NEEDS_REASON = {Status.INVESTIGATING, Status.CANCELED}
_SET_BY = {
    Status.IDENTIFIED: "identified_at",
    Status.MITIGATED: "mitigated_at",
    Status.RESOLVED: "resolved_at",
    Status.CLOSED: "closed_at",
    Status.CANCELED: "closed_at",
}
_REOPENING_CLEARS = ("mitigated_at", "resolved_at", "closed_at")


def change_severity(
    *, incident: Incident, version: int, to: Severity, reason: str, by: User, at: datetime
) -> None:
    """Raise or lower the severity, saying why.

    :raises CannotChange: if it has this severity already, has ended, or no reason is given.
    """
    refuse_stale(incident=incident, version=version)
    if incident.severity == to:
        raise CannotChange(f"It is {to} already.")
    if incident.closed_at:
        raise CannotChange(f"It is {incident.get_status_display().lower()}: reopen it first.")
    if not reason.strip():
        raise CannotChange("Say why the severity changes.")
    old = Severity(incident.severity)
    happening = Happening(
        kind=EntryKind.SEVERITY,
        action="change_severity",
        changes=(Change("severity", old.label, to.label),),
        text=reason,
        values={"severity": to},
    )
    change(incident=incident, version=version, happening=happening, by=by, at=at)


def move(
    *, incident: Incident, version: int, to: Status, reason: str, by: User, at: datetime
) -> None:
    """Move the incident along the state machine of `incidents.models.TRANSITIONS`.

    Resolving what was never mitigated mitigates it at the same moment. Reopening takes back the
    milestones that turned out to be wrong; the timeline keeps them.

    :raises CannotChange: if the move is not in the table, or lacks the reason it needs.
    """
    refuse_stale(incident=incident, version=version)
    origin = Status(incident.status)
    if to not in TRANSITIONS[origin]:
        raise CannotChange(f"{origin.label} cannot become {to.label}.")
    if to in _NEEDS_REASON and len(reason.strip()) < SHORTEST_REASON:
        raise CannotChange(f"Say why, in at least {SHORTEST_REASON} characters.")
    milestones = _milestones(incident, to, at)
    happening = Happening(
        kind=EntryKind.STATUS,
        action="reopen" if to == Status.INVESTIGATING else f"move_to_{to.lower()}",
        changes=(Change("status", origin.label, to.label), *_moved(incident, milestones)),
        text=reason,
        values={"status": to} | milestones,
    )
    change(incident=incident, version=version, happening=happening, by=by, at=at)


def _milestones(incident: Incident, to: Status, at: datetime) -> dict[str, Any]:
    if to == Status.INVESTIGATING:
        return dict.fromkeys(_REOPENING_CLEARS)
    reached = {_SET_BY[to]: at}
    if to == Status.RESOLVED and incident.mitigated_at is None:
        reached["mitigated_at"] = at
    return reached


def _moved(incident: Incident, milestones: dict[str, Any]) -> tuple[Change, ...]:
    """What is lost of the old milestones; setting one for the first time needs no line."""
    return tuple(
        Change(name, moment(old), moment(new))
        for name, new in milestones.items()
        if (old := getattr(incident, name)) is not None
    )
