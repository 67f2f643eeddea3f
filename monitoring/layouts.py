"""Which CloudWatch series are kept for a service, and in which order.

A layout is immutable. A service whose target groups, database or cache change gets another one,
and the blocks written before keep theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

ALB = "AWS/ApplicationELB"
_PERCENTILES = tuple((stat, "TargetResponseTime", stat) for stat in ("p50", "p90", "p99"))
_TRAFFIC = (
    ("requests", "RequestCount", "Sum"),
    ("errors_5xx", "HTTPCode_Target_5XX_Count", "Sum"),
    ("errors_4xx", "HTTPCode_Target_4XX_Count", "Sum"),
    ("connection_errors", "TargetConnectionErrorCount", "Sum"),
)
LOAD_BALANCER = (
    *_PERCENTILES,
    *_TRAFFIC,
    ("elb_5xx", "HTTPCode_ELB_5XX_Count", "Sum"),
    ("elb_503", "HTTPCode_ELB_503_Count", "Sum"),
    ("rejected", "RejectedConnectionCount", "Sum"),
    ("connections", "ActiveConnectionCount", "Sum"),
)
TARGET_GROUP = (
    *_PERCENTILES,
    *_TRAFFIC,
    ("healthy", "HealthyHostCount", "Minimum"),
    ("unhealthy", "UnHealthyHostCount", "Maximum"),
)
ECS = (
    ("cpu", "CPUUtilization", "Average"),
    ("cpu_max", "CPUUtilization", "Maximum"),
    # One sample of each task that ran in the minute, be it for a part of it: more than ran at once.
    ("running", "CPUUtilization", "SampleCount"),
    ("memory", "MemoryUtilization", "Average"),
    ("memory_max", "MemoryUtilization", "Maximum"),
)
DATABASE = (
    ("cpu", "CPUUtilization", "Average"),
    ("load", "DBLoad", "Average"),
    ("connections", "DatabaseConnections", "Maximum"),
    ("free_memory", "FreeableMemory", "Minimum"),
    ("free_storage", "FreeStorageSpace", "Minimum"),
    ("queue_depth", "DiskQueueDepth", "Average"),
    ("read_latency", "ReadLatency", "Average"),
    ("write_latency", "WriteLatency", "Average"),
)
CACHE = (
    ("cpu", "EngineCPUUtilization", "Average"),
    ("memory", "DatabaseMemoryUsagePercentage", "Maximum"),
    ("connections", "CurrConnections", "Maximum"),
    ("evictions", "Evictions", "Sum"),
    ("hits", "CacheHits", "Sum"),
    ("misses", "CacheMisses", "Sum"),
)
Dimensions = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Series:
    """One statistic of one metric. `scope` is `lb`, `tg`, `ecs`, `db` or `cache`."""

    scope: str
    role: str
    namespace: str
    name: str
    stat: str
    dimensions: Dimensions
    _hash: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # A request looks up hundreds of series; their words need not be hashed each time.
        words = (self.scope, self.role, self.namespace, self.name, self.stat, self.dimensions)
        object.__setattr__(self, "_hash", hash(words))

    def __hash__(self) -> int:
        return self._hash

    @property
    def is_additive(self) -> bool:
        """Whether minutes may be added up."""
        return self.stat == "Sum"

    @property
    def shows_worst(self) -> bool:
        """Whether several minutes are shown by the worst: percentiles cannot be averaged."""
        return self.stat.startswith("p") or self.stat == "Maximum"

    def as_json(self) -> list[Any]:
        return [self.scope, self.role, self.namespace, self.name, self.stat, self.dimensions]


@dataclass(frozen=True)
class Layout:
    """The columns of a block. Two layouts with the same series are the same layout."""

    series: tuple[Series, ...]

    @cached_property
    def positions(self) -> dict[Series, int]:
        return {series: column for column, series in enumerate(self.series)}

    @cached_property
    def worst(self) -> npt.NDArray[np.bool_]:
        return np.array([series.shows_worst for series in self.series], dtype=np.bool_)

    @cached_property
    def additive(self) -> npt.NDArray[np.bool_]:
        return np.array([series.is_additive for series in self.series], dtype=np.bool_)

    @cached_property
    def target_groups(self) -> tuple[str, ...]:
        """Dimension values, in the service's order."""
        names = (dict(item.dimensions)["TargetGroup"] for item in self.series if item.scope == "tg")
        return tuple(dict.fromkeys(names))

    @cached_property
    def _by_scope(self) -> dict[tuple[str, str], dict[str, Series]]:
        found: dict[tuple[str, str], dict[str, Series]] = {}
        for series in self.series:
            target_group = dict(series.dimensions).get("TargetGroup", "")
            found.setdefault((series.scope, target_group), {})[series.role] = series
        return found

    def has(self, scope: str) -> bool:
        return (scope, "") in self._by_scope

    def of(self, scope: str, target_group: str = "") -> dict[str, Series]:
        """The series of one scope by role, such as `of("tg", "targetgroup/blue/01")`."""
        return self._by_scope.get((scope, target_group), {})

    def as_json(self) -> list[list[Any]]:
        return [series.as_json() for series in self.series]


def from_json(rows: Iterable[list[Any]]) -> Layout:
    return Layout(
        tuple(
            Series(scope, role, namespace, name, stat, tuple((key, value) for key, value in pairs))
            for scope, role, namespace, name, stat, pairs in rows
        )
    )


@dataclass(frozen=True, slots=True)
class Resources:
    """What a service consists of, in CloudWatch's dimension values; empty where there is none."""

    cluster: str
    name: str
    load_balancer: str = ""
    target_groups: tuple[str, ...] = ()
    db_instance: str = ""
    cache_cluster: str = ""


@lru_cache(maxsize=4096)
def layout_of(resources: Resources) -> Layout:
    """Return the series to keep for a service."""
    ecs = (("ClusterName", resources.cluster), ("ServiceName", resources.name))
    series = [
        *_load_balancer(resources),
        *_series("ecs", ECS, "AWS/ECS", ecs),
    ]
    if resources.db_instance:
        instance = (("DBInstanceIdentifier", resources.db_instance),)
        series += _series("db", DATABASE, "AWS/RDS", instance)
    if resources.cache_cluster:
        node = (("CacheClusterId", resources.cache_cluster), ("CacheNodeId", "0001"))
        series += _series("cache", CACHE, "AWS/ElastiCache", node)
    return Layout(tuple(series))


def _load_balancer(resources: Resources) -> list[Series]:
    if not resources.load_balancer:
        return []
    whole = (("LoadBalancer", resources.load_balancer),)
    series = _series("lb", LOAD_BALANCER, ALB, whole)
    for target_group in resources.target_groups:
        series += _series("tg", TARGET_GROUP, ALB, (*whole, ("TargetGroup", target_group)))
    return series


def _series(
    scope: str, metrics: Iterable[tuple[str, str, str]], namespace: str, dimensions: Dimensions
) -> list[Series]:
    return [Series(scope, role, namespace, name, stat, dimensions) for role, name, stat in metrics]
