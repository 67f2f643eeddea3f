"""Child processes that never outlive the sandbox."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_M_ARENA_MAX = -8
_M_MMAP_THRESHOLD = -3
_LIBC = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


def die_with_parent() -> None:
    """Ask Linux to kill this process when its parent dies; elsewhere the pid file reaps it."""
    if _LIBC is not None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def hoard_no_memory() -> None:
    """Keep glibc from setting memory aside for each thread: fragments of it never come back."""
    if _LIBC is not None:
        _LIBC.mallopt(_M_ARENA_MAX, 1)
        # Left alone this threshold grows with every large array, and then those fragment too.
        _LIBC.mallopt(_M_MMAP_THRESHOLD, 256 * 1024)


def return_memory() -> None:
    """Give what was freed back to the system, for after work that needed much for a moment."""
    if _LIBC is not None:
        _LIBC.malloc_trim(0)


def kill_group(pid: int, number: signal.Signals) -> bool:
    """Send a signal to the process group `pid` leads; False when it is gone already."""
    try:
        os.killpg(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def group_usage(pids: set[int]) -> dict[int, tuple[float, int]]:
    """CPU seconds and resident bytes of each process group in `pids`, summed over its members."""
    return _usage_from_proc(pids) if Path("/proc/self/stat").exists() else _usage_from_ps(pids)


def _usage_from_proc(pids: set[int]) -> dict[int, tuple[float, int]]:
    totals = dict.fromkeys(pids, (0.0, 0))
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            fields = (entry / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        group = int(fields[2])
        if group in totals:
            seconds, resident = totals[group]
            # utime, stime, and those of reaped children; then resident pages.
            ticks = sum(int(value) for value in fields[11:15])
            totals[group] = (seconds + ticks / _TICKS, resident + int(fields[21]) * _PAGE)
    return totals


def _usage_from_ps(pids: set[int]) -> dict[int, tuple[float, int]]:
    totals = dict.fromkeys(pids, (0.0, 0))
    listing = subprocess.run(
        ["/bin/ps", "-axo", "pgid=,rss=,time="], capture_output=True, text=True, check=True
    ).stdout
    for line in listing.splitlines():
        group, kibibytes, spent = line.split()
        if int(group) in totals:
            seconds, resident = totals[int(group)]
            totals[int(group)] = (seconds + _clock(spent), resident + int(kibibytes) * 1024)
    return totals


def _clock(text: str) -> float:
    """`[[dd-]hh:]mm:ss.cc` as seconds."""
    days, _, rest = text.rpartition("-")
    seconds = 0.0
    for part in rest.split(":"):
        seconds = seconds * 60 + float(part)
    return seconds + 86400 * int(days or 0)


class PidFile:
    """Remembers process groups on disk, so that the next start can end what a crash left behind."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pids: dict[int, str] = {}

    def reap(self) -> None:
        """Kill the groups a previous run left; a pid that now runs another command is spared."""
        if self._path.exists():
            for line in self._path.read_text().splitlines():
                pid, _, mark = line.partition(" ")
                if mark and int(pid) != os.getpid() and mark in _command_of(int(pid)):
                    kill_group(int(pid), signal.SIGKILL)
        self._write()

    def add(self, pid: int, mark: str) -> None:
        """Remember a group by its leader's pid and a part of its command line."""
        self._pids[pid] = mark
        self._write()

    def discard(self, pid: int) -> None:
        """Forget a group that ended."""
        if self._pids.pop(pid, None) is not None:
            self._write()

    def _write(self) -> None:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        # Whoever is killed half-way leaves the old list: an empty one would end nobody.
        new = self._path.with_suffix(".new")
        new.write_text("".join(f"{pid} {mark}\n" for pid, mark in self._pids.items()))
        new.replace(self._path)


def _command_of(pid: int) -> str:
    """The command line of a process, empty when there is none; small images have no `ps`."""
    if not Path("/proc/self/cmdline").exists():
        return _command_from_ps(pid)
    try:
        return command_line(Path(f"/proc/{pid}"))
    except OSError:
        return ""


def command_line(process: Path) -> str:
    """What `/proc/PID` tells of a command, its words joined by blanks. Raises OSError."""
    words = (process / "cmdline").read_bytes().replace(b"\0", b" ")
    return words.decode(errors="replace").rstrip()


def _command_from_ps(pid: int) -> str:
    found = subprocess.run(
        ["ps", "-o", "command=", "-p", str(pid)],  # noqa: S607
        capture_output=True,
        text=True,
        check=False,
    )
    return found.stdout
