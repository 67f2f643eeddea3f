from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from catalog.models import AuditEntry, ChangeEvent
from incidents import operations
from incidents.models import (
    OPEN,
    TRANSITIONS,
    Assignment,
    EntryKind,
    Incident,
    IncidentRole,
    Severity,
    Status,
    TimelineEntry,
)
from tests import make
from tests.incidents import builders

pytestmark = pytest.mark.django_db
LATER = make.NOON + timedelta(minutes=30)
MOVES = [(origin, to) for origin in Status for to in Status if origin != to]


def holders(incident: Incident, role: IncidentRole) -> list[str]:
    current = Assignment.objects.filter(incident=incident, role=role, renounced_at=None)
    return [held.user.username for held in current.order_by("assumed_at", "pk")]


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


@pytest.mark.parametrize(
    ("origin", "to"), [pair for pair in MOVES if pair[1] in TRANSITIONS[pair[0]]]
)
def test_every_move_of_the_table_is_made_and_recorded(origin, to):
    olga = make.operator()
    incident = builders.at_status(origin, by=olga)

    builders.moved(incident, to, by=olga, at=LATER)

    entry = incident.timeline.last()
    assert Incident.objects.get(pk=incident.pk).status == to
    assert entry.payload["changes"][0] == {
        "name": "status",
        "old": origin.label,
        "new": to.label,
    }
    assert AuditEntry.objects.first().target == f"incident:{incident.pk}"


@pytest.mark.parametrize(
    ("origin", "to"), [pair for pair in MOVES if pair[1] not in TRANSITIONS[pair[0]]]
)
def test_every_other_move_is_refused(origin, to):
    olga = make.operator()
    incident = builders.at_status(origin, by=olga)
    entries = incident.timeline.count()

    with pytest.raises(operations.CannotChange, match="cannot become"):
        builders.moved(incident, to, by=olga, at=LATER)

    assert Incident.objects.get(pk=incident.pk).status == origin
    assert incident.timeline.count() == entries


def test_every_status_has_its_transitions():
    assert set(TRANSITIONS) == set(Status)


def test_resolving_what_was_never_mitigated_mitigates_it_at_the_same_moment():
    incident = builders.at_status(Status.RESOLVED, by=make.operator())

    assert incident.mitigated_at == incident.resolved_at == make.NOON + timedelta(minutes=1)


def test_resolving_keeps_when_it_was_mitigated():
    olga = make.operator()
    incident = builders.at_status(Status.MITIGATED, by=olga)

    builders.moved(incident, Status.RESOLVED, by=olga, at=LATER)

    assert incident.mitigated_at == make.NOON + timedelta(minutes=1)
    assert incident.resolved_at == LATER


def test_resolving_marks_the_end_and_reopening_takes_the_mark_away():
    olga = make.operator()
    incident = builders.at_status(Status.RESOLVED, by=olga)
    mark = ChangeEvent.objects.get(key=f"incident:{incident.pk}:resolved")

    builders.moved(incident, Status.INVESTIGATING, by=olga, at=LATER)

    assert mark.at == make.NOON + timedelta(minutes=1)
    assert not ChangeEvent.objects.filter(key=mark.key).exists()


def test_canceling_takes_the_mark_of_the_onset_away():
    builders.at_status(Status.CANCELED, by=make.operator())

    assert not ChangeEvent.objects.exists()


def test_reopening_takes_milestones_back_and_keeps_them_on_the_timeline():
    olga = make.operator()
    incident = builders.at_status(Status.CLOSED, by=olga)

    builders.moved(incident, Status.INVESTIGATING, by=olga, at=LATER)

    assert incident.mitigated_at is incident.resolved_at is incident.closed_at is None
    lost = incident.timeline.last().payload["changes"][1:]
    assert [change["name"] for change in lost] == ["mitigated_at", "resolved_at", "closed_at"]
    assert lost[0]["old"] == "2026-03-02T12:01:00+00:00"


@pytest.mark.parametrize("reason", ["", "         ", "too short"])
def test_reopening_needs_a_reason_of_ten_characters(reason):
    olga = make.operator()
    incident = builders.at_status(Status.RESOLVED, by=olga)

    with pytest.raises(operations.CannotChange, match="at least 10"):
        builders.moved(incident, Status.INVESTIGATING, by=olga, reason=reason)


def test_canceling_needs_a_reason_too():
    olga = make.operator()
    incident = builders.filed(olga)

    with pytest.raises(operations.CannotChange, match="at least 10"):
        builders.moved(incident, Status.CANCELED, by=olga, reason="no")


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


def test_command_is_handed_over_and_never_shared():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)

    operations.assign(
        incident=incident, version=1, role=IncidentRole.COMMANDER, to=omar, by=olga, at=LATER
    )

    assert holders(incident, IncidentRole.COMMANDER) == ["omar"]
    assert Assignment.objects.get(user=olga).renounced_at == LATER
    assert incident.timeline.last().sentence == "Incident Commander: olga → omar"


def test_experts_can_be_many():
    olga, omar = make.operator(), make.operator("omar")
    incident = builders.filed(olga)

    for person in (olga, omar):
        operations.assign(
            incident=incident,
            version=incident.version,
            role=IncidentRole.EXPERT,
            to=person,
            by=olga,
            at=LATER,
        )

    assert holders(incident, IncidentRole.EXPERT) == ["olga", "omar"]


def test_a_role_is_not_assigned_twice_to_the_same_person():
    olga = make.operator()

    with pytest.raises(operations.CannotChange, match="already"):
        operations.assign(
            incident=builders.filed(olga),
            version=1,
            role=IncidentRole.COMMANDER,
            to=olga,
            by=olga,
            at=LATER,
        )


@pytest.mark.parametrize("role", [role for role in IncidentRole if role != IncidentRole.OBSERVER])
def test_a_viewer_cannot_take_a_role_that_acts(role):
    olga = make.operator()

    with pytest.raises(operations.CannotChange, match="only observe"):
        operations.assign(
            incident=builders.filed(olga), version=1, role=role, to=make.user(), by=olga, at=LATER
        )


def test_a_viewer_may_observe():
    olga = make.operator()
    incident = builders.filed(olga)

    operations.assign(
        incident=incident, version=1, role=IncidentRole.OBSERVER, to=make.user(), by=olga, at=LATER
    )

    assert holders(incident, IncidentRole.OBSERVER) == ["vera"]


def test_the_commander_cannot_just_leave():
    olga = make.operator()
    incident = builders.filed(olga)

    with pytest.raises(operations.CannotChange, match="hand over"):
        operations.release(
            incident=incident,
            version=1,
            assignment=incident.assignments.get(),
            by=olga,
            at=LATER,
        )


def test_a_scribe_is_released_once():
    olga = make.operator()
    incident = builders.filed(olga)
    operations.assign(
        incident=incident, version=1, role=IncidentRole.SCRIBE, to=olga, by=olga, at=LATER
    )
    scribe = incident.assignments.get(role=IncidentRole.SCRIBE)
    operations.release(incident=incident, version=2, assignment=scribe, by=olga, at=LATER)

    with pytest.raises(operations.CannotChange, match="not Scribe any more"):
        operations.release(incident=incident, version=3, assignment=scribe, by=olga, at=LATER)

    assert holders(incident, IncidentRole.SCRIBE) == []
    assert Incident.objects.get().version == 3


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


@pytest.mark.parametrize(
    "rewrite",
    [
        lambda entries: entries.update(text="it was not us"),
        lambda entries: entries.all().delete(),
    ],
    ids=["update", "delete"],
)
def test_postgresql_refuses_to_rewrite_the_timeline(rewrite):
    entries = builders.filed(make.operator()).timeline

    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        rewrite(entries)


@pytest.mark.parametrize(
    "changes",
    [
        {"status": "ON_FIRE"},
        {"severity": "SEV0"},
        {"status": Status.MITIGATED},
        {"status": Status.RESOLVED, "mitigated_at": LATER},
        {"resolved_at": LATER},
        {"closed_at": LATER},
        {"status": Status.CANCELED},
        {"detected_at": builders.ONSET - timedelta(seconds=1)},
        {"impact_started_at": LATER},
        {
            "status": Status.RESOLVED,
            "mitigated_at": LATER,
            "resolved_at": LATER - timedelta(seconds=1),
        },
    ],
)
def test_postgresql_refuses_what_must_never_be_true(changes):
    incident = builders.filed(make.operator())

    with pytest.raises(IntegrityError), transaction.atomic():
        Incident.objects.filter(pk=incident.pk).update(**changes)


def test_postgresql_refuses_a_second_commander():
    incident = builders.filed(make.operator())

    with pytest.raises(IntegrityError), transaction.atomic():
        Assignment.objects.create(
            incident=incident,
            role=IncidentRole.COMMANDER,
            user=make.operator("omar"),
            assumed_at=LATER,
        )


def test_open_means_that_somebody_is_still_needed():
    olga = make.operator()

    states = {status: builders.at_status(status, by=olga).is_open for status in Status}

    assert {status for status, is_open in states.items() if is_open} == set(OPEN)
    assert Incident.objects.open().count() == len(OPEN)
