"""What the page of a month says, and what it does not claim."""

from __future__ import annotations

import json
from datetime import date

import pytest
import time_machine

from tests import make
from tests.costs import builders
from tests.costs.builders import AT, NAT, full, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands")]


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
