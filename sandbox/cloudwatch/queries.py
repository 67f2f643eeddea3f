"""GetMetricData's queries, checked."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.source import minute_of
from sandbox.cloudwatch.statistics import Statistic, UnknownStatistic, parse
from sandbox.errors import AwsError

MAX_QUERIES = 500
# Data are kept for 15 months, and accepted up to two hours ahead of time.
KEPT = timedelta(days=455)
AHEAD = timedelta(hours=2)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


def refuse(message: str) -> AwsError:
    """CloudWatch's error for a request that makes no sense."""
    return AwsError("ValidationError", message)


@dataclass(frozen=True)
class Window:
    """From minute `start` (inclusive) to minute `end` (exclusive), since 1970."""

    start: int
    end: int

    def slots(self, period: int) -> int:
        """How many periods of so many minutes begin in the window."""
        return max(-(-(self.end - self.start) // period), 0)


@dataclass(frozen=True)
class MetricStat:
    """One statistic of one metric every `period` minutes."""

    metric: Metric
    period: int
    statistic: Statistic
    unit: str | None


@dataclass(frozen=True)
class Query:
    """Either a statistic of a metric or an expression over other queries."""

    id: str
    stat: MetricStat | None
    expression: str | None
    label: str
    return_data: bool


def window(start: datetime, end: datetime, now: datetime) -> Window:
    """The minutes a query covers: Start rounded down as CloudWatch does, End exclusive.

    Raises AwsError if nothing lies between them.
    """
    start, end = _aware(start), _aware(end)
    if start >= end:
        raise refuse("The parameter StartTime must be less than the parameter EndTime.")
    grain = _grain(now - start)
    first = minute_of(start) // grain * grain
    last = minute_of(end) + (1 if end.timestamp() % 60 else 0)
    # Beyond these there is nothing to find, and a window of centuries has too many periods.
    oldest, newest = minute_of(now - KEPT) // 60 * 60, minute_of(now + AHEAD) + 1
    return Window(max(first, oldest), max(min(last, newest), oldest))


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _grain(age: timedelta) -> int:
    if age <= timedelta(days=15):
        return 1
    return 5 if age <= timedelta(days=63) else 60


def minutes_of(period: int) -> int:
    """A period in seconds as minutes; raises AwsError unless it is a multiple of 60."""
    if period <= 0 or period % 60:
        raise refuse(f"Period {period} is not a multiple of 60; high resolution is not kept.")
    return period // 60


def statistic(name: str) -> Statistic:
    """The statistic of that name; raises AwsError if there is none."""
    try:
        return parse(name)
    except UnknownStatistic as unknown:
        raise refuse(f"Invalid statistic: {unknown}") from unknown


def parse_queries(queries: Sequence[Mapping[str, Any]]) -> list[Query]:
    """The queries of one request; raises AwsError for the first that is not valid."""
    if not queries:
        raise refuse("The collection MetricDataQueries must not be empty.")
    if len(queries) > MAX_QUERIES:
        raise refuse(
            f"The collection MetricDataQueries must not have a size greater than {MAX_QUERIES}."
        )
    ids = [query["Id"] for query in queries]
    if len(set(ids)) < len(ids):
        raise refuse("The values for parameter id in MetricDataQueries are not unique.")
    return [_query(query) for query in queries]


def _query(query: Mapping[str, Any]) -> Query:
    name, stat, expression = query["Id"], query.get("MetricStat"), query.get("Expression")
    if not _ID.fullmatch(name):
        raise refuse(f"Id '{name}' must begin with a lowercase letter; letters, digits and _.")
    if (stat is None) == (expression is None):
        raise refuse(f"Query '{name}' must have either MetricStat or Expression, not both.")
    default = stat["Metric"].get("MetricName", name) if stat else name
    return Query(
        name,
        _metric_stat(stat) if stat else None,
        expression,
        query.get("Label") or default,
        query.get("ReturnData", True),
    )


def _metric_stat(stat: Mapping[str, Any]) -> MetricStat:
    asked = stat["Metric"]
    if not asked.get("Namespace") or not asked.get("MetricName"):
        raise refuse("Metric must have a Namespace and a MetricName.")
    metric = Metric.parse(asked["Namespace"], asked["MetricName"], asked.get("Dimensions", ()))
    period = minutes_of(stat["Period"])
    return MetricStat(metric, period, statistic(stat["Stat"]), stat.get("Unit"))
