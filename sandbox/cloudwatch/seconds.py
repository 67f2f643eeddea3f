"""Metrics of high resolution: their seconds, kept for three hours beside their minutes."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping

from sandbox.cloudwatch.metrics import Aggregate
from sandbox.cloudwatch.points import Points
from sandbox.cloudwatch.rows import Row, aggregate_of, columns, row_of

KEPT_SECONDS = 3 * 3600
SCHEMA = """
create table if not exists second (
  metric integer not null references metric (id),
  second integer not null,
  count real not null,
  total real not null,
  low real not null,
  high real not null,
  buckets blob,
  primary key (metric, second)
) without rowid;
"""
_WRITE = "insert or replace into second values (?, ?, ?, ?, ?, ?, ?)"
_READ = """
select second, count, total, low, high, buckets from second
where metric = ? and second >= ? and second < ? order by second
"""
_FORGET = "delete from second where second < ?"


class Seconds:
    """Seconds by (metric's number, second) in the store's database; the caller holds its lock."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database = database

    def add(self, batch: Mapping[tuple[int, int], Aggregate]) -> None:
        """Add values to their seconds, within the caller's transaction."""
        for (number, second), new in batch.items():
            old = self._rows(number, second, second + 1)
            total = aggregate_of(old[0]) + new if old else new
            self._database.execute(_WRITE, row_of(number, second, total))

    def read(self, number: int, start: int, end: int) -> Points:
        """A metric's rows with start <= second < end; `minute` of the points is the second."""
        return columns(self._rows(number, start, end))

    def forget(self, before: int) -> None:
        """Drop what is older than a second, within the caller's transaction."""
        self._database.execute(_FORGET, (before,))

    def _rows(self, number: int, start: int, end: int) -> list[Row]:
        return self._database.execute(_READ, (number, start, end)).fetchall()
