"""Schedule expressions run when their guide says."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.autoscaling import schedules
from sandbox.errors import AwsError

START = datetime(2026, 3, 4, 10, 7, tzinfo=UTC)  # a Wednesday
moments = st.integers(0, 5 * 366 * 86400).map(lambda seconds: START + timedelta(seconds=seconds))


def runs(expression, count=1, *, zone=None, after=START, start=START):
    schedule = schedules.parse(expression, zone)
    found = []
    for _ in range(count):
        after = schedule.next_after(after, start)
        found.append(after and f"{after:%m-%d %H:%M}")
    return found


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("cron(0 10 * * ? *)", ["03-05 10:00", "03-06 10:00"]),
        ("cron(15 12 * * ? *)", ["03-04 12:15", "03-05 12:15"]),
        ("cron(0 18 ? * MON-FRI *)", ["03-04 18:00", "03-05 18:00", "03-06 18:00", "03-09 18:00"]),
        ("cron(0 8 1 * ? *)", ["04-01 08:00", "05-01 08:00"]),
        ("cron(0/15 * * * ? *)", ["03-04 10:15", "03-04 10:30"]),
        ("cron(0/10 * ? * MON-FRI *)", ["03-04 10:10", "03-04 10:20"]),
        ("cron(0/5 8-17 ? * MON-FRI *)", ["03-04 10:10", "03-04 10:15"]),
        ("cron(30 6 ? * 2 *)", ["03-09 06:30", "03-16 06:30"]),
        ("cron(30 0 6 ? * 3#2 *)", ["03-10 06:00", "04-14 06:00"]),
        ("cron(0 6 ? * 6L *)", ["03-27 06:00", "04-24 06:00"]),
        ("cron(0 6 L * ? *)", ["03-31 06:00", "04-30 06:00"]),
        ("cron(0 6 15W * ? *)", ["03-16 06:00", "04-15 06:00"]),
        ("cron(0 0 1 JAN,JUL ? *)", ["07-01 00:00", "01-01 00:00"]),
        ("cron(0 6 * * ? 2025)", [None]),
        ("rate(5 hours)", ["03-04 15:07", "03-04 20:07"]),
        ("rate(1 day)", ["03-05 10:07"]),
        ("at(2026-03-31T22:00:00)", ["03-31 22:00", None]),
        ("at(2026-03-01T22:00:00)", [None]),
    ],
)
def test_an_expression_runs_when_the_guide_says(expression, expected):
    schedule = schedules.parse(expression)
    after, found = START, []
    for _ in expected:
        after = schedule.next_after(after, START) if after else None
        found.append(after and f"{after:%m-%d %H:%M}")

    assert found == expected


def test_a_time_zone_moves_at_and_cron_and_follows_summer_time():
    at = runs(
        "at(2026-01-31T17:00:00)", zone="America/New_York", after=datetime(2026, 1, 1, tzinfo=UTC)
    )
    cron = runs(
        "cron(0 9 ? * SUN *)",
        2,
        zone="America/New_York",
        after=datetime(2026, 3, 1, 20, tzinfo=UTC),
    )
    beyond = runs(
        "cron(0 9 ? * SUN *)", zone="America/New_York", after=datetime(2026, 2, 27, tzinfo=UTC)
    )

    assert at == ["01-31 22:00"]
    assert beyond == ["03-01 14:00"]
    assert cron == ["03-08 13:00", "03-15 13:00"]


def test_a_rate_with_a_start_time_begins_there():
    start = START + timedelta(hours=2)

    assert runs("rate(5 hours)", 2, start=start) == ["03-04 12:07", "03-04 17:07"]


@pytest.mark.parametrize(
    "expression",
    [
        "every day",
        "rate(0 minutes)",
        "rate(1 minutes)",
        "rate(2 minute)",
        "rate(2 weeks)",
        "at(tomorrow)",
        "cron(0 10 * *)",
        "cron(0 10 1 * MON *)",
        "cron(60 10 * * ? *)",
        "cron(0 10 32 * ? *)",
        "cron(0 10 ? * FOO *)",
        "cron(5-1 10 * * ? *)",
    ],
)
def test_what_is_no_expression_is_refused(expression):
    with pytest.raises(AwsError, match="is not valid") as refused:
        schedules.parse(expression)

    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize("zone", ["Mars/Olympus", "Europe"])
def test_what_is_no_time_zone_is_refused(zone):
    with pytest.raises(AwsError, match="Timezone"):
        schedules.parse("cron(0 10 * * ? *)", zone)


@given(moments, st.sampled_from(["cron(0/7 3,9-11 ? * TUE-THU *)", "rate(90 minutes)"]))
def test_the_next_run_is_later_and_none_lies_between(moment, expression):
    schedule = schedules.parse(expression)

    following = schedule.next_after(moment, START)

    assert following > moment
    assert schedule.next_after(following - timedelta(seconds=1), START) == following
