"""What the pages say of figures that are missing, old or still to come."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine

from tests import make
from tests.costs import builders
from tests.costs.builders import AT, text

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_clock_stands")]


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
