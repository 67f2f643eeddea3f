"""Reads a window of a service at 1, 5 or 30 minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from django.db import connection

from monitoring.blocks import (
    Buckets,
    Floats,
    bucketed,
    decompress,
    empty,
    merged,
    unpack,
    unpack_buckets,
)
from monitoring.layouts import Layout, Series
from monitoring.timeseries.layouts import layout_with

# Minutes come from the hours where there are any: they are the newest and need no unpacking.
_MINUTES = """
    select false, extract(epoch from d.day)::bigint, d.layout_id, d.m1
    from metric_day d
    where d.resource_id = %(resource)s and d.day >= %(first_day)s and d.day <= %(last_day)s
      and not exists (
        select 1 from metric_hour h
        where h.resource_id = d.resource_id and h.layout_id = d.layout_id
          and h.hour >= d.day::timestamp at time zone 'UTC'
          and h.hour < (d.day + 1)::timestamp at time zone 'UTC')
    union all
    select true, extract(epoch from hour)::bigint, layout_id, data
    from metric_hour
    where resource_id = %(resource)s and hour >= %(first_hour)s and hour < %(end)s
"""
# Summaries come from the days, and from the hours of days that have none yet.
_SUMMARIES = """
    select false, extract(epoch from day)::bigint, layout_id, {column}
    from metric_day
    where resource_id = %(resource)s and day >= %(first_day)s and day <= %(last_day)s
    union all
    select true, extract(epoch from h.hour)::bigint, h.layout_id, h.data
    from metric_hour h
    where h.resource_id = %(resource)s and h.hour >= %(first_hour)s and h.hour < %(end)s
      and not exists (
        select 1 from metric_day d
        where d.resource_id = h.resource_id and d.layout_id = h.layout_id
          and d.day = (h.hour at time zone 'UTC')::date)
"""
_BY_STEP = {
    60: _MINUTES,
    300: _SUMMARIES.format(column="m5"),
    1800: _SUMMARIES.format(column="m30"),
}
_VERSION = """
    select greatest(
        (select max(changed_at) from metric_hour
         where resource_id = %(resource)s and hour >= %(first_hour)s and hour < %(end)s),
        (select max(changed_at) from metric_day
         where resource_id = %(resource)s and day >= %(first_day)s and day <= %(last_day)s))
"""
_STORED_DAY = """
    select d.m1 from metric_day d
    where d.resource_id = %(resource)s and d.day = %(day)s and d.layout_id = %(layout)s
      and not exists (
        select 1 from metric_hour h
        where h.resource_id = d.resource_id and h.layout_id = d.layout_id
          and h.changed_at > d.changed_at
          and h.hour >= d.day::timestamp at time zone 'UTC'
          and h.hour < (d.day + 1)::timestamp at time zone 'UTC')
"""


class _Row(NamedTuple):
    is_hour: bool
    start: int
    layout_id: int
    data: bytes


@dataclass(frozen=True, slots=True)
class Window:
    """Buckets of `step` seconds from second `start` on: a row per bucket, a column per series.

    `means` are per minute. `shown` has sums where minutes add up, the worst minute where
    averaging would lie (percentiles, maxima), and means otherwise.
    """

    start: int
    step: int
    positions: Mapping[Series, int]
    shown: Floats
    means: Floats

    def __len__(self) -> int:
        return len(self.shown)

    def column(self, series: Series) -> Floats:
        return self.shown[:, self.positions[series]]

    def mean(self, series: Series) -> Floats:
        return self.means[:, self.positions[series]]


def read(
    *, resource_id: int, series: Iterable[Series], start: datetime, end: datetime, step: int = 60
) -> Window:
    """Return the window with start <= time < end, its start rounded down to `step` seconds.

    :param step: 60, 300 or 1800 seconds.
    """
    wanted = tuple(series)
    first = int(start.timestamp()) // step * step
    rows = max(0, -(-(int(end.timestamp()) - first) // step))
    shown, means = empty(rows, len(wanted)), empty(rows, len(wanted))
    found = sorted(_rows(resource_id, first, end, step), key=attrgetter("layout_id"))
    for number, group in groupby(found, key=attrgetter("layout_id")):
        layout = layout_with(number)
        targets, sources = _matching(wanted, layout)
        whole = _whole(list(group), layout, _Grid(first, step, rows))
        shown[:, targets] = merged(shown[:, targets], whole[0][:, sources])
        if step > 60:
            means[:, targets] = merged(means[:, targets], whole[1][:, sources])
    positions = {item: column for column, item in enumerate(wanted)}
    return Window(first, step, positions, shown, means if step > 60 else shown)


def version(*, resource_id: int, start: datetime, end: datetime) -> datetime | None:
    """Return when anything in the window last changed; None if it is empty."""
    with connection.cursor() as cursor:
        cursor.execute(_VERSION, _bounds(resource_id, int(start.timestamp()), end))
        (changed_at,) = cursor.fetchone()
    found: datetime | None = changed_at
    return found


def _rows(resource_id: int, first: int, end: datetime, step: int) -> list[_Row]:
    with connection.cursor() as cursor:
        cursor.execute(_BY_STEP[step], _bounds(resource_id, first, end))
        return [_Row(*row) for row in cursor]


def _bounds(resource_id: int, first: int, end: datetime) -> dict[str, Any]:
    return {
        "resource": resource_id,
        "first_day": datetime.fromtimestamp(first, UTC).date(),
        "last_day": (end - timedelta(microseconds=1)).astimezone(UTC).date(),
        "first_hour": datetime.fromtimestamp(first // 3600 * 3600, UTC),
        "end": end,
    }


def _matching(wanted: tuple[Series, ...], layout: Layout) -> tuple[list[int], list[int]]:
    """Columns of the answer, and of the stored block, that hold the same series."""
    pairs = [
        (target, layout.positions[series])
        for target, series in enumerate(wanted)
        if series in layout.positions
    ]
    return [target for target, _ in pairs], [source for _, source in pairs]


@dataclass(frozen=True, slots=True)
class _Grid:
    """`rows` buckets of `step` seconds from second `first` on."""

    first: int
    step: int
    rows: int

    def lay(self, into: Floats, block: Floats, start: int) -> None:
        """Write the block, which begins at second `start`, where it overlaps the grid."""
        offset = (start - self.first) // self.step
        begin, stop = max(offset, 0), min(offset + len(block), self.rows)
        if begin < stop:
            into[begin:stop] = block[begin - offset : stop - offset]


def _whole(rows: Sequence[_Row], layout: Layout, grid: _Grid) -> tuple[Floats, Floats]:
    """Return what is shown and the means of all series of one layout, on the grid."""
    columns = len(layout.series)
    shown = empty(grid.rows, columns)
    means = shown if grid.step == 60 else empty(grid.rows, columns)
    parts = [_day(row, layout, grid.step) for row in rows if not row.is_hour]
    parts += _hours([row for row in rows if row.is_hour], layout, grid.step)
    for start, part_shown, part_means in parts:
        grid.lay(shown, part_shown, start)
        if means is not shown:
            grid.lay(means, part_means, start)
    return shown, means


_Part = tuple[int, Floats, Floats]


def _day(row: _Row, layout: Layout, step: int) -> _Part:
    if step == 60:
        block = decompress(row.data, len(layout.series))
        return row.start, block, block
    buckets = unpack_buckets(row.data, layout.additive)
    return row.start, _shown(buckets, layout), buckets.means


def _hours(rows: Sequence[_Row], layout: Layout, step: int) -> list[_Part]:
    """Put the hours together before they are summed up: once is cheaper than 72 times."""
    if not rows:
        return []
    columns = len(layout.series)
    start, last = min(row.start for row in rows), max(row.start for row in rows)
    block = empty((last - start) // 60 + 60, columns)
    for row in rows:
        at = (row.start - start) // 60
        block[at : at + 60] = unpack(row.data, columns)
    if step == 60:
        return [(start, block, block)]
    buckets = bucketed(block, step // 60, layout.additive)
    return [(start, _shown(buckets, layout), buckets.means)]


def _shown(buckets: Buckets, layout: Layout) -> Floats:
    shown = np.where(layout.worst, buckets.peaks, buckets.means)
    shown[:, layout.additive] = buckets.sums
    return shown


def stored_day(*, resource_id: int, day: date, layout_id: int) -> bytes | None:
    """Return the gzip of a closed day as it is stored, or None if it is not (yet) up to date."""
    values: dict[str, Any] = {"resource": resource_id, "day": day, "layout": layout_id}
    with connection.cursor() as cursor:
        cursor.execute(_STORED_DAY, values)
        found = cursor.fetchone()
    return found[0] if found else None
