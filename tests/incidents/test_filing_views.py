"""The form that files an incident."""

from __future__ import annotations

import pytest

from incidents.models import Incident
from incidents.severity import LEVELS
from tests import make
from tests.incidents import builders
from tests.incidents.visits import filing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands_at_noon")]


def test_the_filing_form_prints_the_criteria_and_both_clocks(client):
    client.force_login(make.operator(time_zone="Asia/Tokyo"))

    page = client.get("/incidents/new/").text

    assert all(criterion in page for level in LEVELS for criterion in level.criteria)
    assert "It is now 12:12 UTC, 21:12 in Asia/Tokyo." in page
    assert 'value="2026-03-02T12:12"' in page


@pytest.mark.parametrize("zone", ["UTC", "Middle/Earth", "../etc/passwd"])
def test_a_zone_that_says_nothing_leaves_utc(client, zone):
    client.force_login(make.operator(time_zone=zone))

    assert "It is now 12:12 UTC." in client.get("/incidents/new/").text


def test_service_and_title_come_from_the_link(client, olga):
    make.service()

    page = client.get("/incidents/new/?service=production-news-api&title=5xx").text

    assert 'value="5xx"' in page
    assert '<option value="production-news-api" selected>' in page


def test_filing_leads_to_the_incident(client, olga):
    response = client.post("/incidents/new/", filing(text="Since 11:50."))

    incident = Incident.objects.get()
    assert response.url == f"/incidents/{incident.pk}/"
    assert incident.impact_started_at == builders.ONSET
    assert incident.timeline.get().text == "Since 11:50."


def test_a_double_submit_files_one_incident(client, olga):
    form = filing()

    answers = [client.post("/incidents/new/", form).url for _ in range(2)]

    assert answers[0] == answers[1]
    assert Incident.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"title": ""}, "This field is required"),
        ({"title": "x" * 201}, "at most 200"),
        ({"severity": "SEV9"}, "not one of the available choices"),
        ({"service": "nowhere"}, "not one of the available choices"),
        ({"impact_started_at": "yesterday"}, "Enter a valid date/time"),
        ({"impact_started_at": "2026-03-02T12:13"}, "cannot start in the future"),
        ({"key": "42"}, "Enter a valid UUID"),
    ],
)
def test_a_bad_filing_is_shown_again_with_the_reason(client, olga, changes, why):
    response = client.post("/incidents/new/", filing(text="typed for minutes") | changes)

    assert response.status_code == 422
    assert why in response.text
    assert "typed for minutes" in response.text
    assert not Incident.objects.exists()
