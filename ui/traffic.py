"""How many requests this process answered, and how long that took: for `/metrics`."""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from django.http import HttpRequest

# Seconds; a page of the portal should be in the first five.
BUCKETS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(frozen=True, slots=True)
class Answered:
    """What is counted together: a route, never a path, so that there are few of them."""

    method: str
    route: str
    status: int


class Traffic:
    """Counts of answers and a histogram of their durations. Safe for threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.answers: Counter[Answered] = Counter()
        self.buckets = [0] * (len(BUCKETS) + 1)
        self.seconds = 0.0

    def observe(self, answered: Answered, seconds: float) -> None:
        with self._lock:
            self.answers[answered] += 1
            self.buckets[bisect_left(BUCKETS, seconds)] += 1
            self.seconds += seconds

    def snapshot(self) -> tuple[dict[Answered, int], list[int], float]:
        """Return the answers, the count in each bucket (the last has no bound), and all seconds."""
        with self._lock:
            return dict(self.answers), list(self.buckets), self.seconds


traffic = Traffic()


def route(request: HttpRequest) -> str:
    """Return the pattern that matched, such as `services/<slug:slug>/`."""
    match = request.resolver_match
    return f"/{match.route}" if match else "unmatched"
