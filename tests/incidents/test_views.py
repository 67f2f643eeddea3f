from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
import time_machine

from catalog.models import AuditEntry, Service
from incidents.models import Incident, IncidentRole, Severity, Status
from incidents.severity import LEVELS
from tests import make
from tests.incidents import builders

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert('🐙')</script>{{ 7|add:7 }}"


@pytest.fixture
def olga(client):
    person = make.operator()
    client.force_login(person)
    return person


@pytest.fixture(autouse=True)
def _the_clock_stands_at_noon():
    with time_machine.travel(make.NOON + timedelta(minutes=12), tick=False):
        yield


def act(client, incident, action, **fields):
    return client.post(
        f"/incidents/{incident.pk}/{action}/", {"version": incident.version, **fields}
    )


def filing(**changes):
    defaults = {
        "key": str(uuid.uuid4()),
        "title": "News API answers with 5xx",
        "service": (Service.objects.first() or make.service()).slug,
        "severity": "SEV2",
        "impact_started_at": "2026-03-02T11:50",
        "text": "",
    }
    return defaults | changes


READS = ["/incidents/", "/incidents/{pk}/"]
WRITES = [
    "/incidents/new/",
    "/incidents/{pk}/note/",
    "/incidents/{pk}/severity/",
    "/incidents/{pk}/status/",
    "/incidents/{pk}/roles/",
    "/incidents/{pk}/roles/{held}/release/",
    "/incidents/{pk}/milestones/",
    "/incidents/{pk}/timeline/{entry}/pin/",
]


def path(template: str) -> str:
    incident = builders.filed(make.operator("omar"))
    held, entry = incident.assignments.get(), incident.timeline.get()
    return template.format(pk=incident.pk, held=held.pk, entry=entry.pk)


@pytest.mark.parametrize("url", READS)
def test_a_stranger_is_sent_to_sign_in(client, url):
    response = client.get(path(url))

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize("url", READS)
def test_a_viewer_reads(client, url):
    client.force_login(make.user())

    assert client.get(path(url)).status_code == 200


@pytest.mark.parametrize("url", WRITES)
def test_a_stranger_writes_nothing(client, url):
    response = client.post(path(url), filing())

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")
    assert Incident.objects.get().version == 1


@pytest.mark.parametrize("url", WRITES)
def test_a_viewer_writes_nothing(client, url):
    client.force_login(make.user())

    response = client.post(path(url), filing())

    assert response.status_code == 403
    assert Incident.objects.get().version == 1


@pytest.mark.parametrize("url", [url for url in WRITES if "new" not in url])
def test_what_changes_something_cannot_be_fetched(client, olga, url):
    assert client.get(path(url)).status_code == 405


def test_a_viewer_sees_no_forms(client):
    client.force_login(make.user())

    page = client.get(path("/incidents/{pk}/")).text

    assert "Post update" not in page
    assert "<details" not in page.partition('<main id="main"')[2].partition("</main>")[0]


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


def test_hostile_text_is_text(client, olga):
    client.post("/incidents/new/", filing(title=HOSTILE, text=HOSTILE))
    incident = Incident.objects.get()

    pages = [client.get(url).text for url in ("/incidents/", incident.get_absolute_url())]

    for page in pages:
        assert "<script>alert" not in page
        assert "{{ 7|add:7 }}" in page


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


def test_the_loser_of_two_is_told_keeps_the_text_and_is_audited(client, olga):
    incident = builders.filed(olga)
    builders.moved(incident, Status.IDENTIFIED, by=make.operator("omar"))

    response = client.post(
        f"/incidents/{incident.pk}/status/",
        {"version": 1, "to": "RESOLVED", "reason": "typed for minutes"},
    )

    assert response.status_code == 409
    assert "omar was first" in response.text
    assert "typed for minutes" in response.text
    assert 'name="version" value="2"' in response.text
    assert AuditEntry.objects.first().outcome == "refused"
    assert Incident.objects.get().status == Status.IDENTIFIED


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


def test_who_looks_at_an_old_version_is_told_before_acting(client, olga):
    incident = builders.filed(olga)
    builders.moved(incident, Status.MITIGATED, by=make.operator("omar"))
    headers = {"hx-request": "true", "hx-target": "status"}

    fragment = client.get(f"{incident.get_absolute_url()}?version=1", headers=headers).text

    assert "Somebody changed this incident." in fragment
    assert "?version=1" in fragment


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


def test_the_list_puts_open_and_severe_incidents_first(client, olga):
    builders.at_status(Status.RESOLVED, by=olga, title="over", severity="SEV1")
    builders.filed(olga, title="minor", severity="SEV3")
    builders.filed(olga, title="major", severity="SEV2")

    page = client.get("/incidents/").text

    assert page.index("major") < page.index("minor") < page.index("over")


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ("state=open", {"minor", "staged"}),
        ("state=RESOLVED", {"over"}),
        ("severity=SEV3", {"minor"}),
        ("service=staging-news-api", {"staged"}),
        ("state=open&severity=SEV1", set()),
    ],
)
def test_the_list_is_filtered(client, olga, query, shown):
    builders.at_status(Status.RESOLVED, by=olga, title="over", severity="SEV1")
    builders.filed(olga, title="minor", severity="SEV3")
    builders.filed(olga, title="staged", service=make.service(cluster="staging"))

    page = client.get(f"/incidents/?{query}").text

    assert {title for title in ("over", "minor", "staged") if f"</a> {title}" in page} == shown
    assert ("No incident matches." in page) == (not shown)


def test_the_list_shows_medians_with_their_number(client, olga):
    builders.at_status(Status.RESOLVED, by=olga)
    builders.at_status(Status.CANCELED, by=olga)

    page = client.get("/incidents/").text

    row = page.partition("resolved (TTR)")[2].partition("</tr>")[0]
    assert "11\u202fm" in row
    assert '<td class="num" data-label="n">1</td>' in row


def test_the_list_has_pages_that_keep_the_filter(client, olga):
    for _ in range(26):
        builders.filed(olga)

    page = client.get("/incidents/?state=open").text

    assert "1–25 of 26" in page
    assert "?state=open&amp;page=2" in page
    assert "26–26 of 26" in client.get("/incidents/?state=open&page=2").text


def test_an_empty_list_says_what_to_do(client, olga):
    assert "No incident has been filed yet" in client.get("/incidents/").text


def test_an_unknown_incident_is_not_found(client, olga):
    assert client.get("/incidents/42/").status_code == 404


def test_pages_need_few_queries(client, olga, django_assert_max_num_queries):
    incident = builders.filed(olga)
    for number in range(5):
        act(client, incident, "note", key=str(uuid.UUID(int=number)), text="news")
    client.get("/incidents/")

    with django_assert_max_num_queries(10):
        client.get(incident.get_absolute_url())
    with django_assert_max_num_queries(8):
        client.get("/incidents/")
