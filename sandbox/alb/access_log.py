"""Access log of the load balancer: one JSON object a line, two files of bounded size."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

MAX_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True)
class Entry:
    """One answered request. Times in seconds, sizes in bytes; None where nothing was measured."""

    load_balancer: str
    client: str
    target_group: str | None
    target: str | None
    version: str | None
    status: int
    target_status: int | None
    method: str
    path: str
    started: float
    target_seconds: float | None
    received: int
    sent: int


class AccessLog:
    """Collects entries; `flush` appends them to the file and turns it over when it is full."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._lines: list[str] = []

    def write(self, entry: Entry) -> None:
        """Keep one entry for the next flush."""
        if self._path is None:
            return
        row: dict[str, Any] = asdict(entry)
        row["started"] = datetime.fromtimestamp(entry.started, UTC).isoformat()
        self._lines.append(json.dumps(row))

    def flush(self) -> None:
        """Append what was kept."""
        if self._path is None or not self._lines:
            return
        lines, self._lines = self._lines, []
        with self._path.open("a") as file:
            file.write("\n".join(lines) + "\n")
            full = file.tell() > MAX_BYTES
        if full:
            self._path.replace(self._path.with_suffix(".log.1"))
