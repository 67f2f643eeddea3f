from __future__ import annotations

from datetime import datetime

from catalog.models import User
from incidents.models import MILESTONES, EntryKind, Incident
from incidents.operations.record import (
    CannotChange,
    Change,
    Happening,
    change,
    moment,
    refuse_stale,
)

# These may be told later; the others are reached by a move and only then corrected.
_TOLD_LATER = {"detected_at", "acknowledged_at"}


def editable(incident: Incident) -> list[str]:
    """Return the names of the milestones that may be set or corrected now, in order."""
    return [name for name in MILESTONES if name in _TOLD_LATER or getattr(incident, name)]


def edit_milestone(
    *, incident: Incident, version: int, milestone: str, to: datetime, by: User, at: datetime
) -> None:
    """Correct when something happened; the timeline keeps the old time.

    :raises CannotChange: if it has not happened yet, lies in the future, or is out of order.
    """
    refuse_stale(incident=incident, version=version)
    if milestone not in editable(incident):
        raise CannotChange("This milestone is not reached yet: change the status instead.")
    if to > at:
        raise CannotChange(f"{MILESTONES[milestone]} cannot be in the future.")
    old = getattr(incident, milestone)
    if old == to:
        raise CannotChange(f"{MILESTONES[milestone]} is at that time already.")
    happening = Happening(
        kind=EntryKind.MILESTONE,
        action="edit_milestone",
        changes=(Change(milestone, moment(old), moment(to)),),
        values={milestone: to},
    )
    change(incident=incident, version=version, happening=happening, by=by, at=at)
