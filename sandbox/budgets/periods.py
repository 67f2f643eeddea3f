"""The periods that budgets renew in. Pure."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

from sandbox.costexplorer.questions import Period, next_month

# How many periods DescribeBudgetPerformanceHistory shows when none are asked for.
SHOWN = {"DAILY": 60, "MONTHLY": 12, "QUARTERLY": 4, "ANNUALLY": 1}


def containing(unit: str, day: date) -> Period:
    """The DAILY, MONTHLY, QUARTERLY or ANNUALLY period of a day."""
    return _BY_UNIT[unit](day)


def before(unit: str, period: Period) -> Period:
    """The period before another one."""
    return containing(unit, period.start - timedelta(days=1))


def _day(day: date) -> Period:
    return Period(day, day + timedelta(days=1))


def _month(day: date) -> Period:
    return Period(day.replace(day=1), next_month(day))


def _quarter(day: date) -> Period:
    first = day.replace(month=(day.month - 1) // 3 * 3 + 1, day=1)
    return Period(first, next_month(next_month(next_month(first))))


def _year(day: date) -> Period:
    return Period(date(day.year, 1, 1), date(day.year + 1, 1, 1))


_BY_UNIT: dict[str, Callable[[date], Period]] = {
    "DAILY": _day,
    "MONTHLY": _month,
    "QUARTERLY": _quarter,
    "ANNUALLY": _year,
}
UNITS = tuple(_BY_UNIT)
