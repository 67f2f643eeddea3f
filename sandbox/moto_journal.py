"""What changed moto's state, written down so that a restart can do it again.

moto keeps everything in memory. The seed makes the same account at every start; this journal
holds each request that changed it since, with the moment it came and the seed of moto's random
identifiers, so that replaying gives the same resources the same ids and dates.
"""

from __future__ import annotations

import json
import re
import sqlite3
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# About two milliseconds each at a start.
LIMIT = 5_000
# Operations that change nothing worth keeping, by the first word of their names.
_READS = re.compile(
    r"^(Assume|Batch(?:Check|Describe|Get)|Check|Decode|Describe|Detect|Download|Estimate|Filter|Get"
    r"|Head|List|Lookup|Poll|Query|Receive|Scan|Search|Select|Simulate|Test|Validate|View)"
)
# What KMS computes with its keys leaves nothing behind.
_COMPUTED = re.compile(
    r"^(Encrypt|Decrypt|ReEncrypt|Sign|Verify|(Generate|Verify)(Mac|Random|DataKey\w*))$"
)
# Messages pass through; a queue is empty after a restart.
_PASSING = frozenset(
    {
        "ChangeMessageVisibility",
        "ChangeMessageVisibilityBatch",
        "DeleteMessage",
        "DeleteMessageBatch",
        "Publish",
        "PublishBatch",
        "PurgeQueue",
        "PutEvents",
        "SendMessage",
        "SendMessageBatch",
    }
)
_SIGNATURE = re.compile(r"Signature=[0-9a-f]{64}")
_SESSION = "x-amz-security-token"
_SESSION_IN_QUERY = re.compile(rf"(?<![^&]){_SESSION}=[^&]*&?", re.IGNORECASE)


@dataclass(frozen=True)
class Entry:
    """One request that was applied: when (seconds since 1970, sandbox time) and by which seed."""

    at: float
    seed: int
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes


def changes(operation: str) -> bool:
    """Whether an operation changes an account, judged by AWS's naming."""
    leaves_nothing = _READS.match(operation) or _COMPUTED.match(operation)
    return not leaves_nothing and operation not in _PASSING


class Journal:
    """Entries in a SQLite file, in the order they were applied. Used by moto's thread only."""

    def __init__(self, path: Path) -> None:
        self._database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = NORMAL")
        self._database.execute(
            "CREATE TABLE IF NOT EXISTS entry (number INTEGER PRIMARY KEY, body TEXT NOT NULL)"
        )
        (self._count,) = self._database.execute("SELECT count(*) FROM entry").fetchone()

    @property
    def full(self) -> bool:
        """Whether no more entries are taken: a start must not take for ever."""
        return bool(self._count >= LIMIT)

    def append(self, entry: Entry) -> None:
        """Write one entry; it survives the end of the process from here on."""
        body = vars(entry) | {
            "headers": [
                (name, _unsigned(value))
                for name, value in entry.headers
                if name.lower() != _SESSION
            ],
            "query": _SESSION_IN_QUERY.sub("", _unsigned(entry.query)),
            "body": b64encode(entry.body).decode(),
        }
        self._database.execute("INSERT INTO entry (body) VALUES (?)", (json.dumps(body),))
        self._count += 1

    def entries(self) -> Iterator[Entry]:
        """Every entry, oldest first."""
        rows = self._database.execute("SELECT body FROM entry ORDER BY number").fetchall()
        for (text,) in rows:
            body = json.loads(text)
            headers = [(name, value) for name, value in body.pop("headers")]
            yield Entry(**body | {"headers": headers, "body": b64decode(body["body"])})

    def close(self) -> None:
        """Close the file."""
        self._database.close()


def _unsigned(text: str) -> str:
    """A signature belongs to whoever made it and is of no use here; so does a session's token."""
    return _SIGNATURE.sub(f"Signature={'0' * 64}", text)
