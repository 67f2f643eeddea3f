"""The list of incidents."""

from __future__ import annotations

import pytest

from incidents.models import Status
from tests import make
from tests.incidents import builders

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands_at_noon")]


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
