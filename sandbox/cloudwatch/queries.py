"""GetMetricData's queries, checked."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from graphlib import CycleError, TopologicalSorter
from typing import Any

from sandbox.cloudwatch.metric_math import grammar
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.source import MINUTE
from sandbox.cloudwatch.statistics import Statistic, UnknownStatistic, parse
from sandbox.errors import AwsError
from sandbox.names import ACCOUNT

MAX_QUERIES = 500
HIGH_RESOLUTION = (1, 5, 10, 20, 30)
# Data are kept for 15 months, and accepted up to two hours ahead of time.
KEPT = timedelta(days=455)
AHEAD = timedelta(hours=2)
_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")
_INSIGHTS = re.compile(r"\s*SELECT\s", re.IGNORECASE)


def refuse(message: str) -> AwsError:
    """CloudWatch's error for a request that makes no sense."""
    return AwsError("ValidationError", message)


@dataclass(frozen=True)
class Window:
    """From `start` (inclusive) to `end` (exclusive), in seconds since 1970."""

    start: int
    end: int

    def slots(self, period: int) -> int:
        """How many periods of so many seconds begin in the window."""
        return max(-(-(self.end - self.start) // period), 0)


@dataclass(frozen=True)
class MetricStat:
    """One statistic of one metric every `period` seconds."""

    metric: Metric
    period: int
    stat: str
    statistic: Statistic
    unit: str | None


@dataclass(frozen=True)
class Query:
    """Either a statistic of a metric or an expression over other queries.

    `label` is None unless the caller gave one; `period` (seconds) is an expression's own.
    """

    id: str
    stat: MetricStat | None
    expression: grammar.Node | None
    label: str | None
    return_data: bool
    period: int | None = None


def window(start: datetime, end: datetime, now: datetime, grain: int = MINUTE) -> Window:
    """What a query covers: Start rounded down as CloudWatch does, End exclusive.

    `grain` are the seconds that Start is rounded to while it is younger than 15 days. Raises
    AwsError if nothing lies between them.
    """
    start, end = _aware(start), _aware(end)
    if start == end:
        raise refuse("The parameter StartTime must not equal parameter EndTime.")
    if start > end:
        raise refuse("The parameter StartTime must be less than the parameter EndTime.")
    coarse = _grain(now - start, grain)
    first = int(start.timestamp()) // coarse * coarse
    last = math.ceil(end.timestamp() / grain) * grain
    # Beyond these there is nothing to find, and a window of centuries has too many periods.
    oldest, newest = (int(at.timestamp()) // 3600 * 3600 for at in (now - KEPT, now + AHEAD))
    return Window(max(first, oldest), max(min(last, newest + 3600), oldest))


def grain_of(periods: Collection[int]) -> int:
    """To how many seconds the start of a query with these periods is rounded: 1 to 60."""
    return min(math.lcm(*periods), MINUTE) if periods else MINUTE


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _grain(age: timedelta, finest: int) -> int:
    if age <= timedelta(days=15):
        return finest
    return 300 if age <= timedelta(days=63) else 3600


def checked_period(period: int) -> int:
    """A period in seconds; raises AwsError for one that CloudWatch does not have."""
    if period not in HIGH_RESOLUTION and (period <= 0 or period % MINUTE):
        raise refuse(f"The value {period} for parameter Period is not 1, 5, 10, 20, 30 or n * 60.")
    return period


def is_statistic(name: str) -> bool:
    """Whether there is a statistic of that name."""
    try:
        parse(name)
    except UnknownStatistic:
        return False
    return True


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
    _check_statistics(queries)
    return [_query(query) for query in queries]


def _check_statistics(queries: Sequence[Mapping[str, Any]]) -> None:
    """Raise AwsError that tells every statistic there is none of, a line each."""
    lines = [
        f"The value for parameter MetricDataQueries.member.{number}.MetricStat.Stat is not a "
        "valid statistic."
        for number, query in enumerate(queries, start=1)
        if "MetricStat" in query and not is_statistic(query["MetricStat"]["Stat"])
    ]
    if lines:
        raise refuse("\n".join(lines))


def periods(queries: Sequence[Query]) -> set[int]:
    """Every period asked for; a SEARCH may read minutes."""
    asked = {query.stat.period for query in queries if query.stat}
    asked |= {query.period for query in queries if query.period}
    trees = [query.expression for query in queries if query.expression]
    searches = any(grammar.calls(tree, "SEARCH") for tree in trees)
    return asked | ({MINUTE} if searches else set())


def in_order(queries: Sequence[Query]) -> list[Query]:
    """Every query after those its expression refers to.

    Raises AwsError for an id that is not there and for an expression that needs itself.
    """
    if not any(query.expression for query in queries):
        return list(queries)
    known = {query.id: query for query in queries}
    needs: dict[str, set[str]] = {}
    for query in queries:
        needs[query.id] = set(grammar.names(query.expression)) if query.expression else set()
        for name in sorted(needs[query.id] - known.keys()):
            raise wrong(query.id, f"Unknown identifier '{name}'")
    try:
        return [known[name] for name in TopologicalSorter(needs).static_order()]
    except CycleError as error:
        circle = error.args[1]
        raise wrong(circle[0], f"Circular reference to '{circle[0]}'") from error


def wrong(query_id: str, reason: str) -> AwsError:
    """CloudWatch's error for an expression."""
    return refuse(f"Error in expression '{query_id}': {reason}")


def _query(query: Mapping[str, Any]) -> Query:
    name, stat, expression = query["Id"], query.get("MetricStat"), query.get("Expression")
    if not _ID.fullmatch(name):
        raise refuse(f"Id '{name}' must begin with a lowercase letter; letters, digits and _.")
    if (stat is None) == (expression is None):
        raise refuse(f"Query '{name}' must have either MetricStat or Expression, not both.")
    if query.get("AccountId") not in {None, ACCOUNT}:
        raise refuse(f"AccountId {query['AccountId']} is not linked to this account.")
    if query.get("Period") is not None and stat:
        raise refuse(f"Query '{name}' must not have a Period beside MetricStat.")
    return Query(
        name,
        _metric_stat(stat) if stat else None,
        _expression(name, expression) if expression is not None else None,
        query.get("Label"),
        query.get("ReturnData", True),
        checked_period(query["Period"]) if query.get("Period") else None,
    )


def _expression(name: str, text: str) -> grammar.Node:
    if _INSIGHTS.match(text):
        raise wrong(name, "Metrics Insights queries (SELECT) are not supported by this sandbox")
    try:
        return grammar.parse(text)
    except grammar.InvalidSyntax as error:
        raise wrong(name, "Invalid syntax") from error


def _metric_stat(stat: Mapping[str, Any]) -> MetricStat:
    asked = stat["Metric"]
    if not asked.get("Namespace") or not asked.get("MetricName"):
        raise refuse("Metric must have a Namespace and a MetricName.")
    metric = Metric.parse(asked["Namespace"], asked["MetricName"], asked.get("Dimensions", ()))
    name, period = stat["Stat"], checked_period(stat["Period"])
    return MetricStat(metric, period, name, statistic(name), stat.get("Unit"))
