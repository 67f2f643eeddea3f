"""What the sandbox is doing now: clock, processes and memory."""

from __future__ import annotations

import os
import subprocess
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sandbox import clock
from sandbox.processes import command_line

_PAGE = os.sysconf("SC_PAGE_SIZE")
_PROC = Path("/proc")
_WHAT = {
    "sandbox.alb": "load balancer",
    "sandbox.traffic": "traffic",
    "sandbox.zygote": "fork server of tasks",
}


@dataclass(frozen=True)
class Process:
    """A process of the sandbox with what it started itself, and the bytes of memory they take."""

    pid: int
    what: str
    memory_bytes: int


@dataclass(frozen=True)
class Facts:
    """The moment the page is made; `ahead_seconds` is sandbox time less real time.

    `proportional`: memory is Linux's PSS, in which pages that several processes share are divided
    among them; else it is resident memory, which counts such pages in each of them.
    """

    epoch: datetime
    now: datetime
    rate: float
    ahead_seconds: float
    processes: tuple[Process, ...]
    proportional: bool = True

    @property
    def memory_bytes(self) -> int:
        """Bytes of all of them together."""
        return sum(process.memory_bytes for process in self.processes)


@dataclass(frozen=True)
class Row:
    """One line of the process table."""

    parent: int
    resident_bytes: int
    command: str


def gather(epoch: datetime, tasks: Mapping[int, str]) -> Facts:
    """Read the clock and the process table; `tasks` names the processes that are tasks."""
    proportional = (_PROC / "self" / "smaps_rollup").exists()
    table = _table_of_proc() if proportional else _table_of_ps()

    def size(pid: int) -> int:
        return _proportional(pid) if proportional else table[pid].resident_bytes

    found = attributed(os.getpid(), table, size, tasks)
    return Facts(epoch, clock.now(), clock.rate(), clock.ahead(), found, proportional)


def attributed(
    gateway: int,
    table: Mapping[int, Row],
    size: Callable[[int], int],
    tasks: Mapping[int, str],
) -> tuple[Process, ...]:
    """The gateway, what it started, and tasks; whatever else is below one of these is its own."""
    named = {gateway: "gateway"}
    named |= {
        pid: _what(row.command) for pid, row in table.items() if row.parent == gateway
    } | dict(tasks)
    totals: Counter[int] = Counter()
    for pid in table:
        above: int | None = pid
        while above is not None and above not in named:
            above = table[above].parent if above in table else None
        if above is not None:
            totals[above] += size(pid)
    return tuple(Process(pid, named[pid], totals[pid]) for pid in named if pid in totals)


def _what(command: str) -> str:
    """What a child of the gateway is: `python -m MODULE …` or another program."""
    _, _, module = command.partition(" -m ")
    name = (module or command).split(" ")[0].rsplit("/", 1)[-1]
    return _WHAT.get(name, name)


def _table_of_proc() -> dict[int, Row]:
    """Every process of this machine, as Linux tells it; small images have no `ps`."""
    rows = {}
    for process in _PROC.glob("[0-9]*"):
        try:
            fields = (process / "stat").read_text().rpartition(")")[2].split()
            command = command_line(process)
        except OSError:  # it has ended meanwhile
            continue
        rows[int(process.name)] = Row(int(fields[1]), int(fields[21]) * _PAGE, command)
    return rows


def _table_of_ps() -> dict[int, Row]:
    """Every process of this machine, but for the one that lists them."""
    listing = subprocess.Popen(
        ["ps", "-axo", "pid=,ppid=,rss=,command="],  # noqa: S607
        stdout=subprocess.PIPE,
        text=True,
    )
    written, _ = listing.communicate()
    rows = (line.split(None, 3) for line in written.splitlines())
    return {
        int(pid): Row(int(parent), int(kibibytes) * 1024, command)
        for pid, parent, kibibytes, command in rows
        if int(pid) != listing.pid
    }


def _proportional(pid: int) -> int:
    """Bytes of PSS; 0 of a process that has ended or is another user's."""
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text()
    except OSError:
        return 0
    sizes = dict(line.split(":", 1) for line in text.splitlines()[1:])
    return int(sizes["Pss"].split()[0]) * 1024
