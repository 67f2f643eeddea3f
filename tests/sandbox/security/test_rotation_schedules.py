"""The window of a rotation opens and ends when the rules of its secret say."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import AwsError
from sandbox.secrets import schedule
from tests.sandbox.security.asking import code

MONDAY = datetime(2026, 3, 2, 9, 15, tzinfo=UTC)


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"AutomaticallyAfterDays": 1}, "2026-03-03T23:59:59"),
        ({"AutomaticallyAfterDays": 30, "Duration": "3h"}, "2026-04-01T02:59:59"),
        ({"ScheduleExpression": "rate(4 hours)"}, "2026-03-02T13:59:59"),
        ({"ScheduleExpression": "rate(10 days)"}, "2026-03-12T23:59:59"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)"}, "2026-04-01T23:59:59"),
        ({"ScheduleExpression": "cron(0 8 1 * ? *)", "Duration": "2h"}, "2026-04-01T09:59:59"),
        ({"ScheduleExpression": "cron(0 16 ? * SAT,SUN *)"}, "2026-03-07T23:59:59"),
        ({"ScheduleExpression": "cron(0 */8 * * ? *)"}, "2026-03-02T16:59:59"),
        ({"ScheduleExpression": "cron(0 8 29 2 ? *)"}, "2028-02-29T23:59:59"),
    ],
)
def test_the_window_of_a_schedule_ends_when_aws_says(rules, expected):
    assert schedule.due(rules, MONDAY).isoformat() == f"{expected}+00:00"


@pytest.mark.parametrize(
    "rules",
    [
        {"ScheduleExpression": "cron(15 8 1 * ? *)"},
        {"ScheduleExpression": "cron(0 8 L * ? *)"},
        {"ScheduleExpression": "cron(0 8 30 2 ? *)"},
        {"ScheduleExpression": "every day"},
        {"AutomaticallyAfterDays": 0},
        {"AutomaticallyAfterDays": 1, "ScheduleExpression": "rate(1 day)"},
        {"AutomaticallyAfterDays": 1, "Duration": "25h"},
    ],
)
def test_a_schedule_that_cannot_be_kept_is_refused(rules):
    with pytest.raises(AwsError) as refused:
        schedule.check(rules)

    assert code(refused) == "InvalidParameterException"


@given(
    days=st.integers(1, 1000),
    at=st.integers(0, 4 * 10**9).map(lambda seconds: datetime.fromtimestamp(seconds, UTC)),
)
def test_a_window_always_opens_later_and_closes_on_its_own_day(days, at):
    rules = {"AutomaticallyAfterDays": days}

    opens, due = schedule.opens(rules, at), schedule.due(rules, at)

    assert at < opens < due
    assert opens.date() == due.date() == (at + timedelta(days=days)).date()
