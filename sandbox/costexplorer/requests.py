"""How often Cost Explorer was asked: every answered page costs a cent."""

from __future__ import annotations

import sqlite3
import threading
from datetime import UTC, datetime
from pathlib import Path

_SCHEMA = """
pragma journal_mode = wal;
create table if not exists request (hour text primary key, number integer not null) without rowid;
"""
_COUNT = """
insert into request values (?, 1) on conflict (hour) do update set number = number + 1
"""
_BETWEEN = "select coalesce(sum(number), 0) from request where hour >= ? and hour < ?"


class RequestLog:
    """Charged requests by hour (UTC), kept in SQLite."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def count(self, at: datetime) -> None:
        """Charge one request made at an aware moment."""
        with self._lock, self._database:
            self._database.execute(_COUNT, (_hour(at),))

    def between(self, start: datetime, end: datetime) -> int:
        """Charged requests from one full hour to before another."""
        with self._lock:
            (number,) = self._database.execute(_BETWEEN, (_hour(start), _hour(end))).fetchone()
        return int(number)


def _hour(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H")
