from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ui import formats
from ui.formats import THIN


def spaced(text: str) -> str:
    return text.replace(THIN, " ")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.218, "218 ms"),
        (1.2412, "1.24 s"),
        (0, "0 ms"),
        (0.9996, "1 s"),
        (0.99949, "999 ms"),
        (0.0000123, "0.0123 ms"),
        (12.34, "12.3 s"),
    ],
)
def test_latency_is_in_milliseconds_up_to_one_second(seconds: float, text: str) -> None:
    assert spaced(formats.milliseconds(seconds)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(18.2, "18.2/s"), (1240, "1.24 k/s"), (0, "0/s"), (0.0001, "<0.001/s"), (999.9, "1 k/s")],
)
def test_rates(value: float, text: str) -> None:
    assert spaced(formats.rate(value)) == text


@pytest.mark.parametrize(
    ("ratio", "text"),
    [(0.041, "4.1 %"), (0.00312, "0.312 %"), (1, "100 %"), (0, "0 %"), (0.000001, "<0.001 %")],
)
def test_a_ratio_is_shown_as_percent(ratio: float, text: str) -> None:
    assert spaced(formats.percent(ratio)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("456.85", "$456.85"),
        ("0.004", "<$0.01"),
        ("0.005", "$0.01"),
        ("0", "$0.00"),
        ("-3", "-$3.00"),
        ("-0.001", "-<$0.01"),
        ("14220.1", "$14,220.10"),
    ],
)
def test_money_is_exact_to_the_cent_and_never_shown_as_nothing(value: str, text: str) -> None:
    assert formats.usd(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("14.2", "+$14.20"),
        ("-14.2", "-$14.20"),
        ("0", "$0.00"),
        ("0.001", "<$0.01 more"),
        ("-0.001", "<$0.01 less"),
    ],
)
def test_a_change_of_money_has_its_sign(value: str, text: str) -> None:
    assert formats.usd_change(Decimal(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (999, "999"), (1000, "1 k"), (1236, "1.24 k"), (3.5e6, "3.5 M")]
)
def test_counts(value: float, text: str) -> None:
    assert spaced(formats.count(value)) == text


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0 B"), (512, "512 B"), (1536, "1.5 KiB"), (5 * 2**30, "5 GiB")]
)
def test_bytes(value: int, text: str) -> None:
    assert spaced(formats.bytes_(value)) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (252, "4 m 12 s"),
        (timedelta(hours=3), "3 h"),
        (timedelta(days=1, seconds=59), "1 d"),
        (0, "0 s"),
        (0.4, "<1 s"),
        (60, "1 m"),
        (3599.6, "1 h"),
        (-90, "-1 m 30 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(value: float | timedelta, text: str) -> None:
    assert spaced(formats.duration(value)) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "just now"),
        (59, "59 s ago"),
        (720, "12 m ago"),
        (-10_800, "in 3 h"),
        (90_000, "1 d ago"),
    ],
)
def test_a_moment_is_as_far_away_as_its_largest_unit(seconds: int, text: str) -> None:
    at = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert spaced(formats.ago(at - timedelta(seconds=seconds), at)) == text


@pytest.mark.parametrize("nothing", [None, "", float("nan"), float("inf"), Decimal("NaN"), True])
def test_what_is_no_number_is_no_data(nothing: object) -> None:
    assert formats.number(nothing) is None


@given(st.floats(min_value=1e-6, max_value=1e12))
def test_three_digits_are_never_more_than_half_a_percent_off(value: float) -> None:
    text = formats.significant(value)

    shown = float(text.replace(",", ""))
    assert abs(shown - value) <= value * 0.00501
    assert "e" not in text.lower()
