"""Everything CloudWatch knew before the epoch: computed when asked, a block of rows at a time."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from datetime import datetime
from functools import partial

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Points, join, keep, window
from sandbox.history import backing, tasks
from sandbox.history.environments import PRODUCTION, STAGING
from sandbox.history.rows import Stretch, gauge
from sandbox.history.timeline import Timeline, minute
from sandbox.history.traffic import Catalogue, Traffic, arrivals

_ROWS = 1440
# Distributions dominate: two and a half million bucket entries are about 30 MB.
_ENTRIES_IN_MEMORY = 2_500_000
_ENTRIES_PER_ROW = 5


class History:
    """A deterministic function of the epoch; `read` never changes its answer."""

    def __init__(self, epoch: datetime) -> None:
        self._epoch = minute(epoch)
        self._production = Timeline(PRODUCTION, epoch)
        self._catalogue = self._everything(Timeline(STAGING, epoch))
        self._units = {metric: unit for metric, (unit, _) in self._catalogue.items()}
        self._blocks: OrderedDict[tuple[Metric, int, int], Points] = OrderedDict()
        self._entries = 0
        self._lock = threading.Lock()

    def metrics(self) -> Mapping[Metric, str]:
        """Every metric that has a past, with its unit."""
        return self._units

    def read(self, metric: Metric, start: int, end: int, step: int) -> Points:
        """Rows of `step` (1, 5 or 60) minutes with start <= minute < end, before the epoch.

        Beyond one minute the middle minute stands for the whole row. Raises KeyError for a metric
        without a past.
        """
        size = _ROWS * step
        end = min(end, self._epoch)
        blocks = range(start // size, -(-end // size))
        return join([window(self._block(metric, number, step), start, end) for number in blocks])

    def _block(self, metric: Metric, number: int, step: int) -> Points:
        key = (metric, number, step)
        with self._lock:
            if key in self._blocks:
                self._blocks.move_to_end(key)
                return self._blocks[key]
        points = self._compute(metric, number, step)
        with self._lock:
            if key not in self._blocks:
                self._blocks[key] = points
                self._entries += _weight(points)
                self._shrink()
        return points

    def _shrink(self) -> None:
        while self._entries > _ENTRIES_IN_MEMORY and len(self._blocks) > 1:
            _, oldest = self._blocks.popitem(last=False)
            self._entries -= _weight(oldest)

    def _compute(self, metric: Metric, number: int, step: int) -> Points:
        first = number * _ROWS * step
        stretch = Stretch(first + np.arange(_ROWS, dtype=np.int64) * step, step)
        _, series = self._catalogue[metric]
        points = window(series(stretch), first, self._epoch)
        if step > 1:
            return points
        return keep(points, ~self._production.silent(points.minute))

    def _everything(self, staging: Timeline) -> Catalogue:
        found: Catalogue = {}
        for timeline in (self._production, staging):
            found |= Traffic(timeline).catalogue()
            found |= tasks.news_api(timeline)
        found |= tasks.news_ingest(self._production)
        # Staging's cluster does not pay for Container Insights.
        found |= tasks.counts(self._production)
        for metric, reading in backing.GAUGES.items():
            found[metric] = (reading.unit, partial(self._backing, metric))
        return found

    def _backing(self, metric: Metric, stretch: Stretch) -> Points:
        middle = stretch.middle
        values = backing.readings(
            metric,
            middle,
            requests_per_second=arrivals(self._production, middle),
            strain=self._production.strain(middle),
            epoch=self._epoch,
        )
        return gauge(stretch, values, samples=np.ones(len(middle)))


def _weight(points: Points) -> int:
    return len(points.buckets.row) + _ENTRIES_PER_ROW * len(points)
