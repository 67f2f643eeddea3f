"""What the load balancer counted, minute by minute, as CloudWatch will want it."""

from __future__ import annotations

import math
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from sandbox.measurements import AlbMinute, Latency

KEPT_MINUTES = 30
_GROWTH = math.log(1.02)


def bucket(seconds: float) -> int:
    """The index i with 1.02^(i-1) < seconds <= 1.02^i; a time of zero counts as a microsecond."""
    return math.ceil(math.log(max(seconds, 1e-6)) / _GROWTH)


@dataclass
class Minute:
    """Counters of one load balancer and target group in one minute."""

    counts: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    fastest: float = math.inf
    slowest: float = 0.0
    buckets: Counter[int] = field(default_factory=Counter)

    def time(self, seconds: float) -> None:
        """Record one TargetResponseTime."""
        self.seconds += seconds
        self.fastest = min(self.fastest, seconds)
        self.slowest = max(self.slowest, seconds)
        self.buckets[bucket(seconds)] += 1

    def latency(self) -> Latency | None:
        """Sum, minimum, maximum and histogram in seconds, or None when nothing was timed."""
        if not self.buckets:
            return None
        buckets = {str(index): count for index, count in sorted(self.buckets.items())}
        return Latency(sum=self.seconds, min=self.fastest, max=self.slowest, buckets=buckets)


_COUNTS = (
    "requests",
    "target_2xx",
    "target_3xx",
    "target_4xx",
    "target_5xx",
    "elb_4xx",
    "elb_5xx",
    "elb_502",
    "elb_503",
    "elb_504",
    "connection_errors",
    "rejected",
    "bytes",
)


class Book:
    """The last KEPT_MINUTES minutes, keyed by minute, load balancer and target group.

    `run` tells it from the book of a process before, which is lost with that process.
    """

    def __init__(self) -> None:
        self.run = uuid.uuid4().hex
        self._minutes: dict[tuple[int, str, str | None], Minute] = {}
        self._newest = 0

    def at(self, now: float, load_balancer: str, target_group: str | None) -> Minute:
        """The counters for epoch second `now`."""
        minute = int(now // 60)
        if minute > self._newest:
            self._newest = minute
            self._forget(minute - KEPT_MINUTES)
        key = (minute, load_balancer, target_group)
        found = self._minutes.get(key)
        if found is None:
            found = self._minutes[key] = Minute()
        return found

    def _forget(self, before: int) -> None:
        for key in [key for key in self._minutes if key[0] < before]:
            del self._minutes[key]

    def since(self, minute: int) -> list[AlbMinute]:
        """Everything counted from epoch minute `minute` on, oldest first."""
        rows = sorted(
            (item for item in self._minutes.items() if item[0][0] >= minute),
            key=lambda item: (item[0][0], item[0][1], item[0][2] or ""),
        )
        return [_row(*key, counted) for key, counted in rows]


def _row(minute: int, load_balancer: str, target_group: str | None, counted: Minute) -> AlbMinute:
    row: Any = {name: counted.counts[name] for name in _COUNTS}
    row |= {"minute": minute, "load_balancer": load_balancer, "target_group": target_group}
    latency = counted.latency()
    if latency:
        row["latency"] = latency
    answer: AlbMinute = row
    return answer
