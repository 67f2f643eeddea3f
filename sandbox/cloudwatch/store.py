"""Published minutes in SQLite, so that a restart keeps them, with those in use in memory."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from sandbox.cloudwatch.metrics import Aggregate, Metric
from sandbox.cloudwatch.points import NO_POINTS, Points, join, window
from sandbox.cloudwatch.rows import aggregate_of, columns, row_of
from sandbox.cloudwatch.seconds import SCHEMA, Seconds

_DAY = 1440
# What is read is kept in memory, in blocks of four hours of a metric.
BLOCK = 240
_BYTES_IN_MEMORY = 48 * 2**20
_BYTES_PER_ROW, _BYTES_PER_BUCKET, _BYTES_PER_BLOCK = 40, 12, 1500
_RECENT = 4096
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
create table if not exists rolled_up (step integer primary key, until integer not null);
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
_DELETE = "delete from point where metric = ? and minute >= ? and minute < ?"
_FIRST = "select min(minute) from point where metric = ?"
_ROLLED_UP = "insert or replace into rolled_up values (?, ?)"

Batch = Mapping[tuple[Metric, int], tuple[Aggregate, str]]
# What a metric's second gets: (metric, second) → values.
Fine = Mapping[tuple[Metric, int], Aggregate]


@dataclass
class _Known:
    number: int
    unit: str
    last_minute: int
    # None until somebody asks for points.
    first_minute: int | None = None


class Store:
    """Minutes of metrics by (metric, minute); safe to use from several threads."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA + SCHEMA)
        self._seconds = Seconds(self._database)
        self._lock = threading.RLock()
        self._blocks: OrderedDict[tuple[int, int], Points] = OrderedDict()
        self._bytes = 0
        self._recent: OrderedDict[tuple[int, int], Aggregate] = OrderedDict()
        rows = self._database.execute("select id, identity, unit, last_minute from metric")
        self._known = {
            _metric(identity): _Known(number, unit, last) for number, identity, unit, last in rows
        }

    def close(self) -> None:
        """Close the database; the store cannot be used afterwards."""
        with self._lock:
            self._database.close()

    def metrics(self) -> dict[Metric, int]:
        """Every metric ever published, with the newest minute it was published for."""
        with self._lock:
            return {metric: known.last_minute for metric, known in self._known.items()}

    def unit(self, metric: Metric) -> str | None:
        """The unit the metric was last published in, None if it never was."""
        known = self._known.get(metric)
        return known.unit if known else None

    def add(self, batch: Batch, fine: Fine | None = None) -> None:
        """Add values to their minutes, as PutMetricData does: (metric, minute) → (what, unit).

        `fine` are those of high resolution once more, by the second.
        """
        with self._lock:
            self._write(
                {
                    (metric, minute): (self._sum(metric, minute, new), unit)
                    for (metric, minute), (new, unit) in batch.items()
                },
                fine or {},
            )

    def replace(self, batch: Batch) -> None:
        """Set whole minutes: a younger measurement of the same minute replaces the older."""
        with self._lock:
            self._write(batch, {})

    def read(self, metric: Metric, start: int, end: int) -> Points:
        """The metric's rows with start <= minute < end."""
        with self._lock:
            known = self._known.get(metric)
            if known is None:
                return NO_POINTS
            first = max(start, self._first(known)) // BLOCK
            last = min(end - 1, known.last_minute) // BLOCK
            if first > last:
                return NO_POINTS
            parts = self._stretch(known.number, first, last)
        return window(join(parts), start, end)

    def read_seconds(self, metric: Metric, start: int, end: int) -> Points:
        """The metric's rows of high resolution with start <= second < end."""
        with self._lock:
            known = self._known.get(metric)
            return self._seconds.read(known.number, start, end) if known else NO_POINTS

    def at(self, metric: Metric, minute: int) -> Aggregate | None:
        """What one minute holds, None without data."""
        with self._lock:
            known = self._known.get(metric)
            if known is None or minute > known.last_minute:
                return None
            recent = self._recent.get((known.number, minute))
            if recent:
                return recent
            row = self._database.execute(_READ, (known.number, minute, minute + 1)).fetchone()
            return aggregate_of(row) if row else None

    # -- roll-ups --------------------------------------------------------------------------------

    def roll_up(self, step: int, before: int) -> None:
        """Put all rows before a minute together into rows of `step` minutes, for good."""
        for metric in list(self.metrics()):
            with self._lock:
                begin = self._rolled_up_until(step)
                known = self._known[metric]
                for day in range(max(begin, self._first(known)), before, _DAY):
                    self._roll_up(known.number, day, min(day + _DAY, before), step)
        with self._lock, self._database:
            self._database.execute(_ROLLED_UP, (step, before))

    def forget_seconds(self, before: int) -> None:
        """Drop rows of high resolution before a second; their minutes stay."""
        with self._lock, self._database:
            self._seconds.forget(before)

    def forget(self, before: int) -> None:
        """Drop all rows before a minute, and metrics that have no newer ones."""
        with self._lock, self._database:
            for metric, known in list(self._known.items()):
                self._database.execute(_DELETE, (known.number, 0, before))
                known.first_minute = None
                if known.last_minute < before:
                    self._database.execute("delete from metric where id = ?", (known.number,))
                    del self._known[metric]
        self._forget_blocks()

    def _rolled_up_until(self, step: int) -> int:
        row = self._database.execute("select until from rolled_up where step = ?", (step,))
        found = row.fetchone()
        return int(found[0]) if found else 0

    def _roll_up(self, number: int, start: int, end: int, step: int) -> None:
        start = start // step * step
        rows = self._database.execute(_READ, (number, start, end)).fetchall()
        coarse = [
            (minute * step, _total(map(aggregate_of, fine)))
            for minute, fine in groupby(rows, key=lambda row: row[0] // step)
        ]
        if len(coarse) == len(rows):
            return
        with self._database:
            self._database.execute(_DELETE, (number, start, end))
            self._database.executemany(_WRITE, [row_of(number, *one) for one in coarse])
        self._forget_blocks()

    def _forget_blocks(self) -> None:
        self._blocks.clear()
        self._bytes = 0

    # -- writing ---------------------------------------------------------------------------------

    def _sum(self, metric: Metric, minute: int, new: Aggregate) -> Aggregate:
        old = self.at(metric, minute)
        return old + new if old else new

    def _write(self, batch: Batch, fine: Fine) -> None:
        with self._database:
            numbers = [self._remember(*key, unit) for key, (_, unit) in batch.items()]
            self._database.executemany(
                _WRITE,
                [
                    row_of(number, minute, new)
                    for number, ((_, minute), (new, _)) in zip(numbers, batch.items(), strict=True)
                ],
            )
            self._seconds.add(
                {(self._known[metric].number, at): new for (metric, at), new in fine.items()}
            )
        for number, ((_, minute), (new, _)) in zip(numbers, batch.items(), strict=True):
            self._recent[number, minute] = new
            self._recent.move_to_end((number, minute))
            self._drop(number, minute // BLOCK)
        while len(self._recent) > _RECENT:
            self._recent.popitem(last=False)

    def _remember(self, metric: Metric, minute: int, unit: str) -> int:
        known = self._known.get(metric)
        if known and known.first_minute is not None:
            known.first_minute = min(known.first_minute, minute)
        if known and known.unit == unit and known.last_minute >= minute:
            return known.number
        row = (_identity(metric), unit, minute)
        (number,) = self._database.execute(_REMEMBER, row).fetchone()
        last = max(minute, known.last_minute) if known else minute
        first = known.first_minute if known else minute
        self._known[metric] = _Known(number, unit, last, first)
        return int(number)

    # -- reading ---------------------------------------------------------------------------------

    def _first(self, known: _Known) -> int:
        if known.first_minute is None:
            (first,) = self._database.execute(_FIRST, (known.number,)).fetchone()
            known.first_minute = known.last_minute + 1 if first is None else int(first)
        return known.first_minute

    def _stretch(self, number: int, first: int, last: int) -> list[Points]:
        wanted = range(first, last + 1)
        missing = [block for block in wanted if (number, block) not in self._blocks]
        fresh = self._load(number, missing[0], missing[-1]) if missing else {}
        parts = []
        for block in wanted:
            if block not in fresh:
                self._blocks.move_to_end((number, block))
            parts.append(fresh[block] if block in fresh else self._blocks[number, block])
        for block, points in fresh.items():
            self._keep(number, block, points)
        return parts

    def _load(self, number: int, first: int, last: int) -> dict[int, Points]:
        span = (number, first * BLOCK, (last + 1) * BLOCK)
        points = columns(self._database.execute(_READ, span).fetchall())
        return {
            block: window(points, block * BLOCK, (block + 1) * BLOCK)
            for block in range(first, last + 1)
        }

    def _keep(self, number: int, block: int, points: Points) -> None:
        self._drop(number, block)
        self._blocks[number, block] = points
        self._bytes += _size(points)
        while self._bytes > _BYTES_IN_MEMORY and len(self._blocks) > 1:
            _, oldest = self._blocks.popitem(last=False)
            self._bytes -= _size(oldest)

    def _drop(self, number: int, block: int) -> None:
        dropped = self._blocks.pop((number, block), None)
        if dropped is not None:
            self._bytes -= _size(dropped)


def _identity(metric: Metric) -> str:
    return json.dumps([metric.namespace, metric.name, metric.dimensions])


def _metric(identity: str) -> Metric:
    namespace, name, dimensions = json.loads(identity)
    return Metric(namespace, name, tuple((key, value) for key, value in dimensions))


def _total(parts: Iterator[Aggregate]) -> Aggregate:
    total = next(parts)
    for part in parts:
        total = total + part
    return total


def _size(points: Points) -> int:
    rows, buckets = len(points), len(points.buckets.row)
    return _BYTES_PER_BLOCK + _BYTES_PER_ROW * rows + _BYTES_PER_BUCKET * buckets
