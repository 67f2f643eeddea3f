"""The load balancer's minutes as the metrics of AWS/ApplicationELB.

Counts are published only where they are not zero, and nothing at all without traffic.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeVar

from sandbox.cloudwatch.metrics import Aggregate, Metric
from sandbox.cloudwatch.points import OFFSET, Floats
from sandbox.measurements import AlbMinute, Latency

NAMESPACE = "AWS/ApplicationELB"
_TARGET_COUNTS = {
    "target_2xx": "HTTPCode_Target_2XX_Count",
    "target_3xx": "HTTPCode_Target_3XX_Count",
    "target_4xx": "HTTPCode_Target_4XX_Count",
    "target_5xx": "HTTPCode_Target_5XX_Count",
    "connection_errors": "TargetConnectionErrorCount",
}
_OWN_COUNTS = {
    "elb_4xx": "HTTPCode_ELB_4XX_Count",
    "elb_5xx": "HTTPCode_ELB_5XX_Count",
    "elb_502": "HTTPCode_ELB_502_Count",
    "elb_503": "HTTPCode_ELB_503_Count",
    "elb_504": "HTTPCode_ELB_504_Count",
    "rejected": "RejectedConnectionCount",
}

Number = TypeVar("Number", float, Floats)
Minutes = dict[tuple[Metric, int], tuple[Aggregate, str]]


def gauge(values: Sequence[float]) -> Aggregate:
    """The aggregate of readings whose distribution nobody asks for; not empty."""
    return Aggregate(float(len(values)), float(sum(values)), min(values), max(values))


def capacity_units(bytes_per_minute: Number) -> Number:
    """Load balancer capacity units of one minute, by its bytes: one is a gigabyte an hour."""
    return bytes_per_minute * 60 / 1e9


def _count(number: float) -> tuple[Aggregate, str]:
    return Aggregate(float(number), float(number), 1.0, 1.0), "Count"


def _latency(latency: Latency) -> Aggregate:
    """Response times in seconds; the load balancer's buckets are CloudWatch's, but for zero."""
    buckets = {int(key) + OFFSET: float(number) for key, number in latency["buckets"].items()}
    return Aggregate(sum(buckets.values()), latency["sum"], latency["min"], latency["max"], buckets)


def of_target_group(row: AlbMinute, healthy: Mapping[str, int]) -> Minutes:
    """The metrics of one target group's minute; counts only where they are not zero."""
    group, minute = row["target_group"], row["minute"]
    if group is None or not row["requests"] + row["connection_errors"]:
        return {}
    both = {"LoadBalancer": row["load_balancer"], "TargetGroup": group}
    found: Minutes = {}
    for field_name, name in {"requests": "RequestCount", **_TARGET_COUNTS}.items():
        if number := row[field_name]:  # type: ignore[literal-required]
            found[Metric.of(NAMESPACE, name, **both), minute] = _count(number)
    per_target = row["requests"] / max(healthy.get(group, 1), 1)
    if per_target:
        for dimensions in ({"TargetGroup": group}, both):
            metric = Metric.of(NAMESPACE, "RequestCountPerTarget", **dimensions)
            found[metric, minute] = (Aggregate(1.0, per_target, per_target, per_target), "Count")
    latency = row.get("latency")
    if latency and latency["buckets"]:
        metric = Metric.of(NAMESPACE, "TargetResponseTime", **both)
        found[metric, minute] = (_latency(latency), "Seconds")
    return found


def of_load_balancers(rows: Sequence[AlbMinute]) -> Minutes:
    """The load balancers' own metrics: its target groups' added up, and its own answers."""
    found: Minutes = {}
    for row in rows:
        own, minute = {"LoadBalancer": row["load_balancer"]}, row["minute"]
        names = dict(_OWN_COUNTS)
        if row["target_group"] is not None:
            names |= {"requests": "RequestCount", **_TARGET_COUNTS}
        for field_name, name in names.items():
            if number := row[field_name]:  # type: ignore[literal-required]
                _add(found, Metric.of(NAMESPACE, name, **own), minute, *_count(number))
        if row["bytes"]:
            total = Aggregate(1.0, float(row["bytes"]), row["bytes"], row["bytes"])
            _add(found, Metric.of(NAMESPACE, "ProcessedBytes", **own), minute, total, "Bytes")
            units = capacity_units(float(row["bytes"]))
            _add(
                found, Metric.of(NAMESPACE, "ConsumedLCUs", **own), minute, gauge([units]), "Count"
            )
        latency = row.get("latency")
        if row["target_group"] is not None and latency and latency["buckets"]:
            metric = Metric.of(NAMESPACE, "TargetResponseTime", **own)
            _add(found, metric, minute, _latency(latency), "Seconds")
    return found


def _add(found: Minutes, metric: Metric, minute: int, new: Aggregate, unit: str) -> None:
    old = found.get((metric, minute))
    found[metric, minute] = (old[0] + new if old else new, unit)
