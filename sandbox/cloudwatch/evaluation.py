"""The values of GetMetricData's queries over one window, each computed once and only if asked."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import numpy as np

from sandbox.cloudwatch.expressions import Series, evaluate
from sandbox.cloudwatch.periods import Periods, gather
from sandbox.cloudwatch.points import NO_POINTS, Points
from sandbox.cloudwatch.queries import MetricStat, Query, Window, refuse
from sandbox.cloudwatch.source import Source


class Evaluation:
    """Answers for the queries of one request."""

    def __init__(
        self, *, queries: Sequence[Query], window: Window, source: Source, now: datetime
    ) -> None:
        self._queries = {query.id: query for query in queries}
        self._window = window
        self._source = source
        self._now = now
        self._series: dict[str, Series | None] = {}
        self._stamps: dict[int, list[datetime]] = {}
        # The periods of the metric asked for last: its statistics usually follow one another.
        self._latest: tuple[object, Periods] | None = None

    def series(self, name: str) -> Series:
        """The series of the query with that id; raises AwsError if it cannot be computed."""
        if name not in self._queries:
            raise refuse(f"Error in expression: unknown id '{name}'.")
        if name not in self._series:
            self._series[name] = None
            self._series[name] = self._compute(self._queries[name])
        series = self._series[name]
        if series is None:
            raise refuse(f"Error in expression: '{name}' depends on itself.")
        return series

    def stamps(self, period: int) -> list[datetime]:
        """The beginning of every period of so many minutes in the window."""
        if period not in self._stamps:
            slots = range(self._window.slots(period))
            first = self._window.start * 60
            self._stamps[period] = [
                datetime.fromtimestamp(first + slot * period * 60, UTC) for slot in slots
            ]
        return self._stamps[period]

    def _compute(self, query: Query) -> Series:
        if query.stat:
            return self._statistic(query.stat)
        return evaluate(query.expression or "", self.series)

    def _statistic(self, stat: MetricStat) -> Series:
        values = np.full(self._window.slots(stat.period), np.nan)
        periods = self._periods(stat)
        values[periods.index] = stat.statistic(periods)
        return Series(stat.period, values)

    def _periods(self, stat: MetricStat) -> Periods:
        key = (stat.metric, stat.period, stat.unit)
        if self._latest is None or self._latest[0] != key:
            self._latest = (key, gather(self._rows(stat), self._window.start, stat.period))
        return self._latest[1]

    def _rows(self, stat: MetricStat) -> Points:
        if stat.unit and stat.unit != self._source.unit(stat.metric):
            return NO_POINTS
        return self._source.read(
            stat.metric, self._window.start, self._window.end, period=stat.period, now=self._now
        )
