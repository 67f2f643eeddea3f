"""Published minutes in SQLite, so that a restart keeps them, with the days in use in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sandbox.cloudwatch.metrics import Aggregate, Metric
from sandbox.cloudwatch.points import NO_BUCKETS, NO_POINTS, Buckets, Points, join, window

DAY = 1440
_DAYS_IN_MEMORY = 1024
_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists metric (
  id integer primary key,
  identity text not null unique,
  unit text not null,
  last_minute integer not null
);
create table if not exists point (
  metric integer not null references metric (id),
  minute integer not null,
  count real not null,
  total real not null,
  low real not null,
  high real not null,
  buckets blob,
  primary key (metric, minute)
) without rowid;
"""
_REMEMBER = """
insert into metric (identity, unit, last_minute) values (?, ?, ?)
on conflict (identity) do update
set unit = excluded.unit, last_minute = max(last_minute, excluded.last_minute)
returning id
"""
_WRITE = "insert or replace into point values (?, ?, ?, ?, ?, ?, ?)"
_READ = """
select minute, count, total, low, high, buckets from point
where metric = ? and minute >= ? and minute < ? order by minute
"""
_BUCKET = np.dtype([("key", "<i4"), ("weight", "<f8")])


@dataclass
class _Known:
    number: int
    unit: str
    last_minute: int


@dataclass
class _Day:
    """One metric's day: the rows, and their numpy form until the next write."""

    rows: dict[int, Aggregate]
    points: Points | None = None


Batch = Mapping[tuple[Metric, int], tuple[Aggregate, str]]


class Store:
    """Minutes of metrics by (metric, minute); safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._lock = threading.RLock()
        self._days: OrderedDict[tuple[int, int], _Day] = OrderedDict()
        rows = self._database.execute("select id, identity, unit, last_minute from metric")
        self._known = {
            _metric(identity): _Known(number, unit, last) for number, identity, unit, last in rows
        }

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        self._database.close()

    def metrics(self) -> dict[Metric, int]:
        """Every metric ever published, with the newest minute it was published for."""
        with self._lock:
            return {metric: known.last_minute for metric, known in self._known.items()}

    def unit(self, metric: Metric) -> str | None:
        """The unit the metric was last published in, None if it never was."""
        known = self._known.get(metric)
        return known.unit if known else None

    def add(self, batch: Batch) -> None:
        """Add values to their minutes, as PutMetricData does: (metric, minute) → (what, unit)."""
        with self._lock:
            self._write(
                {
                    (metric, minute): (self._sum(metric, minute, new), unit)
                    for (metric, minute), (new, unit) in batch.items()
                }
            )

    def replace(self, batch: Batch) -> None:
        """Set whole minutes: a younger measurement of the same minute replaces the older."""
        with self._lock:
            self._write(batch)

    def read(self, metric: Metric, start: int, end: int) -> Points:
        """The metric's rows with start <= minute < end."""
        with self._lock:
            known = self._known.get(metric)
            if known is None or start > known.last_minute:
                return NO_POINTS
            days = range(start // DAY, -(-min(end, known.last_minute + 1) // DAY))
            parts = [self._points(known.number, day) for day in days]
        return window(join(parts), start, end)

    def at(self, metric: Metric, minute: int) -> Aggregate | None:
        """What one minute holds, None without data."""
        with self._lock:
            known = self._known.get(metric)
            return self._day(known.number, minute // DAY).rows.get(minute) if known else None

    def _sum(self, metric: Metric, minute: int, new: Aggregate) -> Aggregate:
        old = self.at(metric, minute)
        return old + new if old else new

    def _write(self, batch: Batch) -> None:
        with self._database:
            numbers = [self._remember(*key, unit) for key, (_, unit) in batch.items()]
            self._database.executemany(
                _WRITE,
                [
                    (number, minute, new.count, new.total, new.low, new.high, _pack(new.buckets))
                    for number, ((_, minute), (new, _)) in zip(numbers, batch.items(), strict=True)
                ],
            )
        for number, ((_, minute), (new, _)) in zip(numbers, batch.items(), strict=True):
            day = self._day(number, minute // DAY)
            day.rows[minute] = new
            day.points = None

    def _remember(self, metric: Metric, minute: int, unit: str) -> int:
        known = self._known.get(metric)
        if known and known.unit == unit and known.last_minute >= minute:
            return known.number
        row = (_identity(metric), unit, minute)
        (number,) = self._database.execute(_REMEMBER, row).fetchone()
        last = max(minute, known.last_minute) if known else minute
        self._known[metric] = _Known(number, unit, last)
        return int(number)

    def _day(self, number: int, day: int) -> _Day:
        key = (number, day)
        if key not in self._days:
            rows = self._database.execute(_READ, (number, day * DAY, (day + 1) * DAY))
            self._days[key] = _Day({row[0]: _aggregate(row) for row in rows})
            if len(self._days) > _DAYS_IN_MEMORY:
                self._days.popitem(last=False)
        self._days.move_to_end(key)
        return self._days[key]

    def _points(self, number: int, day_number: int) -> Points:
        day = self._day(number, day_number)
        if day.points is None:
            day.points = _columns(sorted(day.rows.items()))
        return day.points


def _identity(metric: Metric) -> str:
    return json.dumps([metric.namespace, metric.name, metric.dimensions])


def _metric(identity: str) -> Metric:
    namespace, name, dimensions = json.loads(identity)
    return Metric(namespace, name, tuple((key, value) for key, value in dimensions))


def _aggregate(row: tuple[int, float, float, float, float, bytes | None]) -> Aggregate:
    _, count, total, low, high, blob = row
    return Aggregate(count, total, low, high, _unpack(blob))


def _pack(buckets: Mapping[int, float] | None) -> bytes | None:
    if buckets is None:
        return None
    return np.array(sorted(buckets.items()), dtype=_BUCKET).tobytes()


def _unpack(blob: bytes | None) -> dict[int, float] | None:
    if blob is None:
        return None
    table = np.frombuffer(blob, dtype=_BUCKET)
    return dict(zip(table["key"].tolist(), table["weight"].tolist(), strict=True))


def _columns(rows: Iterable[tuple[int, Aggregate]]) -> Points:
    rows = list(rows)
    if not rows:
        return NO_POINTS
    table = np.array([(m, a.count, a.total, a.low, a.high) for m, a in rows], dtype=np.float64).T
    return Points(table[0].astype(np.int64), table[1], table[2], table[3], table[4], _buckets(rows))


def _buckets(rows: list[tuple[int, Aggregate]]) -> Buckets:
    entries = [
        (row, key, weight)
        for row, (_, minute) in enumerate(rows)
        for key, weight in sorted((minute.buckets or {}).items())
    ]
    if not entries:
        return NO_BUCKETS
    table = np.array(entries, dtype=np.float64).T
    return Buckets.of(table[0].astype(np.int64), table[1].astype(np.int64), table[2])
