"""What the page of an incident shows."""

from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine

from incidents.models import Incident, Status
from tests.incidents import builders
from tests.incidents.visits import HOSTILE, act, filing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands_at_noon")]


def test_hostile_text_is_text(client, olga):
    client.post("/incidents/new/", filing(title=HOSTILE, text=HOSTILE))
    incident = Incident.objects.get()

    pages = [client.get(url).text for url in ("/incidents/", incident.get_absolute_url())]

    for page in pages:
        assert "<script>alert" not in page
        assert "{{ 7|add:7 }}" in page


def test_a_pinned_entry_leads_the_timeline_until_it_is_unpinned(client, olga):
    incident = builders.filed(olga, text="the first thing")
    act(client, incident, "note", key=str(uuid.uuid4()), text="the newest thing")
    url = f"/incidents/{incident.pk}/timeline/{incident.timeline.first().pk}/pin/"

    client.post(url)
    pinned = client.get(incident.get_absolute_url()).text
    client.post(url, {"unpin": "1"})
    unpinned = client.get(incident.get_absolute_url()).text

    assert pinned.index("the first thing") < pinned.index("the newest thing")
    assert unpinned.index("the newest thing") < unpinned.index("the first thing")


def test_bookkeeping_is_folded_and_updates_are_not(client, olga):
    incident = builders.filed(olga)
    act(client, incident, "roles", role="SCRIBE", to=olga.pk)

    page = client.get(incident.get_absolute_url()).text

    folded = page[page.index('class="entry is-folded"') :]
    assert "1 change of roles or times" in folded
    assert "Scribe: none → olga" in folded


def test_the_page_says_what_changed_before_the_onset_and_links_the_board(client, olga):
    incident = builders.filed(olga)
    builders.change_event(incident.service)

    page = client.get(incident.get_absolute_url()).text

    assert "6\u202fm before onset" in page
    assert '<a href="/deployments/7/">Release 1.4.1</a>' in page
    assert "?from=2026-03-02T10%3A50Z&amp;to=2026-03-02T12%3A50Z" in page


def test_without_a_change_before_the_onset_the_page_says_so(client, olga):
    page = client.get(builders.filed(olga).get_absolute_url()).text

    assert "No change of News API is recorded in the 6 hours before the onset" in page


@pytest.mark.parametrize(
    ("severity", "words"),
    [("SEV2", "Next update due in"), ("SEV1", "Next update due in"), ("SEV4", "")],
)
def test_the_next_update_is_announced_by_severity(client, olga, severity, words):
    page = client.get(builders.filed(olga, severity=severity).get_absolute_url()).text

    assert ("Next update due in" in page) == bool(words)


def test_silence_longer_than_the_cadence_is_overdue(client, olga):
    incident = builders.filed(olga, severity="SEV1")

    with time_machine.travel(incident.timeline.get().recorded_at + timedelta(minutes=42)):
        client.force_login(olga)
        page = client.get(incident.get_absolute_url()).text

    assert "Update overdue by" in page


@pytest.mark.parametrize("part", ["status", "timeline"])
def test_live_parts_come_from_the_same_template(client, olga, part):
    headers = {"hx-request": "true", "hx-target": part}

    fragment = client.get(builders.filed(olga).get_absolute_url(), headers=headers).text

    assert f'id="{part}"' in fragment
    assert "<h1>" not in fragment
    assert 'hx-trigger="every 10s"' in fragment


def test_an_unchanged_timeline_is_not_sent_again(client, olga):
    incident = builders.filed(olga)
    headers = {"hx-request": "true", "hx-target": "timeline"}
    page = client.get(incident.get_absolute_url()).text
    seen = page.partition("?seen=")[2].partition('"')[0]
    url = f"{incident.get_absolute_url()}?seen={seen}"

    before = client.get(url, headers=headers).status_code
    act(client, incident, "note", key=str(uuid.uuid4()), text="news")

    assert before == 204
    assert client.get(url, headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (Status.INVESTIGATING, "22\u202fm</span> so far"),
        (Status.MITIGATED, "11\u202fm</span></p>"),
        (Status.RESOLVED, "11\u202fm</span></p>"),
        (Status.CANCELED, "11\u202fm</span></p>"),
    ],
)
def test_the_page_says_how_long_users_were_affected(client, olga, status, words):
    page = client.get(builders.at_status(status, by=olga).get_absolute_url()).text

    assert f'Users affected for</span> <span class="figure">{words}' in page


def test_an_incident_that_is_over_polls_no_more(client, olga):
    incident = builders.at_status(Status.RESOLVED, by=olga)

    assert (
        "hx-trigger"
        not in client.get(incident.get_absolute_url())
        .text.partition("<main")[2]
        .partition("</main>")[0]
    )
