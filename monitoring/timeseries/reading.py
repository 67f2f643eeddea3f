"""Reads a window of a service at 1, 5 or 30 minutes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from catalog import prepared
from monitoring.blocks import (
    Buckets,
    Floats,
    bucketed,
    decompress,
    empty,
    merged,
    pack,
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
    grid = _Grid(first, step, max(0, -(-(int(end.timestamp()) - first) // step)))
    shown, means = _laid(wanted, _rows(resource_id, first, end, step), grid)
    return Window(first, step, _positions(wanted), shown, means)


@lru_cache(maxsize=1024)
def _positions(wanted: tuple[Series, ...]) -> Mapping[Series, int]:
    return {item: column for column, item in enumerate(wanted)}


def _laid(wanted: tuple[Series, ...], rows: Sequence[_Row], grid: _Grid) -> _Pair:
    """Return what is shown and the means, later layouts laid over earlier ones."""
    numbers = sorted({row.layout_id for row in rows})
    # A service that did not change has one layout, and its blocks are the answer.
    if len(numbers) == 1 and (layout := layout_with(numbers[0])).series == wanted:
        return _whole(rows, layout, grid)
    laid = grid.nothing(len(wanted))
    for number in numbers:
        layout = layout_with(number)
        whole = _whole([row for row in rows if row.layout_id == number], layout, grid)
        targets, sources = _matching(wanted, layout)
        for into, block in zip(laid, whole, strict=True):
            into[:, targets] = merged(into[:, targets], block[:, sources])
    return laid


def version(*, resource_id: int, start: datetime, end: datetime) -> datetime | None:
    """Return when anything in the window last changed; None if it is empty."""
    with prepared.cursor() as cursor:
        cursor.execute(_VERSION, _bounds(resource_id, int(start.timestamp()), end))
        (changed_at,) = cursor.fetchone()
    found: datetime | None = changed_at
    return found


def _rows(resource_id: int, first: int, end: datetime, step: int) -> list[_Row]:
    with prepared.cursor() as cursor:
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


@lru_cache(maxsize=1024)
def _matching(wanted: tuple[Series, ...], layout: Layout) -> tuple[list[int], list[int]]:
    """Columns of the answer, and of the stored block, that hold the same series."""
    pairs = [
        (target, layout.positions[series])
        for target, series in enumerate(wanted)
        if series in layout.positions
    ]
    return [target for target, _ in pairs], [source for _, source in pairs]


_Pair = tuple[Floats, Floats]


class _Part(NamedTuple):
    """Buckets from second `start` on: what is shown, and means; of minutes both are the same."""

    start: int
    shown: Floats
    means: Floats


@dataclass(frozen=True, slots=True)
class _Grid:
    """`rows` buckets of `step` seconds from second `first` on."""

    first: int
    step: int
    rows: int

    def nothing(self, columns: int) -> _Pair:
        shown = empty(self.rows, columns)
        return shown, shown if self.step == 60 else empty(self.rows, columns)

    def cut(self, part: _Part) -> _Pair | None:
        """Return the grid's buckets of a part that has all of them, without copying any."""
        offset = self._offset(part)
        if offset > 0 or offset + len(part.shown) < self.rows:
            return None
        within = slice(-offset, self.rows - offset)
        return part.shown[within], part.means[within]

    def lay(self, into: _Pair, part: _Part) -> None:
        """Write the part where it overlaps the grid."""
        offset = self._offset(part)
        begin, stop = max(offset, 0), min(offset + len(part.shown), self.rows)
        if begin < stop:
            for target, block in zip(into, part[1:], strict=True):
                target[begin:stop] = block[begin - offset : stop - offset]

    def _offset(self, part: _Part) -> int:
        return (part.start - self.first) // self.step


def _whole(rows: Sequence[_Row], layout: Layout, grid: _Grid) -> _Pair:
    """Return what is shown and the means of all series of one layout, on the grid."""
    parts = [_day(row, layout, grid.step) for row in rows if not row.is_hour]
    parts += _hours([row for row in rows if row.is_hour], layout, grid.step)
    if len(parts) == 1 and (cut := grid.cut(parts[0])):
        return cut
    whole = grid.nothing(len(layout.series))
    for part in parts:
        grid.lay(whole, part)
    return whole


def _day(row: _Row, layout: Layout, step: int) -> _Part:
    if step == 60:
        block = decompress(row.data, len(layout.series))
        return _Part(row.start, block, block)
    buckets = unpack_buckets(row.data, layout.additive)
    return _Part(row.start, _shown(buckets, layout), buckets.means)


def _hours(rows: Sequence[_Row], layout: Layout, step: int) -> list[_Part]:
    """Put the hours together before they are summed up: once is cheaper than 72 times."""
    if not rows:
        return []
    columns = len(layout.series)
    stored = {row.start: row.data for row in rows}
    start, last = min(stored), max(stored)
    missing = pack(empty(60, columns))
    hours = range(start, last + 1, 3600)
    block = unpack(b"".join(stored.get(hour, missing) for hour in hours), columns)
    if step == 60:
        return [_Part(start, block, block)]
    buckets = bucketed(block, step // 60, layout.additive)
    return [_Part(start, _shown(buckets, layout), buckets.means)]


def _shown(buckets: Buckets, layout: Layout) -> Floats:
    shown = np.where(layout.worst, buckets.peaks, buckets.means)
    shown[:, layout.additive] = buckets.sums
    return shown


def stored_day(*, resource_id: int, day: date, layout_id: int) -> bytes | None:
    """Return the gzip of a closed day as it is stored, or None if it is not (yet) up to date."""
    values: dict[str, Any] = {"resource": resource_id, "day": day, "layout": layout_id}
    with prepared.cursor() as cursor:
        cursor.execute(_STORED_DAY, values)
        found = cursor.fetchone()
    return found[0] if found else None
