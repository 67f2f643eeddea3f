from __future__ import annotations

from datetime import datetime

from django.db import transaction

from catalog.models import User
from incidents.models import SINGLE, Assignment, EntryKind, Incident, IncidentRole
from incidents.operations.record import CannotChange, Change, Happening, change, refuse_stale


@transaction.atomic
def assign(
    *, incident: Incident, version: int, role: IncidentRole, to: User, by: User, at: datetime
) -> None:
    """Give a role to a person; a role that one person holds is handed over.

    :raises CannotChange: if they hold it already, or may only watch.
    """
    refuse_stale(incident=incident, version=version)
    if role != IncidentRole.OBSERVER and not to.is_operator:
        raise CannotChange(f"{to} is a viewer and can only observe.")
    current = Assignment.objects.filter(incident=incident, role=role, renounced_at=None)
    holders = [held.user for held in current.select_related("user").order_by("assumed_at")]
    if to in holders:
        raise CannotChange(f"{to} is {role.label} already.")
    old = ", ".join(map(str, holders)) if role in SINGLE else ""
    happening = Happening(
        kind=EntryKind.ROLE, action="assign", changes=(Change(role, old, str(to)),)
    )
    change(incident=incident, version=version, happening=happening, by=by, at=at)
    if role in SINGLE:
        current.update(renounced_at=at)
    Assignment.objects.create(incident=incident, role=role, user=to, assumed_at=at)


@transaction.atomic
def release(
    *, incident: Incident, version: int, assignment: Assignment, by: User, at: datetime
) -> None:
    """End an assignment without a successor.

    :raises CannotChange: for the commander, who can only hand over, and if it has ended already.
    """
    refuse_stale(incident=incident, version=version)
    if assignment.role == IncidentRole.COMMANDER:
        raise CannotChange("An incident always has a commander: hand over to somebody.")
    role = IncidentRole(assignment.role)
    happening = Happening(
        kind=EntryKind.ROLE, action="release", changes=(Change(role, str(assignment.user), ""),)
    )
    change(incident=incident, version=version, happening=happening, by=by, at=at)
    ended = Assignment.objects.filter(pk=assignment.pk, renounced_at=None).update(renounced_at=at)
    if not ended:
        raise CannotChange(f"{assignment.user} is not {role.label} any more.")
