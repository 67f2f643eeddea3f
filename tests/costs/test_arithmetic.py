from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import comparison, rounding, sparklines, words
from costs.comparison import Driver, Effects, Line
from costs.months import Comparable, Month, Span, comparable, tomorrow

USD = st.decimals(-(10**7), 10**7, places=10, allow_nan=False)
QUANTITY = st.none() | st.decimals(0, 10**9, places=6, allow_nan=False)
LINES = st.builds(Line, USD, QUANTITY, st.sampled_from(["Hrs", "GB", "LCU-Hrs", ""]))
DAYS = st.integers(1, 31)
MONTHS = st.builds(Month, st.integers(2000, 2090), st.integers(1, 12))
OCTOBER = Month(2026, 10)


def split(before, now, days_before=30, days_now=31):
    return comparison.effects(before, now, days_before=days_before, days_now=days_now)


def hours(cost, quantity):
    return Line(Decimal(cost), Decimal(quantity), "Hrs")


@given(LINES, LINES, DAYS, DAYS)
def test_effects_add_up_to_the_change_exactly(before, now, days_before, days_now):
    parts = comparison.effects(before, now, days_before=days_before, days_now=days_now)

    assert parts.total == now.cost - before.cost


@given(st.lists(st.tuples(LINES, LINES), max_size=20), DAYS, DAYS)
def test_effects_of_many_lines_add_up_to_the_change_exactly(pairs, days_before, days_now):
    parts = [
        comparison.effects(before, now, days_before=days_before, days_now=days_now)
        for before, now in pairs
    ]

    change = sum((now.cost - before.cost for before, now in pairs), Decimal(0))
    assert comparison.total(parts).total == change


def test_a_longer_month_of_the_same_machine_is_the_calendar_and_nothing_else():
    """RDS, June to July 2023, from a real bill: 720 to 744 hours at 0.018."""
    parts = split(hours("12.96", 720), hours("13.392", 744))

    assert parts == Effects(calendar=Decimal("0.432"))


def test_more_hours_than_the_calendar_has_are_usage():
    parts = split(hours("72.0", 720), hours("148.8", 1488))

    assert (parts.calendar, parts.usage, parts.rate) == (Decimal("2.4"), Decimal("74.4"), 0)


def test_a_higher_price_for_the_same_hours_is_the_rate():
    parts = split(hours("72.0", 720), hours("144.0", 720), days_now=30)

    assert parts == Effects(rate=Decimal(72))


@pytest.mark.parametrize("unit", ["GB", "GB-Mo", "LCU-Hrs", "Requests"])
def test_what_follows_the_traffic_has_no_calendar(unit):
    parts = split(Line(Decimal(30), Decimal(300), unit), Line(Decimal(31), Decimal(310), unit))

    assert parts == Effects(usage=Decimal(1))


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        (hours(0, 0), hours(5, 10), Effects(new=Decimal(5))),
        (hours(5, 10), hours(0, 0), Effects(removed=Decimal(-5))),
        (Line(Decimal(3), None, ""), Line(Decimal(4), None, ""), Effects(other=Decimal(1))),
        (hours(3, 5), Line(Decimal(4), Decimal(5), "GB"), Effects(other=Decimal(1))),
        (hours(3, 0), hours(4, 5), Effects(other=Decimal(1))),
        (hours(0, 5), hours(4, 5), Effects(rate=Decimal(4))),
    ],
    ids=["new", "removed", "no quantity", "other unit", "cost without quantity", "free before"],
)
def test_what_has_no_price_before_has_a_name_of_its_own(before, now, expected):
    assert split(before, now, days_now=30) == expected


def test_a_millionth_that_became_millions_says_nothing_about_a_price():
    parts = split(hours(9999999, "0.000000000001"), hours(1, 10**15))

    assert parts == Effects(other=1 - Decimal(9999999))


def test_the_driver_is_the_largest_effect_of_any_usage_type():
    parts = {
        "NatGateway-Hours": Effects(calendar=Decimal("2.16")),
        "NatGateway-Bytes": Effects(usage=Decimal("-24.41"), rate=Decimal("0.001")),
    }

    assert comparison.driver(parts) == Driver("usage", "NatGateway-Bytes", Decimal("-24.41"))


def test_nothing_that_changed_has_no_driver():
    assert comparison.driver({"a": Effects()}) is None


@pytest.mark.parametrize(
    ("effect", "amount", "said"),
    [
        ("calendar", 1, "31 days instead of 30: x"),
        ("usage", 1, "more usage: x"),
        ("usage", -1, "less usage: x"),
        ("rate", 1, "higher price: x"),
        ("rate", -1, "lower price: x"),
        ("new", 1, "new: x"),
        ("removed", -1, "gone: x"),
        ("other", 1, "billed more: x"),
        ("other", -1, "billed less: x"),
    ],
)
def test_drivers_are_said_in_words(effect, amount, said):
    spans = comparable(OCTOBER, as_of=datetime(2026, 11, 9, tzinfo=UTC))

    assert words.driver(Driver(effect, "x", Decimal(amount)), spans) == said


@given(MONTHS)
def test_months_are_half_open_and_follow_each_other(month):
    following = month.following()

    assert month.end == following.first
    assert following.previous() == month
    assert (month.end - month.first).days == month.days
    assert Month.parse(str(month)) == month
    assert Month.of(month.end - timedelta(days=1)) == month


@given(MONTHS, st.integers(0, 60))
def test_so_many_months_before_is_stepping_back_so_often(month, count):
    stepped = month
    for _ in range(count):
        stepped = stepped.previous()

    assert month.before(count) == stepped


def test_a_month_is_utc_wherever_the_clock_is():
    moment = datetime.fromisoformat("2026-11-01T01:00:00+02:00")

    assert Month.at(moment) == OCTOBER
    assert tomorrow(moment) == date(2026, 11, 1)


@pytest.mark.parametrize("text", ["2026-13", "2026", "november", "2026-11-01"])
def test_no_such_month_is_an_error(text):
    with pytest.raises(ValueError, match=r"Invalid isoformat|month must be"):
        Month.parse(text)


def test_a_month_that_is_over_is_compared_whole():
    spans = comparable(OCTOBER, as_of=datetime(2026, 11, 2, 8, tzinfo=UTC))

    assert spans == Comparable(
        Span(date(2026, 10, 1), date(2026, 11, 1), whole=True),
        Span(date(2026, 9, 1), date(2026, 10, 1), whole=True),
    )


def test_a_running_month_is_compared_by_the_days_that_have_arrived():
    spans = comparable(Month(2026, 11), as_of=datetime(2026, 11, 22, 8, tzinfo=UTC))

    assert spans.now == Span(date(2026, 11, 1), date(2026, 11, 21), whole=False)
    assert spans.before == Span(date(2026, 10, 1), date(2026, 10, 21), whole=False)


def test_march_is_compared_with_as_many_days_as_february_has():
    spans = comparable(Month(2026, 3), as_of=datetime(2026, 3, 31, 8, tzinfo=UTC))

    assert spans.now.days == spans.before.days == 28


@pytest.mark.parametrize("day", [1, 2])
def test_at_the_start_of_a_month_nothing_is_compared(day):
    assert comparable(Month(2026, 11), as_of=datetime(2026, 11, day, 23, tzinfo=UTC)) is None


@given(MONTHS, st.integers(-40, 80))
def test_compared_spans_are_whole_months_or_equally_long(month, offset):
    as_of = datetime.combine(month.first, datetime.min.time(), UTC) + timedelta(days=offset)

    spans = comparable(month, as_of=as_of)

    if spans:
        assert spans.now.whole or spans.now.days == spans.before.days
        assert spans.now.end <= as_of.date()
        assert month.previous().first == spans.before.start < spans.before.end <= month.first


@pytest.mark.parametrize(
    ("exact", "rounded"),
    [("0.005", "0.01"), ("0.0049", "0.00"), ("-0.005", "-0.01"), ("2.675", "2.68")],
)
def test_halves_of_a_cent_round_away_from_zero(exact, rounded):
    assert rounding.cents(Decimal(exact)) == Decimal(rounded)


def test_less_than_half_a_cent_is_not_shown_as_nothing():
    assert rounding.shown(Decimal("0.0049")) == Decimal("0.0049")
    assert rounding.shown(Decimal("1.239")) == Decimal("1.24")


@given(st.lists(USD, max_size=30))
def test_rows_and_their_rounding_make_the_total(rows):
    total = sum(rows, Decimal(0))

    shown = sum((rounding.cents(row) for row in rows), Decimal(0))

    assert shown + rounding.difference(rows, total) == rounding.cents(total)


@pytest.mark.parametrize(
    ("cost", "quantity", "price"),
    [("66.96", "1488", "0.045"), ("1", "3", "0.333333"), ("1", "0", ""), ("1", None, "")],
)
def test_the_price_of_a_unit_is_the_cost_over_the_quantity(cost, quantity, price):
    found = rounding.unit_price(Decimal(cost), Decimal(quantity) if quantity else None)

    assert words.price(found) == price


def test_a_sparkline_goes_from_zero_to_the_top():
    assert sparklines.path([Decimal(0), Decimal(4), Decimal(2)]) == "M0,15L30,1L60,8"


def test_a_sparkline_of_a_credit_goes_below_zero():
    assert sparklines.path([Decimal(1), Decimal(-1)]) == "M0,1L60,15"


@pytest.mark.parametrize("values", [[], [Decimal(1)]], ids=["none", "one"])
def test_a_line_needs_two_values(values):
    assert sparklines.path(values) == ""


@given(st.lists(USD, min_size=2, max_size=40))
def test_a_sparkline_stays_in_its_box(values):
    points = sparklines.path(values).removeprefix("M").split("L")

    heights = [float(point.split(",")[1]) for point in points]
    assert all(1 <= height <= 15 for height in heights)
