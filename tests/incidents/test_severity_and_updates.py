"""Severity and updates, and who wins when two act at once."""

from __future__ import annotations

import uuid

import pytest

from catalog.models import AuditEntry, ChangeEvent
from incidents import operations
from incidents.models import (
    EntryKind,
    Incident,
    Severity,
    Status,
)
from tests import make
from tests.incidents import builders
from tests.incidents.builders import LATER

pytestmark = pytest.mark.django_db


def test_the_severity_changes_with_its_reason_on_the_timeline():
    olga = make.operator()
    incident = builders.filed(olga)

    operations.change_severity(
        incident=incident,
        version=1,
        to=Severity.SEV1,
        reason="no healthy target",
        by=olga,
        at=LATER,
    )

    entry = incident.timeline.last()
    assert Incident.objects.get().severity == Severity.SEV1
    assert entry.sentence == "Severity: SEV2 Major → SEV1 Critical"
    assert entry.text == "no healthy target"
    assert "SEV1" in ChangeEvent.objects.get().title


@pytest.mark.parametrize(
    ("to", "reason", "why"),
    [(Severity.SEV2, "same", "already"), (Severity.SEV1, "  ", "Say why")],
)
def test_a_severity_change_that_changes_or_says_nothing_is_refused(to, reason, why):
    olga = make.operator()
    incident = builders.filed(olga)

    with pytest.raises(operations.CannotChange, match=why):
        operations.change_severity(
            incident=incident, version=1, to=to, reason=reason, by=olga, at=LATER
        )


@pytest.mark.parametrize("status", [Status.CLOSED, Status.CANCELED])
def test_the_severity_of_an_ended_incident_stays(status):
    olga = make.operator()
    incident = builders.at_status(status, by=olga)

    with pytest.raises(operations.CannotChange, match="reopen it first"):
        operations.change_severity(
            incident=incident,
            version=incident.version,
            to=Severity.SEV1,
            reason="it was worse",
            by=olga,
            at=LATER,
        )


def test_the_second_of_two_changes_is_told_who_did_what():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)
    seen_by_omar = Incident.objects.get(pk=incident.pk)
    builders.moved(incident, Status.MITIGATED, by=olga)

    with pytest.raises(operations.ChangedMeanwhile) as refused:
        builders.moved(seen_by_omar, Status.CANCELED, by=omar, version=1)

    assert "olga was first" in str(refused.value)
    assert "Status: Investigating → Mitigated" in str(refused.value)
    assert Incident.objects.get().status == Status.MITIGATED


def test_who_looks_at_an_old_page_hears_who_was_first_before_what_is_wrong():
    olga = make.operator()
    incident = builders.at_status(Status.MITIGATED, by=olga)

    with pytest.raises(operations.ChangedMeanwhile, match="olga was first"):
        builders.moved(incident, Status.CANCELED, by=olga, version=1)


def test_a_version_that_never_was_is_refused():
    olga = make.operator()

    with pytest.raises(operations.ChangedMeanwhile, match="Open the page again"):
        builders.moved(builders.filed(olga), Status.MITIGATED, by=olga, version=9)


def test_two_updates_at_once_are_both_heard():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)

    for by in (olga, omar):
        operations.add_note(
            incident=incident, key=uuid.uuid4(), text=f"{by} looks", by=by, at=LATER
        )

    notes = incident.timeline.filter(kind=EntryKind.NOTE)
    assert [note.text for note in notes] == ["olga looks", "omar looks"]


def test_one_update_sent_twice_is_one_entry():
    olga, key = make.operator(), uuid.uuid4()
    incident = builders.filed(olga)

    for _ in range(2):
        operations.add_note(incident=incident, key=key, text="Rolled back.", by=olga, at=LATER)

    assert incident.timeline.filter(kind=EntryKind.NOTE).count() == 1
    assert AuditEntry.objects.filter(action="incidents.add_note").count() == 1


def test_an_empty_update_is_refused():
    olga = make.operator()

    with pytest.raises(operations.CannotChange):
        operations.add_note(
            incident=builders.filed(olga), key=uuid.uuid4(), text=" \n", by=olga, at=LATER
        )
