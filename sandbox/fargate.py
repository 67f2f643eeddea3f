"""Fargate's CPU, emulated: what a task's requests cost, and how a task that uses it up is slowed.

One sandbox vCPU is 1/k of a core of this machine (k is `SANDBOX_VCPU_FACTOR`), so that ten tasks
fit on a laptop and a few hundred requests a second saturate two of them. The CPU time that a
request's thread really spent, times k, is charged to the task in vCPU-seconds. As with the Linux
kernel's CFS bandwidth control, which Fargate's tasks run under, a task has `units / 1024` of every
period of 100 ms; what it leaves is lost, what it overdraws is paid from the next periods, and
until then its requests wait. So latency grows, the queue fills and throughput is capped, and two
units do twice the work of one.

Load is real: percent of CPU = 100 × vCPU-seconds charged / (real seconds × units / 1024), however
fast the sandbox's clock runs.

A task that serves requests wraps its WSGI application with `charged`. Any other task is charged
with the CPU time of its processes, and is not slowed.
"""

from __future__ import annotations

import math
import mmap
import os
import struct
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

METER = "SANDBOX_CPU_METER"
UNITS = "SANDBOX_CPU_UNITS"
FACTOR = "SANDBOX_VCPU_FACTOR"

# A request of the News API takes 2 to 2.9 ms of CPU: 512 units saturate at 60 to 85 a second.
DEFAULT_FACTOR = 3.0
PERIOD = 0.1
_VALUE = struct.Struct("<d")
_UNUSED = -1.0


def factor(environment: Mapping[str, str] = os.environ) -> float:
    """How many vCPU-seconds a second of this machine's CPU is; raises ValueError if not > 0."""
    chosen = float(environment.get(FACTOR, DEFAULT_FACTOR))
    if chosen <= 0:
        raise ValueError(f"{FACTOR} must be greater than 0")
    return chosen


class Quota:
    """CFS bandwidth of one task: `vcpus` × 100 ms of CPU in every period of 100 ms.

    Source: Linux, Documentation/scheduler/sched-bwc.rst, without bursts.
    """

    def __init__(self, vcpus: float) -> None:
        self._share = vcpus * PERIOD
        self._left = self._share
        self._period = 0

    def take(self, spent: float, now: float) -> float:
        """Charge vCPU-seconds at `now` (seconds of any steady clock); the seconds to wait."""
        period = math.floor(now / PERIOD)
        if period > self._period:
            refilled = self._left + (period - self._period) * self._share
            self._left, self._period = min(refilled, self._share), period
        self._left -= spent
        if self._left >= 0:
            return 0.0
        periods = math.ceil(-self._left / self._share)
        return (self._period + periods) * PERIOD - now


class Meter:
    """The vCPU-seconds a task was charged, in a file that task and sandbox both map."""

    def __init__(self, path: Path) -> None:
        with path.open("r+b") as file:
            self._map = mmap.mmap(file.fileno(), _VALUE.size)

    @classmethod
    def create(cls, path: Path) -> Meter:
        """A new meter that no task uses yet."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(_VALUE.pack(_UNUSED))
        return cls(path)

    def read(self) -> float | None:
        """vCPU-seconds so far; None when the task does not charge itself."""
        seconds: float = _VALUE.unpack_from(self._map)[0]
        return None if seconds < 0 else seconds

    def add(self, seconds: float) -> None:
        """Count more; adding 0 says that the task charges itself."""
        _VALUE.pack_into(self._map, 0, (self.read() or 0.0) + seconds)


class Cpu:
    """The CPU of one task, charged by its request threads."""

    def __init__(self, *, units: int, factor: float, meter: Meter) -> None:
        self._quota = Quota(units / 1024)
        self._factor = factor
        self._meter = meter
        self._lock = threading.Lock()
        self._marks = threading.local()
        # What this thread did before it served is no request's work; other threads begin at 0.
        self._marks.at = time.thread_time()
        meter.add(0.0)

    def settle(self) -> None:
        """Charge what this thread spent since it last settled, and wait as long as that takes.

        It is counted once it is paid, so a task never shows more than all of its CPU.
        """
        spent = self._since_mark() * self._factor
        with self._lock:
            pause = self._quota.take(spent, time.monotonic())
        if pause > 0:
            time.sleep(pause)
        with self._lock:
            self._meter.add(spent)

    def _since_mark(self) -> float:
        now = time.thread_time()
        before = getattr(self._marks, "at", 0.0)
        self._marks.at = now
        return now - before


class Charged:
    """A WSGI application whose requests cost CPU.

    What a thread does between two requests, such as parsing the next one, counts as well.
    """

    def __init__(self, inner: Wsgi, cpu: Cpu) -> None:
        self._inner = inner
        self._cpu = cpu

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request, no sooner than the task's CPU allows."""
        try:
            return self._inner(environ, start_response)
        finally:
            self._cpu.settle()


def own_cpu(environment: Mapping[str, str] = os.environ) -> Cpu | None:
    """The CPU of the task this process is; None outside of a task."""
    path = environment.get(METER)
    if not path:
        return None
    units = int(environment[UNITS])
    return Cpu(units=units, factor=factor(environment), meter=Meter(Path(path)))


def charged(application: Wsgi) -> Wsgi:
    """`application`, charged to the task this process is; itself outside of a task."""
    cpu = own_cpu()
    return application if cpu is None else Charged(application, cpu)
