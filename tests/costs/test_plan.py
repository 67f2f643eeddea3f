from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from costs import plan
from costs.plan import Run, Window
from tests.costs.builders import AT

FIRST = Window("DAILY", date(2026, 10, 1), date(2026, 11, 23))
HISTORY = Window("MONTHLY", date(2025, 11, 1), date(2026, 10, 1))


def run(window=FIRST, status="SUCCEEDED", started_at=AT, charged=3):
    return Run(window, status, started_at, charged)


def due(*runs, at=AT, requests_a_day=12):
    return plan.next_window(runs, at=at, requests_a_day=requests_a_day)


def next_at(*runs, at=AT, requests_a_day=12):
    return plan.next_at(runs, at=at, requests_a_day=requests_a_day)


def test_the_first_reading_is_the_two_newest_months_by_day():
    assert due() == FIRST


def test_then_come_the_months_before_as_whole_months():
    assert due(run()) == HISTORY


def test_after_that_nothing_is_due_until_tomorrow_at_eight():
    runs = [run(), run(HISTORY)]

    assert due(*runs) is None
    assert next_at(*runs) == datetime(2026, 11, 23, 8, tzinfo=UTC)
    assert due(*runs, at=datetime(2026, 11, 23, 7, 59, tzinfo=UTC)) is None


def test_the_next_day_the_last_ten_days_are_read_again():
    tomorrow = AT + timedelta(days=1)

    window = due(run(), run(HISTORY), at=tomorrow)

    assert window == Window("DAILY", date(2026, 11, 13), date(2026, 11, 24))


@pytest.mark.parametrize(("day", "start"), [(10, date(2026, 11, 1)), (11, date(2026, 12, 1))])
def test_the_month_before_is_read_again_until_the_tenth(day, start):
    at = datetime(2026, 12, day, 9, tzinfo=UTC)
    runs = [
        run(),
        run(HISTORY),
        run(
            started_at=at - timedelta(days=1), window=Window("DAILY", date(2026, 11, 1), at.date())
        ),
    ]

    assert due(*runs, at=at).start == start


def test_after_a_month_of_silence_the_gap_is_read_too():
    window = due(run(), run(HISTORY), at=AT + timedelta(days=40))

    assert window == Window("DAILY", date(2026, 11, 22), date(2027, 1, 2))


def test_after_two_years_of_silence_only_what_aws_still_has_is_asked():
    window = due(run(), run(HISTORY), at=AT + timedelta(days=800))

    assert window.start == date(2028, 1, 1)


def test_the_day_s_allowance_is_never_exceeded():
    runs = [run(charged=12)]

    assert due(*runs) is None
    assert next_at(*runs) == datetime(2026, 11, 23, tzinfo=UTC)
    assert due(*runs, at=datetime(2026, 11, 23, tzinfo=UTC)) == HISTORY


@pytest.mark.parametrize(("failures", "minutes"), [(1, 2), (2, 4), (3, 8), (5, 32), (9, 240)])
def test_after_failures_the_next_attempt_waits_ever_longer(failures, minutes):
    runs = [
        run(status="FAILED", charged=0, started_at=AT - timedelta(minutes=ago))
        for ago in range(failures)
    ]

    assert due(*runs) is None
    assert next_at(*runs) == AT + timedelta(minutes=minutes)
    assert due(*runs, at=AT + timedelta(minutes=minutes)) == FIRST


def test_a_success_ends_the_waiting():
    runs = [run(status="FAILED", started_at=AT - timedelta(minutes=20)), run()]

    assert due(*runs) == HISTORY


def test_a_running_attempt_is_no_failure():
    assert due(run(status="RUNNING")) == FIRST


def test_history_that_never_was_read_ends_where_the_daily_figures_begin():
    runs = [run(window=Window("DAILY", date(2026, 11, 1), date(2026, 11, 23)))]

    assert due(*runs) == Window("MONTHLY", date(2025, 11, 1), date(2026, 11, 1))


@given(st.integers(0, 3652 * 24))
def test_every_window_is_one_that_cost_explorer_answers(hours):
    at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(hours=hours)
    first = due(at=at)
    history = due(run(first, started_at=at), at=at)

    for window in (first, history):
        assert window.start < window.end <= at.date() + timedelta(days=1)
        assert (at.date() - window.start).days < 13 * 31
    assert history.end == first.start
    assert history.start.day == history.end.day == 1
