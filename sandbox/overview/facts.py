"""What the sandbox is doing now: clock, processes and memory."""

from __future__ import annotations

import contextlib
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
    named = _groups(home / "pids")
    usage = group_usage(set(named))
    processes = tuple(
        Process(pid, ", ".join(what), usage[pid][1])
        for pid, what in sorted(named.items())
        if usage[pid][1]
    )
    return Facts(epoch, clock.now(), clock.rate(), clock.ahead(), processes)


def _groups(path: Path) -> dict[int, list[str]]:
    """What runs in each process group, by the pid file; helpers run in the gateway's own."""
    groups = {os.getpgid(0): ["gateway"]}
    for line in path.read_text().splitlines():
        pid, _, mark = line.partition(" ")
        with contextlib.suppress(ProcessLookupError):
            groups.setdefault(os.getpgid(int(pid)), []).append(mark)
    return groups
