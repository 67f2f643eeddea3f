"""Filing an incident, its milestones and its pins."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from catalog.models import AuditEntry, ChangeEvent
from incidents import operations
from incidents.models import (
    OPEN,
    EntryKind,
    Incident,
    IncidentRole,
    Status,
    TimelineEntry,
)
from tests import make
from tests.incidents import builders
from tests.incidents.builders import LATER, holders

pytestmark = pytest.mark.django_db


def test_filing_makes_the_filer_commander_and_starts_the_timeline():
    olga = make.operator()

    incident = builders.filed(olga, text="Since the release.")

    entry = incident.timeline.get()
    assert (entry.kind, entry.actor, entry.text) == (EntryKind.FILED, olga, "Since the release.")
    assert holders(incident, IncidentRole.COMMANDER) == ["olga"]
    assert incident.status == Status.INVESTIGATING
    assert str(incident) == f"INC-{incident.pk} News API answers with 5xx"
    assert incident.declared_at == incident.acknowledged_at == make.NOON


def test_filing_marks_the_onset_among_the_changes_of_the_service():
    incident = builders.filed(make.operator())

    mark = ChangeEvent.objects.get(service=incident.service)
    assert (mark.at, mark.kind) == (builders.ONSET, "INCIDENT")
    assert mark.url == f"/incidents/{incident.pk}/"


def test_one_form_sent_twice_files_one_incident():
    olga, key = make.operator(), uuid.uuid4()

    first = builders.filed(olga, key=key)
    again = builders.filed(olga, key=key, title="Typed again")

    assert again == first
    assert Incident.objects.count() == TimelineEntry.objects.count() == 1


def test_an_impact_cannot_start_in_the_future():
    with pytest.raises(operations.CannotChange, match="future"):
        builders.filed(make.operator(), impact_started_at=LATER)

    assert not Incident.objects.exists()


def test_a_corrected_onset_moves_its_mark_and_keeps_the_old_time():
    olga = make.operator()
    incident = builders.filed(olga)
    earlier = builders.ONSET - timedelta(minutes=5)

    operations.edit_milestone(
        incident=incident, version=1, milestone="impact_started_at", to=earlier, by=olga, at=LATER
    )

    assert ChangeEvent.objects.get().at == earlier
    assert incident.timeline.last().sentence == (
        "Impact started: 2026-03-02 11:50:00 UTC → 2026-03-02 11:45:00 UTC"
    )


@pytest.mark.parametrize(
    ("milestone", "minutes", "why"),
    [
        ("detected_at", -11, "Detected cannot be before impact started"),
        ("resolved_at", -1, "Resolved cannot be before mitigated"),
        ("mitigated_at", 5, "Resolved cannot be before mitigated"),
        ("detected_at", 31, "future"),
        ("declared_at", 0, "already"),
        ("closed_at", 2, "not reached yet"),
        ("identified_at", 2, "not reached yet"),
    ],
)
def test_a_milestone_out_of_order_is_refused(milestone, minutes, why):
    olga = make.operator()
    incident = builders.at_status(Status.MITIGATED, by=olga)
    builders.moved(incident, Status.RESOLVED, by=olga, at=make.NOON + timedelta(minutes=2))

    with pytest.raises(operations.CannotChange, match=why):
        operations.edit_milestone(
            incident=incident,
            version=incident.version,
            milestone=milestone,
            to=make.NOON + timedelta(minutes=minutes),
            by=olga,
            at=LATER,
        )


def test_pinning_twice_is_pinning_once_and_can_be_undone():
    olga = make.operator()
    entry = builders.filed(olga).timeline.get()
    for _ in range(2):
        operations.pin(entry=entry, by=olga, at=LATER)

    for _ in range(2):
        operations.unpin(entry=TimelineEntry.objects.get(), by=olga, at=LATER)

    assert not hasattr(TimelineEntry.objects.get(), "pin")
    actions = AuditEntry.objects.order_by("id").values_list("action", flat=True)
    assert list(actions) == ["incidents.file", "incidents.pin", "incidents.unpin"]


def test_open_means_that_somebody_is_still_needed():
    olga = make.operator()

    states = {status: builders.at_status(status, by=olga).is_open for status in Status}

    assert {status for status, is_open in states.items() if is_open} == set(OPEN)
    assert Incident.objects.open().count() == len(OPEN)
