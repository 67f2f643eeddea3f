"""Database and cache: what they report follows the requests, before the epoch and after it.

The sandbox runs no RDS and no ElastiCache, so their metrics are emulated from the measured request
rate by the same formulas as the history: nothing jumps at the epoch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Floats, Ints
from sandbox.history.noise import normal

_MIB = 2.0**20
_GIB = 2.0**30
_DATABASE = {"DBInstanceIdentifier": "news-production"}
_CACHE = {"CacheClusterId": "news-production-001", "CacheNodeId": "0001"}


@dataclass(frozen=True)
class Gauge:
    """A reading: `base`, more with every request per second, more when the database is slow.

    `per_day` drifts from the epoch on; `noise` is the relative standard deviation.
    """

    unit: str
    base: float
    per_request: float = 0.0
    strained: float = 0.0
    noise: float = 0.03
    per_day: float = 0.0
    most: float = np.inf
    whole: bool = False


_RDS: Mapping[str, Gauge] = {
    "CPUUtilization": Gauge("Percent", 6.0, 0.9, 68.0, 0.05, most=100.0),
    "DBLoad": Gauge("Count", 0.05, 0.012, 13.0, 0.1),
    "DatabaseConnections": Gauge("Count", 8.0, 0.4, 46.0, 0.04, whole=True),
    "FreeableMemory": Gauge("Bytes", 1.62 * _GIB, -3.0 * _MIB, -410 * _MIB, 0.005),
    "FreeStorageSpace": Gauge("Bytes", 62.0 * _GIB, noise=0.0, per_day=-0.09 * _GIB),
    "DiskQueueDepth": Gauge("Count", 0.01, 0.004, 22.0, 0.15),
    "ReadLatency": Gauge("Seconds", 0.0005, 0.00001, 0.021, 0.06),
    "WriteLatency": Gauge("Seconds", 0.0011, 0.00002, 0.017, 0.06),
    "ReadIOPS": Gauge("Count/Second", 4.0, 2.4, 2600.0, 0.08),
    "WriteIOPS": Gauge("Count/Second", 6.0, 0.6, 40.0, 0.08),
    "MaximumUsedTransactionIDs": Gauge("Count", 1.2e8, noise=0.0, per_day=2.0e5, whole=True),
}
_ELASTICACHE: Mapping[str, Gauge] = {
    "EngineCPUUtilization": Gauge("Percent", 0.4, 0.12, 0.0, 0.06, most=100.0),
    "CPUUtilization": Gauge("Percent", 1.6, 0.15, 0.0, 0.06, most=100.0),
    "DatabaseMemoryUsagePercentage": Gauge("Percent", 21.0, 0.1, noise=0.01, most=100.0),
    "Evictions": Gauge("Count", 0.0, noise=0.0),
    "SwapUsage": Gauge("Bytes", 0.0, noise=0.0),
    "CurrConnections": Gauge("Count", 10.0, 0.2, noise=0.03, whole=True),
    "CacheHits": Gauge("Count", 0.0, 55.0, -400.0, 0.03, whole=True),
    "CacheMisses": Gauge("Count", 2.0, 5.0, 0.0, 0.06, whole=True),
    "ReplicationLag": Gauge("Seconds", 0.0004, noise=0.2),
}
GAUGES: Mapping[Metric, Gauge] = {
    **{Metric.of("AWS/RDS", name, **_DATABASE): gauge for name, gauge in _RDS.items()},
    **{Metric.of("AWS/ElastiCache", name, **_CACHE): gauge for name, gauge in _ELASTICACHE.items()},
}


def readings(
    metric: Metric, minutes: Ints, *, requests_per_second: Floats, strain: Floats, epoch: int
) -> Floats:
    """One reading a minute; `strain` is 0 to 1, `epoch` and `minutes` count from 1970."""
    gauge = GAUGES[metric]
    level = gauge.base + gauge.per_request * requests_per_second + gauge.strained * strain
    level = level + gauge.per_day * (minutes - epoch) / 1440
    noise = 1 + gauge.noise * normal(f"{metric.namespace} {metric.name}", minutes)
    value = np.clip(level * noise, 0.0, gauge.most)
    return np.round(value) if gauge.whole else value
