from __future__ import annotations

from datetime import datetime
from uuid import UUID

from django.db import transaction

from catalog.models import User
from incidents.models import EntryKind, Incident, Pin, TimelineEntry
from incidents.operations.record import CannotChange, Happening, audited


@transaction.atomic
def add_note(*, incident: Incident, key: UUID, text: str, by: User, at: datetime) -> TimelineEntry:
    """Add an update. It takes no version: two people writing at once are both heard.

    :param key: of the rendered form: sent twice, it is one entry.
    :raises CannotChange: if there is no text.
    """
    if not text.strip():
        raise CannotChange("An update needs a text.")
    note = Happening(kind=EntryKind.NOTE, action="add_note", text=text)
    entry, created = TimelineEntry.objects.get_or_create(
        incident=incident,
        key=key,
        defaults={
            "kind": note.kind,
            "occurred_at": at,
            "actor": by,
            "text": text,
            "version": incident.version,
        },
    )
    if created:
        audited(incident=incident, happening=note, by=by, at=at)
    return entry


@transaction.atomic
def pin(*, entry: TimelineEntry, by: User, at: datetime) -> None:
    """Keep an entry at the top of the timeline; pinning twice is pinning once."""
    _, created = Pin.objects.get_or_create(entry=entry, defaults={"by": by, "at": at})
    if created:
        _audit_pin(entry, "pin", by, at)


@transaction.atomic
def unpin(*, entry: TimelineEntry, by: User, at: datetime) -> None:
    """Let an entry back to its place."""
    deleted, _ = Pin.objects.filter(entry=entry).delete()
    if deleted:
        _audit_pin(entry, "unpin", by, at)


def _audit_pin(entry: TimelineEntry, action: str, by: User, at: datetime) -> None:
    happening = Happening(kind=EntryKind.NOTE, action=action, text=f"entry {entry.pk}")
    audited(incident=entry.incident, happening=happening, by=by, at=at)
