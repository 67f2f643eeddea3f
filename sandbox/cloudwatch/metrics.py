"""What names a metric, and what one minute of it amounts to."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox.cloudwatch.points import bucket_of


@dataclass(frozen=True, order=True)
class Metric:
    """Namespace, name and the exact set of dimensions, sorted by name."""

    namespace: str
    name: str
    dimensions: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, namespace: str, name: str, **dimensions: str) -> Metric:
        """A metric by keywords: `Metric.of("AWS/ECS", "CPUUtilization", ClusterName="c")`."""
        return cls(namespace, name, tuple(sorted(dimensions.items())))

    @classmethod
    def parse(
        cls, namespace: str, name: str, dimensions: Iterable[Mapping[str, str]] = ()
    ) -> Metric:
        """A metric as the API spells it: dimensions are dicts of Name and Value."""
        pairs = sorted((dimension["Name"], dimension["Value"]) for dimension in dimensions)
        return cls(namespace, name, tuple(pairs))

    def as_dict(self) -> dict[str, Any]:
        """The API's spelling."""
        dimensions = [{"Name": name, "Value": value} for name, value in self.dimensions]
        return {"Namespace": self.namespace, "MetricName": self.name, "Dimensions": dimensions}


@dataclass(frozen=True)
class Aggregate:
    """One minute of one metric. `buckets` is None where the single values are not known."""

    count: float
    total: float
    low: float
    high: float
    buckets: Mapping[int, float] | None = None

    def __add__(self, other: Aggregate) -> Aggregate:
        merged, more = self.distribution(), other.distribution()
        if merged is not None and more is not None:
            merged = dict(merged)
            for key, weight in more.items():
                merged[key] = merged.get(key, 0.0) + weight
        return Aggregate(
            self.count + other.count,
            self.total + other.total,
            min(self.low, other.low),
            max(self.high, other.high),
            merged if more is not None else None,
        )

    def distribution(self) -> Mapping[int, float] | None:
        """The buckets; where all values are equal they are known without being kept."""
        if self.buckets is not None or self.low != self.high:
            return self.buckets
        if abs(self.total - self.low * self.count) > 1e-9 * abs(self.total):
            return None
        return {int(bucket_of(np.array([self.low]))[0]): self.count}


def aggregate(values: Sequence[float], counts: Sequence[float] | None = None) -> Aggregate:
    """The aggregate of single values, each seen so many times; `values` is not empty."""
    if len(values) == 1:
        count = 1.0 if counts is None else float(counts[0])
        return statistic_set(count, values[0] * count, values[0], values[0])
    array = np.asarray(values, dtype=np.float64)
    weights = np.ones(len(array)) if counts is None else np.asarray(counts, dtype=np.float64)
    buckets: dict[int, float] = {}
    for key, weight in zip(bucket_of(array).tolist(), weights.tolist(), strict=True):
        buckets[key] = buckets.get(key, 0.0) + weight
    return Aggregate(
        float(weights.sum()),
        float(array @ weights),
        float(array.min()),
        float(array.max()),
        buckets,
    )


def statistic_set(count: float, total: float, low: float, high: float) -> Aggregate:
    """An aggregate known only by its statistics."""
    return Aggregate(count, total, low, high)
