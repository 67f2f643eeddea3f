"""What the sandbox is doing now: clock, processes and memory."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox import clock


@dataclass(frozen=True)
class Process:
    """A process the sandbox started, with its group if it leads one, and its resident bytes.

    Pages that several processes share are counted in each of them.
    """

    pid: int
    what: str
    rss_bytes: int


@dataclass(frozen=True)
class Facts:
    """The moment the page is made; `ahead_seconds` is sandbox time less real time."""

    epoch: datetime
    now: datetime
    rate: float
    ahead_seconds: float
    processes: tuple[Process, ...]

    @property
    def rss_bytes(self) -> int:
        """Resident bytes of all of them together."""
        return sum(process.rss_bytes for process in self.processes)


def gather(home: Path, epoch: datetime) -> Facts:
    """Read the clock and the process table."""
    table = _table()
    processes = tuple(
        Process(pid, what, _resident(pid, table))
        for pid, what in _named(home / "pids").items()
        if pid in table
    )
    return Facts(epoch, clock.now(), clock.rate(), clock.ahead(), processes)


def _named(path: Path) -> dict[int, str]:
    """What each process runs: its module or program, as the pid file has it."""
    named = {os.getpid(): "gateway"}
    for line in path.read_text().splitlines():
        pid, _, mark = line.partition(" ")
        words = [word for word in mark.split() if not word.startswith("-")]
        named[int(pid)] = words[0].rsplit("/", 1)[-1] if words else mark
    return named


def _table() -> dict[int, tuple[int, int]]:
    """Process group and resident bytes of every process of this machine."""
    listing = subprocess.run(
        ["ps", "-axo", "pid=,pgid=,rss="],  # noqa: S607
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    rows = (line.split() for line in listing.splitlines())
    return {int(pid): (int(group), int(kibibytes) * 1024) for pid, group, kibibytes in rows}


def _resident(pid: int, table: Mapping[int, tuple[int, int]]) -> int:
    if table[pid][0] != pid or pid == os.getpid():
        return table[pid][1]
    return sum(resident for group, resident in table.values() if group == pid)
