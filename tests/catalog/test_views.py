from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from tests import make

pytestmark = pytest.mark.django_db
FRAGMENT = {"HX-Request": "true", "HX-Target": "services"}


@pytest.fixture
def vera(client: Client) -> Client:
    client.force_login(make.user("vera"))
    return client


def test_a_service_is_listed_with_its_image_and_tasks(vera: Client) -> None:
    make.service(title="News API", owner="news", strategy="BLUE_GREEN")

    page = vera.get("/services/").content.decode()

    assert '<a class="name" href="/services/production-news-api/">News API</a>' in page
    assert "blue/green" in page
    assert "1.4.0" in page
    assert "2 / 2" in page


def test_a_service_with_too_few_tasks_is_marked(vera: Client) -> None:
    make.service(running_count=1, desired_count=2)

    page = vera.get("/services/").content.decode()

    assert "tone-warning" in page
    assert "short</span>" in page


def test_a_service_that_ecs_no_longer_lists_is_not_shown(vera: Client) -> None:
    make.service(gone_at=timezone.now())

    assert b"production/news-api" not in vera.get("/services/").content


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("?q=ingest", ["production-news-ingest"]),
        ("?q=NEWS&environment=staging", ["staging-news-api"]),
        ("?q=1.4.0", ["production-news-api", "production-news-ingest", "staging-news-api"]),
        ("?q=nothing", []),
    ],
)
def test_services_are_found_by_name_image_and_environment(
    vera: Client, query: str, found: list[str]
) -> None:
    make.service()
    make.service(name="news-ingest", title="News ingest")
    make.service(cluster="staging")

    services = vera.get(f"/services/{query}").context["services"]

    assert sorted(service.slug for service in services) == found


@pytest.mark.parametrize("path", ["/services/?q=%00", "/search/?q=%00", "/audit/?actor=%00"])
def test_a_query_that_postgresql_cannot_hold_is_ignored(vera: Client, path: str) -> None:
    make.service()

    assert vera.get(path).status_code == 200


def test_the_list_refreshes_without_its_page(vera: Client) -> None:
    make.service()

    page = vera.get("/services/", headers=FRAGMENT).content.decode()

    assert page.strip().startswith('<section id="services"')
    assert "<html" not in page


def test_an_unread_account_says_what_is_missing(vera: Client) -> None:
    assert "No AWS account has been read yet" in vera.get("/services/").content.decode()


def test_an_account_that_cannot_be_read_says_why(vera: Client) -> None:
    make.account(read_error="ecs:ListClusters: the credentials lack the permission")

    page = vera.get("/services/").content.decode()

    assert "could not be read: ecs:ListClusters" in page


def test_an_account_without_services_says_where_they_come_from(vera: Client) -> None:
    make.account()

    assert "has no ECS services in us-east-1" in vera.get("/services/").content.decode()


def test_an_empty_filter_leads_back_to_all_services(vera: Client) -> None:
    make.service()

    page = vera.get("/services/?q=nothing").content.decode()

    assert "No service matches this filter." in page
    assert "Show all services" in page


def test_a_list_of_many_services_takes_as_many_queries_as_one(
    vera: Client, django_assert_max_num_queries: object
) -> None:
    for number in range(30):
        make.service(name=f"service-{number}")
    vera.get("/services/")

    with django_assert_max_num_queries(8):
        vera.get("/services/")


def test_old_data_is_marked_stale(vera: Client) -> None:
    make.account(read_at=timezone.now() - timedelta(minutes=10))
    make.service()

    page = vera.get("/services/").content.decode()

    assert "is-stale" in page
