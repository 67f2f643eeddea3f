"""What is charged as it is used: pages of Cost Explorer, metrics, log bytes, requests."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

COST_EXPLORER_PAGES = "cost-explorer-pages"
METRICS_REQUESTED = "metrics-requested"
LOG_BYTES_SCANNED = "log-bytes-scanned"

_SCHEMA = """
pragma journal_mode = wal;
create table if not exists charge (
  kind text not null,
  hour text not null,
  number integer not null,
  primary key (kind, hour)
) without rowid;
create table if not exists counted (
  one integer primary key check (one = 1),
  minute integer not null
);
"""
_ADD = """
insert into charge values (?, ?, ?)
on conflict (kind, hour) do update set number = number + excluded.number
"""
_BETWEEN = """
select coalesce(sum(number), 0) from charge where kind = ? and hour >= ? and hour < ?
"""


class Charges:
    """Charged requests by kind and hour (UTC) in `home`; several may share one file."""

    def __init__(self, home: Path) -> None:
        home.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(home / "charges.sqlite", check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def add(self, kind: str, number: int, at: datetime) -> None:
        """Charge so many requests made at an aware moment."""
        with self._lock, self._database:
            self._database.execute(_ADD, (kind, _hour(at), number))

    def count(self, charged: Iterable[tuple[str, int, datetime]], *, through: int) -> None:
        """Charge kinds, numbers and moments up to a minute (since 1970): all of it or nothing.

        Whoever counts minutes goes on behind `counted_through`, so kill -9 repeats and loses none.
        """
        rows = [(kind, _hour(at), number) for kind, number, at in charged]
        with self._lock, self._database:
            self._database.executemany(_ADD, rows)
            self._database.execute("insert or replace into counted values (1, ?)", (through,))

    def counted_through(self) -> int | None:
        """The last minute that was counted, None before the first."""
        with self._lock:
            row = self._database.execute("select minute from counted").fetchone()
        return int(row[0]) if row else None

    def between(self, kind: str, start: datetime, end: datetime) -> int:
        """Charged requests from one full hour to before another."""
        with self._lock:
            row = self._database.execute(_BETWEEN, (kind, _hour(start), _hour(end))).fetchone()
        return int(row[0])


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
