"""Facts about processes: whose they are, when they began, and how to make them end."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pwd
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LINUX = sys.platform == "linux"
PR_SET_PDEATHSIG = 1


@dataclass(frozen=True)
class Identity:
    """The user a server runs as when the launcher itself is root."""

    name: str
    uid: int
    gid: int

    @classmethod
    def of(cls, name: str) -> Identity:
        entry = pwd.getpwnam(name)
        return cls(name, entry.pw_uid, entry.pw_gid)

    def popen_arguments(self) -> dict[str, Any]:
        return {"user": self.uid, "group": self.gid, "extra_groups": []}


def die_with_parent(stop: signal.Signals) -> Callable[[], None] | None:
    """Return a `preexec_fn` that ties a child to this process, or None where Linux is not.

    The kernel sends `stop` when the *thread* that made the child ends, so children must be
    made in the main thread.
    """
    if not LINUX:
        return None
    prctl, parent = ctypes.CDLL(None).prctl, os.getpid()

    def tie() -> None:
        prctl(PR_SET_PDEATHSIG, int(stop))
        if os.getppid() != parent:  # it died between fork and prctl
            os._exit(1)

    return tie


def started_at(pid: int) -> str | None:
    """Return an opaque creation time of a living process, or None when there is none.

    A pid is used again; a pid together with its creation time is not.
    """
    if not LINUX:
        return _ps(pid, "lstart") or None
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if fields[0] in "ZX" else fields[19]


def arguments(pid: int) -> str:
    """Return the command line of a process, or an empty string when there is none."""
    if not LINUX:
        return _ps(pid, "args")
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except (FileNotFoundError, ProcessLookupError):
        return ""


def _ps(pid: int, column: str) -> str:
    seen = subprocess.run(
        ["ps", "-o", f"{column}=", "-p", str(pid)],  # noqa: S607 - macOS and BSD have it on PATH
        capture_output=True,
        text=True,
        check=False,
    )
    return seen.stdout.strip()


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal a child and everything it started; a group that is gone is fine."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end(pid: int, number: signal.Signals, *, seconds: float) -> None:
    """Ask a process that is not our child to stop, and kill its group after `seconds`."""
    began = started_at(pid)
    if began is None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
    if not wait_until(lambda: started_at(pid) != began, seconds=seconds):
        signal_group(pid, signal.SIGKILL)
        wait_until(lambda: started_at(pid) != began, seconds=5)


def wait_until(condition: Callable[[], bool], *, seconds: float, every: float = 0.02) -> bool:
    """Return True as soon as the condition holds, False when it did not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(every)
    return True


class Ledger:
    """The children we started, on disk, so that the next start can end what outlived us."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def record(self, name: str, pid: int) -> None:
        self._write({**self._read(), str(pid): [name, started_at(pid) or ""]})

    def forget(self, pid: int) -> None:
        self._write({key: entry for key, entry in self._read().items() if key != str(pid)})

    def reap(self, *, seconds: float = 5) -> list[str]:
        """End what a killed launcher left behind and return its names."""
        left = [
            (name, int(pid))
            for pid, (name, began) in self._read().items()
            if began and started_at(int(pid)) == began
        ]
        for _, pid in left:
            end(pid, signal.SIGTERM, seconds=seconds)
        self._write({})
        return [name for name, _ in left]

    def _read(self) -> Mapping[str, list[str]]:
        try:
            found: dict[str, list[str]] = json.loads(self.path.read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found

    def _write(self, entries: Mapping[str, list[str]]) -> None:
        draft = self.path.with_suffix(".new")
        draft.write_text(json.dumps(entries))
        draft.replace(self.path)
