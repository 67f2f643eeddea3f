"""Rounding timestamps to periods, in UTC."""

from __future__ import annotations

from datetime import UTC, datetime

from sandbox.logs.insights.syntax import Period
from sandbox.logs.insights.values import Timestamp

_WEEK = 7 * 86_400_000
# 1970-01-05, the first Monday: weeks begin on Mondays.
_MONDAY = 4 * 86_400_000


def floor(at: int, period: Period) -> Timestamp:
    """The beginning of the period that `at` (milliseconds since 1970) lies in."""
    if period.months:
        return _month(at, period.months, 0)
    offset = _MONDAY if period.milliseconds % _WEEK == 0 else 0
    return Timestamp((at - offset) // period.milliseconds * period.milliseconds + offset)


def ceil(at: int, period: Period) -> Timestamp:
    """The end of that period, or `at` itself where one begins."""
    begin = floor(at, period)
    if begin == at:
        return begin
    if period.months:
        return _month(at, period.months, 1)
    return Timestamp(begin + period.milliseconds)


def _month(at: int, months: int, further: int) -> Timestamp:
    moment = datetime.fromtimestamp(at / 1000, UTC)
    count = moment.year * 12 + moment.month - 1
    year, month = divmod(count // months * months + further * months, 12)
    return Timestamp(datetime(year, month + 1, 1, tzinfo=UTC).timestamp() * 1000)
