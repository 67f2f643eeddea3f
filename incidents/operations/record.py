"""The one way to change an incident's row: by compare-and-swap, with an entry and an audit line."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models import F

from catalog import audit
from catalog.models import User
from incidents import marks
from incidents.milestones import out_of_order
from incidents.models import MILESTONES, EntryKind, Incident, TimelineEntry


class CannotChange(Exception):
    """The incident does not allow this; the message says why, for a person."""


class ChangedMeanwhile(CannotChange):
    """Somebody changed the incident after this form was opened; the message says who and what."""


@dataclass(frozen=True, slots=True)
class Change:
    """One value that changes, as the timeline keeps it. `name` is a column or a role."""

    name: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Happening:
    """What goes on the timeline and into the audit log."""

    kind: EntryKind
    action: str
    changes: tuple[Change, ...] = ()
    text: str = ""
    values: dict[str, Any] = field(default_factory=dict)


def refuse_stale(*, incident: Incident, version: int) -> None:
    """Say who was first before saying what is wrong with a form that is out of date.

    `change` compares again when it writes.

    :raises ChangedMeanwhile: if the incident has another version.
    """
    if incident.version != version:
        raise ChangedMeanwhile(_who_changed_what(incident, version))


@transaction.atomic
def change(
    *, incident: Incident, version: int, happening: Happening, by: User, at: datetime
) -> TimelineEntry:
    """Write `happening.values` into the row and the happening onto its timeline.

    :param version: of the incident, as it was when the person looked at it.
    :raises ChangedMeanwhile: if the incident has another version by now.
    :raises CannotChange: if the milestones would be out of order.
    """
    _refuse_disorder(incident, happening.values)
    # Compare and swap: of two people at once, exactly one updates the row.
    moved = Incident.objects.filter(pk=incident.pk, version=version).update(
        version=F("version") + 1, **happening.values
    )
    if not moved:
        raise ChangedMeanwhile(_who_changed_what(incident, version))
    incident.refresh_from_db()
    marks.draw(incident=incident, by=by)
    return write(incident=incident, happening=happening, by=by, at=at)


def write(*, incident: Incident, happening: Happening, by: User, at: datetime) -> TimelineEntry:
    """Append to the timeline and to the audit log; the row stays as it is."""
    entry = TimelineEntry.objects.create(
        incident=incident,
        kind=happening.kind,
        occurred_at=at,
        actor=by,
        text=happening.text,
        payload=payload(happening.changes),
        version=incident.version,
    )
    audited(incident=incident, happening=happening, by=by, at=at)
    return entry


def audited(*, incident: Incident, happening: Happening, by: User, at: datetime) -> None:
    audit.record(
        by=by,
        action=f"incidents.{happening.action}",
        target=f"incident:{incident.pk}",
        detail=payload(happening.changes) | ({"text": happening.text} if happening.text else {}),
        at=at,
    )


def payload(changes: tuple[Change, ...]) -> dict[str, Any]:
    if not changes:
        return {}
    return {"changes": [{"name": c.name, "old": c.old, "new": c.new} for c in changes]}


def moment(value: datetime | None) -> str:
    """A milestone as the timeline keeps it: ISO 8601, UTC; empty for none."""
    return value.isoformat(timespec="seconds") if value else ""


def _refuse_disorder(incident: Incident, values: dict[str, Any]) -> None:
    times = {name: values.get(name, getattr(incident, name)) for name in MILESTONES}
    if wrong := out_of_order(times):
        earlier, later = wrong
        raise CannotChange(f"{MILESTONES[later]} cannot be before {MILESTONES[earlier].lower()}.")


def _who_changed_what(incident: Incident, version: int) -> str:
    entry = (
        incident.timeline.filter(version__gt=version)
        .select_related("actor")
        .order_by("version", "id")
        .first()
    )
    if entry is None:
        return "This form is not of this incident's history. Open the page again."
    return (
        f"{entry.actor} was first, at {entry.recorded_at:%H:%M:%S} UTC: {entry.sentence}. "
        "Nothing of yours was saved; look again, then decide."
    )
