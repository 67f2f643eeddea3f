"""How often Cost Explorer was asked: every answered page costs a cent."""

from __future__ import annotations

import sqlite3
import threading
from datetime import date
from pathlib import Path

_SCHEMA = """
pragma journal_mode = wal;
create table if not exists request (day text primary key, number integer not null) without rowid;
"""
_COUNT = """
insert into request values (?, 1) on conflict (day) do update set number = number + 1
"""


class RequestLog:
    """Charged requests by day, kept in SQLite."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)
        self._lock = threading.Lock()

    def close(self) -> None:
        """Close the database."""
        self._database.close()

    def count(self, day: date) -> None:
        """Charge one request to a day (UTC)."""
        with self._lock, self._database:
            self._database.execute(_COUNT, (day.isoformat(),))

    def on(self, day: date) -> int:
        """Charged requests of that day."""
        with self._lock:
            query = "select number from request where day = ?"
            row = self._database.execute(query, (day.isoformat(),)).fetchone()
        return int(row[0]) if row else 0
