"""What survives a restart: JSON documents in one SQLite file."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox import clock


class State:
    """Documents by kind and key. Timestamps inside documents survive; writes are durable at once.

    Raises sqlite3.Error when the file cannot be used.
    """

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(path, isolation_level=None)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS document "
            "(kind TEXT, key TEXT, body TEXT NOT NULL, PRIMARY KEY (kind, key))"
        )

    def put(self, kind: str, key: str, body: object) -> None:
        """Write one document."""
        text = json.dumps(body, default=_encode)
        self._database.execute(
            "INSERT INTO document VALUES (?, ?, ?) "
            "ON CONFLICT (kind, key) DO UPDATE SET body = excluded.body",
            (kind, key, text),
        )

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write all documents of the block at once, or none when it raises or is killed.

        Within such a block another one is part of it. Not to be held across an await.
        """
        if self._database.in_transaction:
            yield
            return
        self._database.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")

    def get(self, kind: str, key: str) -> Any:
        """Read one document, None when there is none."""
        query = "SELECT body FROM document WHERE kind = ? AND key = ?"
        row = self._database.execute(query, (kind, key)).fetchone()
        return json.loads(row[0], object_hook=_decode) if row else None

    def delete(self, kind: str, key: str) -> None:
        """Forget one document; nothing happens when there is none."""
        self._database.execute("DELETE FROM document WHERE kind = ? AND key = ?", (kind, key))

    def all(self, kind: str) -> Iterator[Any]:
        """Every document of a kind, in the order of its first write."""
        query = "SELECT body FROM document WHERE kind = ? ORDER BY rowid"
        for (body,) in self._database.execute(query, (kind,)).fetchall():
            yield json.loads(body, object_hook=_decode)

    def epoch(self) -> datetime:
        """When this account was first started: the moment history ends and measurement begins."""
        known = self.get("account", "epoch")
        if known is None:
            known = {"at": clock.now()}
            self.put("account", "epoch", known)
        at: datetime = known["at"]
        return at

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _encode(value: object) -> dict[str, str]:
    if isinstance(value, datetime):
        return {"$at": value.isoformat()}
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _decode(value: dict[str, Any]) -> Any:
    return datetime.fromisoformat(value["$at"]) if value.keys() == {"$at"} else value
