"""What the forms of an incident do."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest

from incidents.models import Incident, IncidentRole, Severity, Status
from tests import make
from tests.incidents import builders
from tests.incidents.visits import act

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands_at_noon")]


def test_line_breaks_of_an_update_are_kept(client, olga):
    incident = builders.filed(olga)

    act(client, incident, "note", key=str(uuid.uuid4()), text="first\nsecond")

    assert ">first\nsecond</p>" in client.get(incident.get_absolute_url()).text


def test_each_form_does_what_it_says(client, olga):
    incident = builders.filed(olga)
    omar = make.operator("omar")
    answers = [
        act(client, incident, "severity", to="SEV1", reason="no healthy target"),
        client.post(
            f"/incidents/{incident.pk}/roles/",
            {"version": 2, "role": "COMMANDER", "to": omar.pk},
        ),
        client.post(
            f"/incidents/{incident.pk}/milestones/",
            {"version": 3, "milestone": "detected_at", "to": "2026-03-02T11:55"},
        ),
        client.post(f"/incidents/{incident.pk}/status/", {"version": 4, "to": "RESOLVED"}),
    ]

    incident.refresh_from_db()
    assert [answer.status_code for answer in answers] == [302] * 4
    assert (incident.severity, incident.status) == (Severity.SEV1, Status.RESOLVED)
    assert incident.assignments.get(user=omar).role == IncidentRole.COMMANDER
    assert incident.detected_at == make.NOON - timedelta(minutes=5)


def test_a_role_is_released(client, olga):
    incident = builders.filed(olga)
    act(client, incident, "roles", role="SCRIBE", to=olga.pk)
    scribe = incident.assignments.get(role="SCRIBE")

    client.post(f"/incidents/{incident.pk}/roles/{scribe.pk}/release/", {"version": 2})

    scribe.refresh_from_db()
    assert scribe.renounced_at == make.NOON + timedelta(minutes=12)


@pytest.mark.parametrize(
    ("action", "fields"),
    [
        ("severity", {"to": "SEV1"}),
        ("status", {"to": "ON_FIRE"}),
        ("status", {"to": "CLOSED"}),
        ("status", {"to": "CANCELED", "reason": "short"}),
        ("roles", {"role": "CAPTAIN", "to": "1"}),
        ("milestones", {"milestone": "closed_at", "to": "2026-03-02T12:00"}),
        ("note", {"key": str(uuid.UUID(int=1)), "text": ""}),
        ("note", {"key": str(uuid.UUID(int=1)), "text": "x" * 4001}),
        ("severity", {"to": "SEV1", "reason": "r", "version": "-1"}),
    ],
    ids=str,
)
def test_bad_input_changes_nothing_and_says_so(client, olga, action, fields):
    incident = builders.filed(olga)

    response = act(client, incident, action, **fields)

    assert response.status_code == 422
    assert "Not saved." in response.text
    assert Incident.objects.get().version == 1
    assert incident.timeline.count() == 1


def test_an_entry_of_another_incident_cannot_be_pinned_here(client, olga):
    incident, other = builders.filed(olga), builders.filed(olga)
    entry = other.timeline.get()

    response = client.post(f"/incidents/{incident.pk}/timeline/{entry.pk}/pin/")

    assert response.status_code == 404
