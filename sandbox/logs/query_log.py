"""Finished and unfinished queries on disk: results are kept for seven days, as on AWS."""

from __future__ import annotations

import json
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sandbox.logs.store import DAY_MS

KEPT_MS = 7 * DAY_MS
# AWS keeps every query of those days; this bounds the file.
KEPT_QUERIES = 1000
_SCHEMA = """
pragma journal_mode = wal;
pragma synchronous = normal;
create table if not exists query (
  id text primary key, created integer not null, head text not null, results text not null
);
create index if not exists query_by_time on query (created);
"""


@dataclass
class Query:
    """A query: when it began (milliseconds since 1970), its text, its groups, how far it is."""

    query_id: str
    created: int
    text: str
    groups: list[str]
    status: str = "Scheduled"
    duration: int = 0
    statistics: dict[str, float] = field(default_factory=dict)

    @property
    def over(self) -> bool:
        """Whether its status will not change any more."""
        return self.status not in ("Scheduled", "Running")


Results = list[list[dict[str, str]]]
NOTHING = "[]"


class QueryLog:
    """Queries by id; every method may be called from any thread."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._database = sqlite3.connect(path, check_same_thread=False)
        self._database.executescript(_SCHEMA)

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._database.close()

    def save(self, query: Query, rows: str = NOTHING) -> None:
        """Keep a query and what it found, Results as JSON; the oldest make room."""
        head = json.dumps(vars(query))
        with self._lock, self._database:
            self._database.execute(
                "insert or replace into query values (?, ?, ?, ?)",
                (query.query_id, query.created, head, rows),
            )
            self._database.execute(
                "delete from query where created < ? or id not in "
                "(select id from query order by created desc limit ?)",
                (query.created - KEPT_MS, KEPT_QUERIES),
            )

    def query(self, query_id: str) -> Query | None:
        """One query without its results."""
        row = self._one("head", query_id)
        return _query(row) if row else None

    def results(self, query_id: str) -> Results:
        """What a query found."""
        found: Results = json.loads(self._one("results", query_id) or NOTHING)
        return found

    def _one(self, column: str, query_id: str) -> str | None:
        statement = f"select {column} from query where id = ?"  # noqa: S608 - our own two names
        with self._lock:
            row = self._database.execute(statement, (query_id,)).fetchone()
        return row[0] if row else None

    def all(self) -> list[Query]:
        """Every query, the newest first, without results."""
        with self._lock:
            rows = self._database.execute("select head from query order by created desc, id")
            return [_query(head) for (head,) in rows]


def _query(head: str) -> Query:
    fields: dict[str, Any] = json.loads(head)
    return Query(**fields)
