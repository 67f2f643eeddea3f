"""The aggregation functions of `stats` (user guide, "stats": functions to use with stats)."""

from __future__ import annotations

import math
import statistics
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

from sandbox.logs.insights.values import Timestamp, number, sort_key, text


class Aggregate(ABC):
    """Takes a value after the other; what is no number does not count for numeric functions."""

    @abstractmethod
    def add(self, value: Any, at: Any) -> None:
        """One record's value, and its time (None where that plays no part)."""

    @abstractmethod
    def result(self) -> Any:
        """What it amounts to; None when nothing counted."""


class Count(Aggregate):
    """How many records have a value."""

    def __init__(self) -> None:
        self._count = 0

    def add(self, value: Any, at: Any) -> None:
        """One record."""
        if value is not None:
            self._count += 1

    def result(self) -> int:
        """The number of records."""
        return self._count


class CountDistinct(Aggregate):
    """How many different values there are; exact, where AWS approximates large numbers."""

    def __init__(self) -> None:
        self._seen: set[str] = set()

    def add(self, value: Any, at: Any) -> None:
        """One record."""
        if value is not None:
            self._seen.add(text(value))

    def result(self) -> int:
        """The number of values."""
        return len(self._seen)


class Numbers(Aggregate):
    """Anything computed from all numbers of a group."""

    def __init__(self, compute: Callable[[list[float]], Any]) -> None:
        self._compute = compute
        self._numbers: list[float] = []

    def add(self, value: Any, at: Any) -> None:
        """One record."""
        found = number(value)
        if found is not None:
            self._numbers.append(found)

    def result(self) -> Any:
        """What was computed; None without numbers, or where they are too large for any result."""
        try:
            return self._compute(self._numbers) if self._numbers else None
        except (ArithmeticError, ValueError):
            return None


class Extreme(Aggregate):
    """The value with the highest (or lowest) key, the first one of several."""

    def __init__(self, key: Callable[[Any, Any], Any], *, highest: bool) -> None:
        self._key = key
        self._highest = highest
        self._found: tuple[Any, Any] | None = None

    def add(self, value: Any, at: Any) -> None:
        """One record."""
        if value is None:
            return
        key = self._key(value, at)
        if self._found is None or (key > self._found[0] if self._highest else key < self._found[0]):
            self._found = (key, value)

    def result(self) -> Any:
        """The value; of a timestamp its milliseconds (measured on AWS for earliest and latest)."""
        found = self._found[1] if self._found else None
        return int(found) if isinstance(found, Timestamp) else found


def _percentile(share: float) -> Callable[[list[float]], float]:
    """Linear between the closest ranks, as numpy's default; AWS does not say which it uses."""

    def compute(values: list[float]) -> float:
        ordered = sorted(values)
        rank = share / 100 * (len(ordered) - 1)
        low, high = ordered[math.floor(rank)], ordered[math.ceil(rank)]
        return low + (high - low) * (rank - math.floor(rank))

    return compute


def _deviation(values: list[float]) -> float:
    if not all(map(math.isfinite, values)):
        return math.nan
    return statistics.stdev(values) if len(values) > 1 else 0.0


def _by_value(value: Any, _: Any) -> Any:
    return sort_key(value)


def _by_time(_: Any, at: Any) -> Any:
    return at


# Those that need a time read @timestamp.
TIMED = frozenset({"earliest", "latest"})

AGGREGATES: dict[str, Callable[[], Aggregate]] = {
    "count": Count,
    "count_distinct": CountDistinct,
    "sum": lambda: Numbers(math.fsum),
    "avg": lambda: Numbers(lambda values: math.fsum(values) / len(values)),
    "stddev": lambda: Numbers(_deviation),
    "min": lambda: Extreme(_by_value, highest=False),
    "max": lambda: Extreme(_by_value, highest=True),
    "sortsfirst": lambda: Extreme(_by_value, highest=False),
    "sortslast": lambda: Extreme(_by_value, highest=True),
    "earliest": lambda: Extreme(_by_time, highest=False),
    "latest": lambda: Extreme(_by_time, highest=True),
}


def percentile(share: float) -> Callable[[], Aggregate]:
    """The maker of `pct(field, share)`, a share of 0 to 100."""
    compute = _percentile(share)
    return lambda: Numbers(compute)
