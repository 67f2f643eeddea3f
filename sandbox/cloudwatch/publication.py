"""When a measured minute can be read, and how much of it at first.

AWS publishes no figures. These follow what users measured: a minute of the load balancer is seen
about a minute after it began, is nearly complete a minute later and settles within minutes, as
its nodes report one after another; other services send a minute whole. Everything is a function
of the minute and of sandbox time, so a test sees the same every time.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Buckets, Floats, Ints, Points, keep
from sandbox.history.noise import uniform, whole

# Seconds after a minute's end, and the share of its requests that has been reported by then.
_LOAD_BALANCER = ((5.0, 0.55), (35.0, 0.80), (75.0, 0.95), (180.0, 1.0))
_SOON = ((5.0, 1.0),)
_WHOLE: Mapping[str, tuple[tuple[float, float], ...]] = {
    "AWS/ECS": ((30.0, 1.0),),
    "AWS/ElastiCache": ((60.0, 1.0),),
    "AWS/RDS": ((60.0, 1.0),),
    "ECS/ContainerInsights": ((60.0, 1.0),),
}
_READINGS = ("ActiveConnectionCount", "HealthyHostCount", "UnHealthyHostCount")
# One value a minute that grows with every node's report; other metrics have a value a request.
_SUMS = ("ConsumedLCUs", "ProcessedBytes", "RequestCountPerTarget")
_SETTLED = 180.0
# How much the shares differ from minute to minute.
_JITTER = 0.1


@dataclass
class Publication:
    """`factor` stretches every delay above (0 shows a minute while it is measured).

    `delay` are extra seconds that hold back everything, also what callers publish themselves.
    """

    factor: float = 1.0
    delay: float = 0.0

    def visible(self, metric: Metric, points: Points, now: datetime) -> Points:
        """What of measured minutes can be read at an aware moment."""
        if not len(points):
            return points
        newest = self._age(points.minute[-1:], now)[0]
        if newest >= _SETTLED * self.factor and newest >= 0:
            return points
        share = self._share(metric, points, now)
        if (share >= 1).all():
            return points
        return _in_part(metric, points, share)

    def visible_seconds(self, points: Points, now: datetime) -> Points:
        """What of seconds that callers published can be read: all, but for the extra delay."""
        if not self.delay:
            return points
        return keep(points, points.minute + 1 + self.delay <= now.timestamp())

    def _age(self, minute: Ints, now: datetime) -> Floats:
        """Seconds since each minute's end, less the extra delay."""
        return np.asarray(now.timestamp() - (minute + 1) * 60.0 - self.delay)

    def _share(self, metric: Metric, points: Points, now: datetime) -> Floats:
        steps = _steps(metric)
        age = self._age(points.minute, now)
        if not steps or not self.factor:
            return np.where((age >= 0) | (self.delay == 0), 1.0, 0.0)
        times = np.array([seconds for seconds, _ in steps]) * self.factor
        shares = np.array([0.0, *(share for _, share in steps)])
        share = shares[np.searchsorted(times, age, side="right")]
        unsettled = (share > 0) & (share < 1)
        jitter = _JITTER * (uniform("publication", points.minute) - 0.5)
        return np.where(unsettled, share + jitter * (1 - share), share)


def _steps(metric: Metric) -> tuple[tuple[float, float], ...]:
    if metric.namespace == "AWS/ApplicationELB":
        return _SOON if metric.name in _READINGS else _LOAD_BALANCER
    return _WHOLE.get(metric.namespace, ())


def _in_part(metric: Metric, points: Points, share: Floats) -> Points:
    """Rows scaled to the share that was reported, whole values only; without a value no row.

    A single request comes with one node's report: at its share of minutes it is there at once. A
    node reports all its metrics together, so no part of them is ever more than the whole.
    """
    if metric.name in _SUMS:
        scaled = points.total * share
        part = Points(points.minute, points.count, scaled, scaled, scaled, points.buckets)
        return keep(part, share > 0)
    early = whole("reported", points.minute, points.count * share)
    count = np.where(share < 1, np.minimum(early, points.count), points.count)
    factor = count / points.count
    buckets = points.buckets
    weight = buckets.weight * factor[buckets.row].astype(np.float32)
    equal = points.low == points.high
    part = Points(
        points.minute,
        count,
        np.where(equal, points.low * count, points.total * factor),
        points.low,
        points.high,
        Buckets(buckets.row, buckets.key, weight),
    )
    return keep(part, count > 0)
