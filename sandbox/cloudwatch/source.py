"""Where a metric's minutes come from, and at which resolution they are still kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Protocol

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.periods import Periods, gather
from sandbox.cloudwatch.points import NO_POINTS, Points, join, keep, merged, window
from sandbox.cloudwatch.publication import Publication
from sandbox.cloudwatch.seconds import KEPT_SECONDS
from sandbox.cloudwatch.store import Store

MINUTE = 60
# How long CloudWatch keeps which resolution: (age, minutes per data point).
RETENTION = (
    (timedelta(days=15), 1),
    (timedelta(days=63), 5),
    (timedelta(days=455), 60),
)


class Past(Protocol):
    """What was measured before the sandbox's epoch."""

    def metrics(self) -> Mapping[Metric, str]:
        """Every metric that has a past, with its unit."""

    def read(self, metric: Metric, start: int, end: int, step: int) -> Points:
        """Rows of `step` minutes with start <= minute < end; empty from the epoch on."""


def minute_of(moment: datetime) -> int:
    """Whole minutes since 1970 at an aware moment."""
    return int(moment.timestamp() // 60)


class Source:
    """The past and the published minutes of every metric as one series."""

    def __init__(
        self, *, past: Past, store: Store, epoch: datetime, publication: Publication
    ) -> None:
        self._past = past
        self._store = store
        self._epoch = minute_of(epoch)
        self._publication = publication

    def unit(self, metric: Metric) -> str:
        """The metric's unit; `None` (CloudWatch's word) if nobody named one."""
        return self._store.unit(metric) or self._past.metrics().get(metric, "None")

    def last_minutes(self) -> dict[Metric, int]:
        """Every metric there is, with the newest minute that has data."""
        return dict.fromkeys(self._past.metrics(), self._epoch - 1) | self._store.metrics()

    def periods(
        self, metric: Metric, start: int, end: int, *, period: int, now: datetime
    ) -> Periods:
        """Periods of so many seconds from `start` to before `end` (seconds since 1970)."""
        if period < MINUTE:
            return gather(self.read_seconds(metric, start, end, now=now), start, period)
        first, last, minutes = start // MINUTE, -(-end // MINUTE), period // MINUTE
        return gather(self.read(metric, first, last, period=minutes, now=now), first, minutes)

    def read_seconds(self, metric: Metric, start: int, end: int, *, now: datetime) -> Points:
        """Rows with start <= second < end that a query of less than a minute may still see.

        A minute without a row of high resolution is at its first second, whole.
        """
        start = max(start, int(now.timestamp()) - KEPT_SECONDS)
        first, last = -(-start // MINUTE), -(-end // MINUTE)
        if first > last:
            return NO_POINTS
        fine = self._store.read_seconds(metric, first * MINUTE - MINUTE, last * MINUTE)
        minutes = self.read(metric, first, last, period=1, now=now)
        whole = keep(minutes, ~np.isin(minutes.minute, fine.minute // MINUTE))
        fine = self._publication.visible_seconds(window(fine, start, end), now)
        return merged(fine, replace(whole, minute=whole.minute * MINUTE))

    def read(self, metric: Metric, start: int, end: int, *, period: int, now: datetime) -> Points:
        """Rows with start <= minute < end that a query of `period` minutes may still see."""
        parts = []
        newer = end
        for age, step in RETENTION:
            oldest = minute_of(now - age) // 60 * 60
            if period % step == 0 and newer > start:
                parts.append(self._stretch(metric, max(start, oldest), newer, step, now))
            newer = min(newer, oldest)
        return join(parts[::-1])

    def _stretch(self, metric: Metric, start: int, end: int, step: int, now: datetime) -> Points:
        has_past = metric in self._past.metrics()
        since = max(start, self._epoch) if has_past else start
        measured = self._publication.visible(metric, self._store.read(metric, since, end), now)
        if not has_past:
            return measured
        return join([self._past.read(metric, start, min(end, self._epoch), step), measured])

    def roll_up(self, now: datetime) -> None:
        """Bring what is stored down to the resolution that is kept at its age."""
        boundaries = [minute_of(now - age) // 60 * 60 for age, _ in RETENTION]
        for (_, step), before in zip(RETENTION[1:], boundaries, strict=False):
            self._store.roll_up(step, before)
        self._store.forget(boundaries[-1])
        self._store.forget_seconds(int(now.timestamp()) - KEPT_SECONDS)
