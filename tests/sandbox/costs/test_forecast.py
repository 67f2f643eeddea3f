"""Forecasts: what is asked for, how wide the interval is, and how close to the truth it comes."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.costexplorer import forecast
from sandbox.costexplorer.forecast import Outlook, TooYoung
from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, Books, dimension, total

TODAY = NOW.date()
NAT = dimension("USAGE_TYPE", "NatGateway-Hours")


@pytest.fixture(scope="module")
def books(tmp_path_factory):
    found = Books(tmp_path_factory.mktemp("forecast"))
    yield found
    found.close()


def ask(books, start, end, granularity="MONTHLY", metric="UNBLENDED_COST", **parameters):
    operation = "get_usage_forecast" if "US" in metric[:2] else "get_cost_forecast"
    period = {"Start": str(start), "End": str(end)}
    return books.call(
        operation, TimePeriod=period, Granularity=granularity, Metric=metric, **parameters
    )


def steady(value, days=62, until=date(2026, 3, 20)):
    """So many days of one value; the first of a month costs 30 more."""
    found = [until - timedelta(days=back) for back in range(1, days + 1)]
    return {day: value + (30.0 if day.day == 1 else 0.0) for day in found}


def test_steady_days_go_on_and_the_first_costs_its_lump():
    ahead = forecast.outlook(steady(10.0), date(2026, 3, 20))

    assert ahead == Outlook(level=10.0, lump=30.0, spread=0.0)
    assert (ahead.day(date(2026, 3, 31)), ahead.day(date(2026, 4, 1))) == (10.0, 40.0)


def test_a_step_of_a_week_ago_is_believed():
    daily = steady(10.0)
    newest = sorted(daily)[-7:]
    stepped = daily | dict.fromkeys(newest, 6.0)

    assert forecast.outlook(stepped, date(2026, 3, 20)).level == 6.0


def test_one_day_s_spike_does_not_move_the_level():
    daily = steady(10.0) | {date(2026, 3, 18): 90.0}

    assert forecast.outlook(daily, date(2026, 3, 20)).level == 10.0


def test_accounts_younger_than_a_billing_cycle_have_no_outlook():
    with pytest.raises(TooYoung):
        forecast.outlook(steady(10.0, days=27), date(2026, 3, 20))


def test_a_higher_level_makes_a_wider_interval_and_time_too():
    ahead = Outlook(level=10.0, lump=0.0, spread=2.0)

    assert ahead.margin(1, 80) == pytest.approx(2 * 1.2816, rel=1e-3)
    assert ahead.margin(1, 95) > ahead.margin(1, 80)
    assert ahead.margin(4, 80) == pytest.approx(2 * ahead.margin(1, 80))


def test_daily_forecasts_have_a_day_each_and_add_up(books):
    answer = ask(books, TODAY, TODAY + timedelta(days=5), "DAILY", PredictionIntervalLevel=90)

    results = answer["ForecastResultsByTime"]
    assert [r["TimePeriod"]["Start"] for r in results] == [
        str(TODAY + timedelta(days=number)) for number in range(5)
    ]
    means = [Decimal(r["MeanValue"]) for r in results]
    assert sum(means) == Decimal(answer["Total"]["Amount"])
    for result in results:
        low, high = (Decimal(result[f"PredictionInterval{b}Bound"]) for b in ("Lower", "Upper"))
        assert low < Decimal(result["MeanValue"]) < high


@pytest.mark.parametrize("day", [3, 8, 16, 25])
def test_the_running_month_is_forecast_within_four_per_cent(tmp_path, day):
    then = Books(tmp_path, datetime(2026, 9, day, 21, 0, tzinfo=UTC))
    first, following = date(2026, 9, 1), date(2026, 10, 1)

    (result,) = ask(then, then.now.date(), following)["ForecastResultsByTime"]

    then.now = NOW
    actual = total(then.pages(first, following, "MONTHLY"))
    assert result["TimePeriod"] == {"Start": "2026-09-01", "End": "2026-10-01"}
    assert Decimal(result["MeanValue"]) == pytest.approx(actual, rel=Decimal("0.04"))
    then.close()


def test_usage_in_one_unit_is_forecast(books):
    answer = ask(books, TODAY, TODAY + timedelta(days=1), "DAILY", "USAGE_QUANTITY", Filter=NAT)

    assert answer["Total"]["Unit"] == "Hrs"
    assert Decimal(answer["Total"]["Amount"]) == pytest.approx(48)


def test_every_forecast_is_charged(tmp_path):
    books = Books(tmp_path)
    for _ in range(2):
        ask(books, TODAY, TODAY + timedelta(days=1), "DAILY")
    books.now += timedelta(days=2)

    requests = dimension("SERVICE", "AWS Cost Explorer")

    assert books.cost(TODAY, Filter=requests) == Decimal("0.02")
    books.close()


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"start": TODAY - timedelta(days=1)}, "ValidationException"),
        ({"end": TODAY}, "ValidationException"),
        ({"granularity": "HOURLY"}, "ValidationException"),
        ({"granularity": "DAILY", "end": TODAY + timedelta(days=94)}, "ValidationException"),
        ({"end": date(2028, 6, 1)}, "ValidationException"),
        ({"metric": "UnblendedCost"}, "ValidationException"),
        ({"PredictionIntervalLevel": 50}, "ValidationException"),
        ({"PredictionIntervalLevel": 100}, "ValidationException"),
        ({"Filter": dimension("PLANET", "Earth")}, "ValidationException"),
        ({"metric": "USAGE_QUANTITY"}, "UnresolvableUsageUnitException"),
        ({"Filter": dimension("SERVICE", "Amazon Mars")}, "DataUnavailableException"),
        ({"BillingViewArn": "arn:aws:billing::1:billingview/x"}, "ResourceNotFoundException"),
    ],
)
def test_forecasts_that_cannot_be_made_are_refused(books, parameters, code):
    given = {"start": TODAY, "end": TODAY + timedelta(days=9)} | parameters
    start, end = given.pop("start"), given.pop("end")

    with pytest.raises(AwsError) as refused:
        ask(books, start, end, **given)

    assert refused.value.code == code
