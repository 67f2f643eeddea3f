"""Who may read costs, and what every page of them keeps to."""

from __future__ import annotations

import csv
import io
from decimal import Decimal

import pytest

from aws import costexplorer
from costs import queries
from costs.models import CostFact
from tests import make
from tests.costs.builders import AT, TODAY, full

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands")]
HOSTILE = '=HYPERLINK("<script>alert(1)</script>")'
URLS = [
    "/costs/",
    "/costs/2026-10/",
    "/costs/2026-10.csv",
    "/costs/2026-10/service/?name=EC2+-+Other",
    "/costs/2026-10/service.csv?name=EC2+-+Other",
]


@pytest.mark.parametrize("url", URLS)
def test_a_stranger_is_sent_to_sign_in(client, ingested, url):
    ingested()

    response = client.get(url)

    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


@pytest.mark.parametrize("url", URLS)
@pytest.mark.parametrize("person", [make.user, make.operator])
def test_who_is_signed_in_reads_costs(client, ingested, url, person):
    ingested()
    client.force_login(person())

    assert client.get(url).status_code == 200


@pytest.mark.parametrize("url", URLS)
def test_nothing_can_be_posted(client, vera, url):
    assert client.post(url).status_code == 405


@pytest.mark.parametrize("url", URLS)
def test_a_page_view_asks_aws_nothing(client, vera, ingested, monkeypatch, url):
    ingested()
    asked = []
    monkeypatch.setattr(costexplorer, "get_cost_and_usage", lambda *a, **k: asked.append(a))

    client.get(url)

    assert asked == []


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "26-10", "2026-1"])
def test_no_such_month_is_not_found(client, vera, month):
    assert client.get(f"/costs/{month}/").status_code == 404


def test_hostile_names_are_text_in_pages_charts_and_spreadsheets(client, vera, ingested):
    ingested(lambda day: {(HOSTILE, "@SUM(A1)", "Usage"): "1.00"})

    page = client.get("/costs/").text
    sheet = client.get("/costs/2026-11.csv").text
    types = client.get("/costs/2026-11/service.csv", {"name": HOSTILE}).text

    assert "<script>alert" not in page
    assert next(csv.DictReader(io.StringIO(sheet)))["service"] == f"'{HOSTILE}"
    assert next(csv.DictReader(io.StringIO(types)))["usage_type"] == "'@SUM(A1)"


def test_pages_need_at_most_eight_queries(client, vera, ingested, django_assert_max_num_queries):
    ingested(full)
    client.get("/costs/")

    for url in ("/costs/", "/costs/2026-10/service/?name=EC2+-+Other"):
        with django_assert_max_num_queries(8):
            client.get(url)


def test_the_overview_gets_the_month_to_date_with_one_query(ingested, django_assert_num_queries):
    ingested(full)

    with django_assert_num_queries(1):
        found = queries.month_to_date(AT)

    assert (str(found.month), found.total, found.as_of) == ("2026-11", Decimal("33.85"), AT)


def test_no_month_to_date_is_none_and_not_zero():
    assert queries.month_to_date(AT).total is None


def test_today_is_in_the_month_to_date(ingested):
    ingested()

    assert CostFact.objects.filter(day=TODAY).exists()
    assert queries.month_to_date(AT).total == 22 * Decimal("1.33")
