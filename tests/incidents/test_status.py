"""Every move between statuses, made or refused, and what it leaves on the timeline."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog.models import AuditEntry, ChangeEvent
from incidents import operations
from incidents.models import (
    TRANSITIONS,
    Incident,
    Status,
)
from tests import make
from tests.incidents import builders
from tests.incidents.builders import LATER

pytestmark = pytest.mark.django_db
MOVES = [(origin, to) for origin in Status for to in Status if origin != to]


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
