"""Sandbox time: what AWS stamps and counts in.

sandbox time = real time × rate + offset, both kept in a small file that every process of one
sandbox maps into memory, so that a step is seen by all of them at once. The rate is chosen at
start (`SANDBOX_CLOCK_RATE`, 1 unless said); only the offset changes while it runs. Durations of
real work (a request's latency, waiting for a process) are not sandbox time: use time.monotonic.
"""

from __future__ import annotations

import asyncio
import mmap
import os
import struct
import time as real
from datetime import UTC, datetime
from pathlib import Path

# Children find the file here.
VARIABLE = "SANDBOX_CLOCK"
_LAYOUT = struct.Struct("<dd")
_OFFSET = struct.Struct("<d")


class Clock:
    """One mapped clock file; without a file it is real time."""

    def __init__(self, path: Path | None) -> None:
        self._rate = 1.0
        self._map: mmap.mmap | None = None
        if path is not None:
            with path.open("r+b") as file:
                self._map = mmap.mmap(file.fileno(), _LAYOUT.size)
            self._rate = _LAYOUT.unpack_from(self._map)[0]

    @property
    def rate(self) -> float:
        """Sandbox seconds per real second."""
        return self._rate

    def offset(self) -> float:
        """What is added to real time × rate, in seconds."""
        if self._map is None:
            return 0.0
        seconds: float = _OFFSET.unpack_from(self._map, _OFFSET.size)[0]
        return seconds

    def time(self) -> float:
        """Seconds since 1970."""
        return real.time() * self._rate + self.offset()

    def step(self, seconds: float) -> None:
        """Move sandbox time for every process of this sandbox; without a file it cannot move."""
        if self._map is None:
            raise RuntimeError("real time cannot be stepped")
        # Eight aligned bytes: no process ever sees half of a step.
        _OFFSET.pack_into(self._map, _OFFSET.size, self.offset() + seconds)


def prepare(path: Path, rate: float) -> None:
    """Write the clock file; a sandbox that ran before goes on from its own time, never back.

    Raises ValueError for a rate that is not positive.
    """
    if rate <= 0:
        raise ValueError("SANDBOX_CLOCK_RATE must be greater than 0")
    now = Clock(path).time() if path.exists() else real.time()
    # Whoever is killed half-way leaves the old file, never an empty one.
    new = path.with_suffix(".new")
    new.write_bytes(_LAYOUT.pack(rate, now - real.time() * rate))
    new.replace(path)


_current: list[Clock] = []


def use(path: Path | None) -> None:
    """Make `path` this process's clock; None is real time."""
    _current[:] = [Clock(path)]


def _clock() -> Clock:
    if not _current:
        path = os.environ.get(VARIABLE)
        use(Path(path) if path else None)
    return _current[0]


def time() -> float:
    """Sandbox time in seconds since 1970."""
    return _clock().time()


def now() -> datetime:
    """Sandbox time, UTC."""
    return datetime.fromtimestamp(time(), UTC)


def rate() -> float:
    """Sandbox seconds per real second."""
    return _clock().rate


def ahead() -> float:
    """How many seconds sandbox time is ahead of real time now."""
    return time() - real.time()


def step(seconds: float) -> None:
    """Move sandbox time; raises RuntimeError when this process has no clock file."""
    _clock().step(seconds)


async def sleep(seconds: float) -> None:
    """Wait for so many seconds of sandbox time. A step does not shorten the wait."""
    await asyncio.sleep(max(0.0, seconds) / rate())
