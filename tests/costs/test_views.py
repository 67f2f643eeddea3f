from __future__ import annotations

import csv
import io
import json
from datetime import date, timedelta
from decimal import Decimal

import pytest
import time_machine

from aws import costexplorer
from costs import operations, queries
from costs.models import CostFact
from tests import make
from tests.costs import builders
from tests.costs.builders import AT, TODAY

pytestmark = pytest.mark.django_db
NAT = ("EC2 - Other", "NatGateway-Hours", "Usage")
TAX = ("Tax", "NoUsageType", "Tax")
CREDIT = ("EC2 - Other", "NatGateway-Hours", "Credit")
HOSTILE = '=HYPERLINK("<script>alert(1)</script>")'
URLS = [
    "/costs/",
    "/costs/2026-10/",
    "/costs/2026-10.csv",
    "/costs/2026-10/service/?name=EC2+-+Other",
    "/costs/2026-10/service.csv?name=EC2+-+Other",
]


@pytest.fixture(autouse=True)
def _the_clock_stands():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def vera(client):
    client.force_login(make.user())


@pytest.fixture
def ingested(monkeypatch):
    """Read a bill as the task would; without `lines`, the same costs every day."""

    def ingest(lines=None):
        make.account()
        monkeypatch.setattr(costexplorer, "get_cost_and_usage", builders.bill(lines))
        while operations.ingest(at=AT):
            pass

    return ingest


def full(day):
    """NAT for 1.08 a day (2 on Nov 5), tax on the first, a credit in October."""
    lines = {NAT: "2.00" if day == date(2026, 11, 5) else "1.08"}
    if day.day == 1:
        lines[TAX] = "9.17"
    if day == date(2026, 10, 1):
        lines[CREDIT] = "-25.00"
    return lines


def text(response) -> str:
    """The main part of the page with its white space collapsed."""
    main = response.text.partition('<main id="main"')[2].partition("</main>")[0]
    return " ".join(main.split())


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


def test_the_running_month_is_compared_by_complete_days(client, vera, ingested):
    ingested(full)

    page = text(client.get("/costs/"))

    # 21 x 1.08 + 2.00 + 9.17, and of 20 days 19 x 1.08 + 2.00 + 9.17 against 20 x 1.08 + 9.17.
    assert "$33.85</span> to date" in page
    assert "estimated" in page
    assert "($31.69 against $30.77)" in page
    assert "1–20 November against 1–20 October" in page
    assert "+$0.92" in page


def test_a_month_that_is_over_names_the_calendar(client, vera, ingested):
    ingested(full)

    page = text(client.get("/costs/2026-10/"))

    assert "all of October 2026 against all of September 2026" in page
    assert "estimated" not in page
    assert "31 days against 30, for what runs around the clock" in page


def test_net_includes_credits_in_a_section_of_their_own(client, vera, ingested):
    ingested(full)

    gross = text(client.get("/costs/2026-10/"))
    net = text(client.get("/costs/2026-10/?view=net"))

    assert "$42.65</span>" in gross
    assert "Credits and refunds" not in gross
    assert "$17.65</span>" in net
    assert "Credits and refunds" in net


def test_taxes_are_never_spread_over_services(client, vera, ingested):
    ingested(full)

    page = text(client.get("/costs/2026-10/"))

    assert "Taxes, support and fees" in page
    assert page.index("EC2 - Other") < page.index("Taxes, support and fees")


def test_the_chart_and_its_twin_say_the_same(client, vera, ingested):
    ingested(full)

    response = client.get("/costs/")
    figure = json.loads(
        response.text.partition('<script id="daily" type="application/json">')[2].partition(
            "</script>"
        )[0]
    )

    assert [trace["name"] for trace in figure["data"]] == ["EC2 - Other", "Tax"]
    assert [trace["meta"]["signal"] for trace in figure["data"]] == ["cost1", "cost2"]
    assert figure["data"][0]["y"][4] == 2.0
    assert len(figure["data"][0]["x"]) == 22
    assert '<th scope="row">2026-11-05</th><td class="num">$2.00</td>' in text(response)
    assert 'data-figure="daily"' in response.text


def test_more_than_seven_services_leave_everything_else_in_the_eighth_colour(
    client, vera, ingested
):
    services = {(f"Service {n}", "Hours", "Usage"): f"{n}.00" for n in range(1, 11)}
    ingested(lambda day: services)

    response = client.get("/costs/")

    figure = json.loads(response.context["figure"] and json.dumps(response.context["figure"]))
    assert len(figure["data"]) == 8
    assert figure["data"][7]["name"] == "Everything else"
    assert figure["data"][7]["y"][0] == 1 + 2 + 3


def test_services_below_half_a_cent_are_counted_not_listed(client, vera, ingested):
    ingested(lambda day: {NAT: "1.08", ("Amazon SNS", "Requests", "Usage"): "0.0001"})

    page = text(client.get("/costs/"))
    everything = text(client.get("/costs/?all=1"))

    assert "1 service below half a cent is not shown" in page
    assert "Amazon SNS" not in page
    assert "Amazon SNS" in everything


def test_rows_that_miss_the_total_by_rounding_say_so(client, vera, ingested):
    ingested(
        lambda day: (
            {(f"Service {name}", "x", "Usage"): "0.333" for name in "abc"}
            if day == date(2026, 11, 1)
            else {}
        )
    )

    page = text(client.get("/costs/"))

    assert "Rounding and rows not shown" in page
    assert "$1.00</span> to date" in page


def test_without_figures_for_the_month_before_nothing_is_compared(client, vera):
    builders.fact()

    page = text(client.get("/costs/2026-11/"))

    assert "Nothing to compare with: October 2026 is not known by the day." in page
    assert "Why it changed" not in page


def test_on_the_second_no_day_is_complete(client, vera):
    with time_machine.travel(AT.replace(day=2), tick=False):
        client.force_login(make.user("vito"))
        builders.fact(as_of=AT.replace(day=2))
        builders.fact(day=date(2026, 10, 1), estimated=False)

        page = text(client.get("/costs/"))

    assert "no day of this month has arrived completely" in page


def test_a_month_read_whole_has_no_chart_and_says_why(client, vera, ingested):
    ingested()

    page = text(client.get("/costs/2026-05/"))

    assert "This month was read as a whole, not by day" in page
    assert "data-figure" not in page


def test_restated_figures_are_counted(client, vera):
    builders.fact(day=date(2026, 10, 5), estimated=False, restated=True)

    assert "AWS changed 1 figure of this month" in text(client.get("/costs/2026-10/"))


def test_before_the_first_reading_the_page_says_when_it_will_be(client, vera):
    page = text(client.get("/costs/"))

    assert "No costs yet." in page
    assert "0 of at most 12 charged requests today ($0.00)" in page


def test_a_month_without_costs_leads_to_the_newest_one(client, vera, ingested):
    ingested()

    page = text(client.get("/costs/2024-01/"))

    assert "No costs of this month are known." in page
    assert 'href="/costs/2026-11/"' in page


def test_on_the_first_nothing_has_arrived_yet(client):
    builders.fact(day=date(2026, 10, 31))
    with time_machine.travel(AT.replace(day=1), tick=False):
        client.force_login(make.user())
        page = text(client.get("/costs/"))

    assert "Nothing of this month has arrived from Cost Explorer yet." in page


def test_a_missing_permission_is_named_and_the_old_figures_stay(client, vera, ingested):
    ingested()
    builders.run(
        status="FAILED",
        error="ce:GetCostAndUsage: the credentials lack the permission",
        missing_action="ce:GetCostAndUsage",
        charged_requests=0,
        started_at=AT + timedelta(seconds=1),
    )

    page = text(client.get("/costs/"))

    assert "lack the permission <code>ce:GetCostAndUsage</code>" in page
    assert "What was read before stays." in page
    assert "to date" in page


def test_a_failure_before_any_data_shows_the_error_and_no_zero(client, vera):
    builders.run(status="FAILED", error="ce:GetCostAndUsage: AWS did not answer.")

    page = text(client.get("/costs/"))

    assert "AWS did not answer." in page
    assert "$0.00</span>" not in page


def test_old_data_says_since_when(client, vera, ingested):
    ingested()

    with time_machine.travel(AT + timedelta(hours=37), tick=False):
        client.force_login(make.user("vito"))
        page = text(client.get("/costs/"))

    assert "No data since" in page


def test_charged_requests_are_shown_with_their_price(client, vera, ingested):
    ingested()

    assert (
        "4 of at most 12 charged requests today ($0.04), 4 this month ($0.04), $0.01 each."
        in text(client.get("/costs/"))
    )


def test_usage_types_show_quantity_unit_and_price(client, vera, ingested):
    ingested(full)

    page = text(client.get("/costs/2026-10/service/?name=EC2+-+Other"))

    row = page.partition("NatGateway-Hours")[2].partition("</tr>")[0]
    assert ">744<" in row
    assert ">Hrs<" in row
    assert ">0.045<" in row
    assert "credits and refunds" in page


def test_an_unknown_service_is_not_found(client, vera, ingested):
    ingested()

    assert client.get("/costs/2026-10/service/?name=Amazon+Nothing").status_code == 404
    assert client.get("/costs/2026-10/service/").status_code == 404


@pytest.mark.parametrize("month", ["2026-13", "2026-00", "26-10", "2026-1"])
def test_no_such_month_is_not_found(client, vera, month):
    assert client.get(f"/costs/{month}/").status_code == 404


def test_the_csv_has_exact_amounts_of_the_same_rows(client, vera, ingested):
    ingested(full)

    response = client.get("/costs/2026-10.csv?view=net")

    rows = list(csv.DictReader(io.StringIO(response.text)))
    assert {
        row["service"]: row["usd"] for row in rows if row["section"] != "Credits and refunds"
    } == {
        "EC2 - Other": "33.48",
        "Tax": "9.17",
    }
    assert sum(Decimal(row["usd"]) for row in rows) == Decimal("17.65")
    assert response["Content-Disposition"] == 'attachment; filename="costs-2026-10-net.csv"'


def test_the_csv_of_a_service_has_its_usage_types(client, vera, ingested):
    ingested(full)

    response = client.get("/costs/2026-10/service.csv?name=EC2+-+Other")

    (row,) = csv.DictReader(io.StringIO(response.text))
    assert (row["usage_type"], row["quantity"], row["usd"]) == ("NatGateway-Hours", "744", "33.48")


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
