from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring import ranges
from monitoring.ranges import BadRange
from tests import make

AT = make.NOON + timedelta(seconds=42)


def test_a_preset_ends_with_the_last_whole_minute():
    found = ranges.parse({"range": "1h"}, at=AT)

    assert (found.start, found.end) == (make.NOON - timedelta(hours=1), make.NOON)
    assert found.query == "range=1h"
    assert found.permalink == "from=2026-03-02T11:00Z&to=2026-03-02T12:00Z"


def test_nothing_asked_for_is_the_default():
    assert ranges.parse({}, at=AT).name == ranges.DEFAULT


def test_fixed_times_are_utc_unless_they_say_otherwise():
    found = ranges.parse({"from": "2026-03-02T10:00", "to": "2026-03-02T12:30+01:00"}, at=AT)

    assert found.query == "from=2026-03-02T10:00Z&to=2026-03-02T11:30Z"
    assert found.name == ""


def test_without_an_end_a_range_ends_now():
    assert ranges.parse({"from": "2026-03-02T10:00"}, at=AT).end == make.NOON


@pytest.mark.parametrize(
    ("hours", "step"),
    [(1, 60), (48, 60), (49, 300), (168, 300), (169, 1800), (455 * 24, 1800)],
)
def test_longer_ranges_have_longer_steps(hours, step):
    begin = make.NOON - timedelta(hours=hours)

    found = ranges.parse({"from": begin.isoformat(), "to": make.NOON.isoformat()}, at=AT)

    assert found.step == step


@given(st.dictionaries(st.sampled_from(["from", "to", "range"]), st.text(max_size=30)))
def test_any_text_is_a_range_or_refused(parameters):
    try:
        found = ranges.parse(parameters, at=AT)
    except BadRange:
        return

    assert found.start < found.end
    assert found.end - found.start <= ranges.LONGEST


@given(st.datetimes(min_value=make.NOON.replace(year=1990, tzinfo=None)), st.integers(1, 10_000))
def test_a_permalink_names_the_same_range(start, minutes):
    try:
        found = ranges.parse(
            {"from": start.isoformat(), "to": (start + timedelta(minutes=minutes)).isoformat()},
            at=AT,
        )
    except (BadRange, OverflowError):
        return
    parameters = dict(part.split("=") for part in found.permalink.split("&"))

    assert ranges.parse(parameters, at=AT) == found
