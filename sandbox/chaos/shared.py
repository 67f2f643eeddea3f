"""The faults that tasks and the load balancer act out, in one small file they all watch.

The sandbox rewrites the file; a reader looks at its time of change at most ten times a second, so
that a running task learns of a fault without a restart and pays a few microseconds a request.
Shape: {"seed": int | None, "tasks": [row], "balancer": [row], "relays": {"database": row}}.
"""

from __future__ import annotations

import json
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

# Tasks find the file here.
VARIABLE = "SANDBOX_FAULTS"
NAME = "faults.json"
LOOK_SECONDS = 0.1
CALM: Mapping[str, Any] = {"seed": None, "tasks": [], "balancer": [], "relays": {}}


def write(path: Path, faults: Mapping[str, Any]) -> None:
    """Replace the file at once: no reader sees half of it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(faults))
    draft.replace(path)


class FaultFile:
    """The sandbox's side of the file. `relays` are the dependencies that can be made to fail."""

    def __init__(self, path: Path, relays: Collection[str]) -> None:
        self.path = path
        self.relays = relays
        self._faults: dict[str, Any] = {**CALM, "tasks": [], "balancer": [], "relays": {}}
        self._write()

    def seed(self, seed: int | None) -> None:
        """Let every reader draw from dice of this seed from now on."""
        self._faults["seed"] = seed
        self._write()

    def add(self, section: str, row: Mapping[str, Any]) -> None:
        """Put a row into `tasks` or `balancer`."""
        self._faults[section].append(row)
        self._write()

    def remove(self, section: str, row: Mapping[str, Any]) -> None:
        """Take that very row out again."""
        self._faults[section] = [kept for kept in self._faults[section] if kept is not row]
        self._write()

    def relay(self, name: str, row: Mapping[str, Any] | None) -> None:
        """Let one relay fail as `row` says, or (None) work again."""
        others = {key: kept for key, kept in self._faults["relays"].items() if key != name}
        self._faults["relays"] = others | ({name: row} if row else {})
        self._write()

    def _write(self) -> None:
        write(self.path, self._faults)


class Watched:
    """What the file says now; without a file there are no faults."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._faults = CALM
        self._mark: tuple[int, int] | None = None
        self._look_at = 0.0

    @property
    def faults(self) -> Mapping[str, Any]:
        """The file's content, looked up anew when it may have changed."""
        if self._path is not None and time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + LOOK_SECONDS
            self._look(self._path)
        return self._faults

    def _look(self, path: Path) -> None:
        try:
            found = path.stat()
        except FileNotFoundError:
            self._faults, self._mark = CALM, None
            return
        mark = (found.st_mtime_ns, found.st_ino)
        if mark != self._mark:
            self._faults, self._mark = json.loads(path.read_text()), mark
