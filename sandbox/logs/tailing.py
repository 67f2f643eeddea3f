"""What the awslogs driver does: every line a task writes becomes an event of its stream.

The fleet lets each task append to `<task id>.log`. How far a file was read is kept in the same
transaction as its lines, so that a restart neither repeats nor loses any.
"""

from __future__ import annotations

import asyncio
import ctypes
import re
import time
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from sandbox import clock
from sandbox.ecs.account import Account
from sandbox.logs.groups import milliseconds
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.store import Group, Store
from sandbox.repeating import repeat

POLL_SECONDS = 0.5
# Whenever so much more of a file was read, its disk space is given back.
FREED_BYTES = 1024 * 1024
_KEEP_SIZE, _PUNCH_HOLE = 1, 2
_READ_BYTES = 4 * 1024 * 1024
# Docker splits longer lines.
_LINE_BYTES = 256 * 1024
_STAMP = re.compile(r'\{"time": ?"([0-9T:.+Z-]+)"')
# A line that says it is older than this was not written just now.
_RECENT_SECONDS = 600.0

Destinations = Mapping[str, tuple[str, str]]


def destinations(account: Account) -> dict[str, tuple[str, str]]:
    """Log group and stream of every task whose container has the awslogs driver, by task id."""
    found = {}
    for task in list(account.tasks.values()):
        container = account.task_definitions[task.task_definition].container
        configuration: dict[str, Any] = container.get("logConfiguration", {})
        options: dict[str, str] = configuration.get("options", {})
        if configuration.get("logDriver") == "awslogs" and "awslogs-group" in options:
            task_id = task.arn.rsplit("/", 1)[-1]
            prefix = options.get("awslogs-stream-prefix", "ecs")
            stream = f"{prefix}/{task.container}/{task_id}"
            found[task_id] = (options["awslogs-group"], stream)
    return found


class Follower:
    """Reads the files of `directory` into their log groups."""

    def __init__(self, directory: Path, store: Store, ingestion: Ingestion) -> None:
        self._directory = directory
        self._store = store
        self._ingestion = ingestion
        self._followed = store.followed()
        self._freed: dict[str, int] = {}

    async def run(self, account: Account) -> None:
        """Follow until cancelled."""

        async def read() -> None:
            await asyncio.to_thread(self.poll, destinations(account))

        # A full disk must not end all logging; it goes on where it was.
        await repeat(read, "reading the tasks' output", every=POLL_SECONDS)

    def poll(self, known: Destinations) -> None:
        """Read what was written since the last time; files of tasks not known are left alone."""
        present = {path.stem: path for path in self._directory.glob("*.log")}
        for task in self._followed.keys() - present.keys():
            self._store.unfollow(task)
            del self._followed[task]
            self._freed.pop(task, None)
        for task, path in present.items():
            if task not in self._followed and task in known:
                self._begin(task, *known[task])
            if task in self._followed:
                with suppress(FileNotFoundError):
                    self._read(task, path)

    def _begin(self, task: str, group: str, stream: str) -> None:
        self._store.create_stream(self._group(group), stream, milliseconds())
        self._store.follow(task, group, stream)
        self._followed[task] = (group, stream, 0)

    def _group(self, name: str) -> Group:
        """The log group, created as the driver does with awslogs-create-group."""
        return self._store.group(name) or self._store.create_group(name, milliseconds())

    def _read(self, task: str, path: Path) -> None:
        group, stream, position = self._followed[task]
        length = path.stat().st_size
        if length == position:
            return
        # Shorter than what was read: the file was emptied and begins anew.
        if length < position:
            position = self._freed[task] = 0
        with path.open("rb") as file:
            file.seek(position)
            read = file.read(_READ_BYTES)
        whole = read[: read.rfind(b"\n") + 1]
        if not whole and len(read) > _LINE_BYTES:
            whole = read
        position += len(whole)
        self._write(self._group(group), stream, whole, (task, position))
        self._followed[task] = (group, stream, position)
        if position - self._freed.get(task, 0) >= FREED_BYTES and freed(path, position):
            self._freed[task] = position

    def _write(self, group: Group, stream: str, lines: bytes, followed: tuple[str, int]) -> None:
        self._store.create_stream(group, stream, milliseconds())
        now, real = clock.time(), time.time()
        events = [
            (_stamp(text, now, real), text[begin : begin + _LINE_BYTES])
            for text in lines.decode(errors="replace").replace("\r\n", "\n").split("\n")
            if text.strip()
            for begin in range(0, len(text), _LINE_BYTES)
        ]
        self._ingestion.write(group, stream, events, followed=followed)


def freed(path: Path, length: int) -> bool:
    """Give back the disk space of a file's first bytes; False where the system cannot.

    The file keeps its length and its task goes on appending. To truncate it instead would lose what
    is written between looking at its length and truncating. See fallocate(2); only Linux has it.
    """
    fallocate = getattr(ctypes.CDLL(None), "fallocate", None)
    if fallocate is None:
        return False
    with path.open("rb+") as file:
        return not fallocate(
            file.fileno(), _PUNCH_HOLE | _KEEP_SIZE, ctypes.c_int64(0), ctypes.c_int64(length)
        )


def _stamp(text: str, now: float, real: float) -> int:
    """When a line was written, in milliseconds of sandbox time: docker stamps what it is given.

    A JSON line of the workload says itself when, in real time; any other was written by now.
    """
    found = _STAMP.match(text)
    ago = 0.0
    if found:
        with suppress(ValueError):
            ago = real - datetime.fromisoformat(found[1]).timestamp()
    return int((now - (ago if 0 < ago < _RECENT_SECONDS else 0.0) * clock.rate()) * 1000)
