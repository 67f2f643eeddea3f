"""A GetCostAndUsage request, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sandbox.costexplorer.expressions import DIMENSIONS, Test, parse, refuse

COSTS = (
    "UnblendedCost",
    "AmortizedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "BlendedCost",
)
METRICS = (*COSTS, "UsageQuantity")
MONTHS_KEPT = 14
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class GroupBy:
    """A dimension's or a tag's key to group by."""

    kind: str
    key: str


@dataclass(frozen=True)
class Period:
    """From `start` to before `end`."""

    start: date
    end: date

    def as_dict(self) -> dict[str, str]:
        """The API's spelling."""
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Question:
    """What was asked: periods to report, metrics, grouping and a test for the lines."""

    periods: tuple[Period, ...]
    metrics: tuple[str, ...]
    group_by: tuple[GroupBy, ...]
    wanted: Test


def ask(parameters: Mapping[str, Any], now: datetime) -> Question:
    """The question a request asks; raises AwsError (ValidationException)."""
    whole = _whole(parameters["TimePeriod"], now.astimezone(UTC).date())
    metrics = tuple(parameters.get("Metrics") or ())
    if not metrics or not set(metrics) <= set(METRICS):
        raise refuse(f"Metrics must name some of {', '.join(METRICS)}.")
    groups = tuple(
        _group(group.get("Type", ""), group.get("Key", ""))
        for group in parameters.get("GroupBy") or ()
    )
    if len(groups) > 2:
        raise refuse("GroupBy can have at most two entries.")
    expression = parameters.get("Filter")
    wanted = parse(expression) if expression is not None else lambda _: True
    return Question(_periods(whole, parameters.get("Granularity")), metrics, groups, wanted)


def _whole(period: Mapping[str, str], today: date) -> Period:
    start, end = _date(period["Start"]), _date(period["End"])
    if start >= end:
        raise refuse("Start date (and hour) should be before end date (and hour).")
    if start < _months_before(today.replace(day=1), MONTHS_KEPT):
        raise refuse(f"You haven't enabled historical data beyond {MONTHS_KEPT} months.")
    if end > _next_month(today):
        raise refuse("end date past the beginning of next month.")
    return Period(start, end)


def _date(text: str) -> date:
    # Python's own parser takes weeks and days without hyphens as well.
    if not _DATE.fullmatch(text):
        raise refuse(f"Dates must look like 2026-01-31, not {text!r}.")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse(f"There is no such date: {text!r}.") from error


def _months_before(first: date, months: int) -> date:
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def _next_month(day: date) -> date:
    return (day.replace(day=28) + timedelta(days=4)).replace(day=1)


def _group(kind: str, key: str) -> GroupBy:
    if kind == "TAG" and key:
        return GroupBy(kind, key)
    if kind == "DIMENSION" and key in DIMENSIONS:
        return GroupBy(kind, key)
    raise refuse(f"Cannot group by {kind or '(no type)'} {key or '(no key)'}.")


def _periods(whole: Period, granularity: str | None) -> tuple[Period, ...]:
    if granularity not in {"DAILY", "MONTHLY"}:
        raise refuse("Granularity must be DAILY or MONTHLY; hourly data is not enabled.")
    found, start = [], whole.start
    while start < whole.end:
        following = start + timedelta(days=1) if granularity == "DAILY" else _next_month(start)
        found.append(Period(start, min(following, whole.end)))
        start = following
    return tuple(found)
