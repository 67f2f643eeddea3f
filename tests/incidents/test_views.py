"""Who may read and write incidents, and what each is told."""

from __future__ import annotations

import uuid

import pytest

from catalog.models import AuditEntry
from incidents.models import Incident, Status
from tests import make
from tests.incidents import builders
from tests.incidents.visits import act, filing

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands_at_noon")]
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


def test_who_looks_at_an_old_version_is_told_before_acting(client, olga):
    incident = builders.filed(olga)
    builders.moved(incident, Status.MITIGATED, by=make.operator("omar"))
    headers = {"hx-request": "true", "hx-target": "status"}

    fragment = client.get(f"{incident.get_absolute_url()}?version=1", headers=headers).text

    assert "Somebody changed this incident." in fragment
    assert "?version=1" in fragment


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
