"""What the sandbox is doing now: clock, processes and memory."""

from __future__ import annotations

import os
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox import clock
from sandbox.processes import group_usage


@dataclass(frozen=True)
class Process:
    """A process group the sandbox started, and its resident bytes (shared pages counted twice)."""

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
    """Read the clock and /proc (or ps)."""
    marks = dict(_marks(home / "pids"))
    own = os.getpgid(0)
    usage = group_usage({own, *marks})
    named = {own: "this gateway and what runs in its process group", **marks}
    processes = tuple(
        Process(pid, what, usage[pid][1]) for pid, what in named.items() if usage[pid][1]
    )
    return Facts(epoch, clock.now(), clock.rate(), clock.ahead(), processes)


def _marks(path: Path) -> list[tuple[int, str]]:
    """Process groups by the pid file: children that lead no group of their own are left out."""
    rows = (line.partition(" ") for line in path.read_text().splitlines())
    return [(int(pid), mark) for pid, _, mark in rows if mark]
