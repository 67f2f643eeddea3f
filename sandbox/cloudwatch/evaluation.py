"""The values of GetMetricData's queries over one window, each computed once and only if asked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

import numpy as np

from sandbox.cloudwatch import labels
from sandbox.cloudwatch.metric_math import grammar, search
from sandbox.cloudwatch.metric_math.evaluator import Evaluator
from sandbox.cloudwatch.metric_math.values import Array, Series, Value, WrongExpression
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.periods import Periods, gather
from sandbox.cloudwatch.points import NO_POINTS
from sandbox.cloudwatch.queries import (
    MetricStat,
    Query,
    Window,
    checked_period,
    in_order,
    statistic,
    wrong,
)
from sandbox.cloudwatch.source import MINUTE, Source, minute_of
from sandbox.cloudwatch.statistics import is_told

_SEARCHED = timedelta(days=14)


@dataclass(frozen=True)
class Result:
    """One line of the answer: its query, its finished label and its values."""

    query: Query
    label: str
    series: Series


class Evaluation:
    """Answers for the queries of one request; raises AwsError for what cannot be evaluated."""

    def __init__(
        self,
        *,
        queries: Sequence[Query],
        window: Window,
        source: Source,
        now: datetime,
        zone: tzinfo = UTC,
    ) -> None:
        self._order = in_order(queries)
        self._queries = {query.id: query for query in queries}
        self._window = window
        self._source = source
        self._now = now
        self._zone = zone
        self._values: dict[str, Value] = {}
        # The periods of the metric asked for last: its statistics usually follow one another.
        self._latest: tuple[object, Periods] | None = None
        self.searched = 0

    @property
    def start(self) -> int:
        """When the window begins, in seconds since 1970."""
        return self._window.start

    def results(self, query: Query) -> list[Result]:
        """One result, or as many as an expression has series."""
        self._prepare(query)
        value = self._values[query.id]
        if isinstance(value, float):
            raise wrong(query.id, "The expression must return a time series, not a scalar")
        if isinstance(value, Series):
            return [Result(query, self._label(query, value, value.label or query.id), value)]
        return [Result(query, self._label_in_array(query, series), series) for series in value]

    def value(self, name: str) -> Value:
        """The value of a query that was computed before (see `in_order`) or is a metric."""
        if name not in self._values:
            self._values[name] = self._compute(self._queries[name])
        return self._values[name]

    def metrics(self) -> Array:
        """The series of all queries that ask for a metric."""
        found = (self.value(query.id) for query in self._queries.values() if query.stat)
        return tuple(series for series in found if isinstance(series, Series))

    def steady(self, value: float, period: int | None) -> Series:
        """A series with this value in every period: so many seconds, or the finest metric's."""
        periods = [query.stat.period for query in self._queries.values() if query.stat]
        period = period or min(periods, default=MINUTE)
        return Series(period, np.full(self._window.slots(period), value))

    def search(self, text: str, name: str, seconds: int) -> Array:
        """The series of all metrics with data in the last two weeks that a SEARCH finds."""
        period = checked_period(seconds)
        oldest = minute_of(self._now - _SEARCHED)
        listed = [m for m, last in self._source.last_minutes().items() if last >= oldest]
        found = search.found(sorted(listed), text)
        self.searched += len(found)
        same_name = len({metric.name for metric in found}) == 1
        return tuple(
            replace(
                self._statistic(MetricStat(metric, period, name, statistic(name), None)),
                label=_search_label(metric, same_name=same_name),
            )
            for metric in found
        )

    def _prepare(self, query: Query) -> None:
        """Compute what an expression needs, first things first: chains may be 500 long."""
        if query.stat:
            self.value(query.id)
            return
        needed = self._needed(query)
        for one in self._order:
            if one.id in needed:
                self.value(one.id)

    def _needed(self, query: Query) -> set[str]:
        needed: set[str] = set()
        waiting = [query.id]
        while waiting:
            name = waiting.pop()
            if name not in needed:
                needed.add(name)
                tree = self._queries[name].expression
                waiting += grammar.names(tree) if tree else ()
        return needed

    def _compute(self, query: Query) -> Value:
        if query.stat:
            series = self._statistic(query.stat)
            return replace(series, id=query.id, label=query.stat.metric.name)
        try:
            tree = query.expression or grammar.Number(0.0)
            return Evaluator(self, query.period).value(tree)
        except WrongExpression as error:
            raise wrong(query.id, str(error)) from error

    def _label(self, query: Query, series: Series, default: str) -> str:
        if query.label is None:
            return default if query.stat else query.id
        return self._written(query.label, default, series)

    def _label_in_array(self, query: Query, series: Series) -> str:
        """`Expression-Label Metric-Label`, unless dynamic parts say how the label looks."""
        own = query.id if query.label is None else query.label
        if "${" in own:
            return self._written(own, series.label, series)
        return f"{own} {series.label}".strip()

    def _written(self, label: str, default: str, series: Series) -> str:
        labels.check(label)
        return labels.written(label, default, series, self.start, self._now, self._zone)

    def _statistic(self, stat: MetricStat) -> Series:
        values = np.full(self._window.slots(stat.period), np.nan)
        if is_told(stat.stat, stat.metric.namespace):
            periods = self._periods(stat)
            values[periods.index] = stat.statistic(periods)
        return Series(stat.period, values, stat.metric.name, None, stat.metric, stat.stat)

    def _periods(self, stat: MetricStat) -> Periods:
        key = (stat.metric, stat.period, stat.unit)
        if self._latest is None or self._latest[0] != key:
            self._latest = (key, self._read(stat))
        return self._latest[1]

    def _read(self, stat: MetricStat) -> Periods:
        if stat.unit and stat.unit != self._source.unit(stat.metric):
            return gather(NO_POINTS, self._window.start, stat.period)
        return self._source.periods(
            stat.metric, self._window.start, self._window.end, period=stat.period, now=self._now
        )


def _search_label(metric: Metric, *, same_name: bool) -> str:
    """What tells the metrics found apart: dimension values, and names where they differ."""
    values = " ".join(value for _, value in metric.dimensions)
    return values if same_name and values else f"{metric.name} {values}".strip()
