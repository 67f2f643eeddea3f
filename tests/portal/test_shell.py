from __future__ import annotations

import uuid
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from catalog.models import Service
from incidents.models import Incident
from portal import navigation, notices, search
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def nothing_cached():
    caches["local"].clear()


@pytest.fixture
def vera(client: Client) -> Client:
    client.force_login(make.user("vera"))
    return client


def incident(service: Service, severity: str = "SEV2", **changes: object) -> Incident:
    at = timezone.now() - timedelta(minutes=12)
    defaults = {
        "title": "5xx on the front page",
        "impact_started_at": at,
        "declared_at": at,
        "filing_key": uuid.uuid4(),
    }
    return Incident.objects.create(service=service, severity=severity, **defaults | changes)


def banners() -> list[notices.Banner]:
    caches["local"].clear()
    return notices.current().banners


def test_a_major_incident_is_on_every_page(vera: Client) -> None:
    make.account(read_at=timezone.now())
    found = incident(make.service())

    page = vera.get("/search/").content.decode()

    assert "<strong>SEV2</strong> 5xx on the front page" in page
    assert f'<a href="{found.get_absolute_url()}">Open INC-{found.pk}</a>' in page


def test_a_minor_incident_raises_no_banner() -> None:
    make.account(read_at=timezone.now())
    incident(make.service(), severity="SEV3")

    assert banners() == []


def test_an_incident_that_has_ended_raises_no_banner() -> None:
    make.account(read_at=timezone.now())
    incident(make.service(), status="CANCELED", closed_at=timezone.now())

    assert banners() == []


def test_aws_that_cannot_be_read_is_the_loudest_about_data() -> None:
    make.account(read_error="ecs:ListClusters: access denied", read_at=timezone.now())

    (banner,) = banners()

    assert (banner.tone, banner.text) == ("danger", "ecs:ListClusters: access denied")


def test_stale_data_is_said_on_every_page() -> None:
    make.account(read_at=timezone.now() - timedelta(minutes=4))

    (banner,) = banners()

    assert (banner.tone, banner.label) == ("warning", "Stale data.")


def test_fresh_data_needs_no_words() -> None:
    make.account(read_at=timezone.now() - timedelta(minutes=2))

    assert banners() == []


def test_the_accounts_own_notice_is_shown(vera: Client) -> None:
    make.account(read_at=timezone.now(), notice="Sandbox: a deployment minute takes 6 s")

    assert "a deployment minute takes 6 s" in vera.get("/search/").content.decode()


def test_the_banners_cost_two_queries_and_then_none(
    django_assert_num_queries: object, time_machine: object
) -> None:
    time_machine.move_to(make.NOON, tick=False)
    make.account()

    with django_assert_num_queries(2):
        notices.current()
    with django_assert_num_queries(0):
        notices.current()


def test_a_stranger_sees_neither_sections_nor_banners(client: Client) -> None:
    make.account(read_error="ecs:ListClusters: access denied")

    page = client.get("/accounts/login/").content.decode()

    assert "access denied" not in page
    assert "Deployments" not in page


@pytest.mark.parametrize(
    ("path", "title"),
    [
        ("/", "Overview"),
        ("/services/", "Services"),
        ("/services/production-news-api/", "Services"),
        ("/deployments/42/", "Deployments"),
        ("/deployments/approvals/", "Approvals"),
        ("/incidents/7/", "Incidents"),
        ("/audit/", "Audit"),
    ],
)
def test_the_section_one_is_in_is_marked(path: str, title: str) -> None:
    assert [s.title for s in navigation.sections(path) if s.current] == [title]


def test_elsewhere_no_section_is_marked() -> None:
    assert not any(section.current for section in navigation.sections("/people/"))


def test_every_section_has_a_key_of_its_own() -> None:
    keys = [section.key for section in navigation.sections("/")]

    assert len(set(keys)) == len(keys)


def test_searching_finds_services_incidents_and_pages() -> None:
    service = make.service(title="News API")
    filed = incident(service, title="News is slow")

    assert [(f.kind, f.title) for f in search.find("news")] == [
        ("service", "News API · production"),
        ("incident", f"INC-{filed.pk} News is slow"),
    ]
    assert [f.title for f in search.find("audit")] == ["Audit"]


@pytest.mark.parametrize("typed", ["INC-{}", "inc-{}", "{}"])
def test_an_incident_is_found_by_its_number(typed: str) -> None:
    filed = incident(make.service())

    found = search.find(typed.format(filed.pk))

    assert [f.url for f in found if f.kind == "incident"] == [filed.get_absolute_url()]


@pytest.mark.parametrize("typed", ["9" * 30, "%", "_", "'; drop table", "\\"])
def test_searching_for_anything_is_harmless(vera: Client, typed: str) -> None:
    assert vera.get("/search/", {"q": typed}).status_code == 200


def test_an_empty_search_offers_all_pages_first() -> None:
    make.service()

    found = search.find("")

    assert (found[0].title, found[-1].kind) == ("Overview", "service")


def test_the_palette_gets_only_the_results(vera: Client) -> None:
    headers = {"HX-Request": "true", "HX-Target": "results"}

    page = vera.get("/search/?q=audit", headers=headers).content.decode()

    assert page.strip().startswith('<div id="results">')


def test_searching_for_what_does_not_exist_says_so(vera: Client) -> None:
    page = vera.get("/search/?q=<b>").content.decode()

    assert "Nothing is called “&lt;b&gt;”." in page
