"""How events come in: into the store, past the metric filters, into the metrics of AWS/Logs."""

from __future__ import annotations

import logging
import threading
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sandbox.cloudwatch.metrics import Aggregate, Metric, aggregate
from sandbox.cloudwatch.service import CloudWatch
from sandbox.errors import AwsError
from sandbox.logs.groups import milliseconds
from sandbox.logs.metric_filters import Filter, Filters
from sandbox.logs.store import Group, Store, size

log = logging.getLogger("sandbox.logs")

MINUTE_MS = 60_000
# PutMetricData takes at most so many different values of one metric.
_VALUES = 150

_Key = tuple[Metric, int, str]


class Ingestion:
    """Writes batches from any thread; `flush` hands on what they amount to in metrics."""

    def __init__(self, store: Store, filters: Filters, cloudwatch: CloudWatch) -> None:
        self._store = store
        self._filters = filters
        self._cloudwatch = cloudwatch
        self._lock = threading.Lock()
        self._incoming: dict[_Key, Aggregate] = {}
        self._filtered: dict[_Key, Counter[float]] = {}
        # Minutes that a filter with a default value has seen: did anything match?
        self._matched: dict[tuple[str, str, int], bool] = {}

    def write(
        self,
        group: Group,
        stream: str,
        events: Sequence[tuple[int, str]],
        *,
        followed: tuple[str, int] | None = None,
    ) -> None:
        """Add (milliseconds since 1970, message) pairs to a stream that exists."""
        now = milliseconds()
        self._store.append(group, stream, events, now, followed=followed)
        if not events:
            return
        with self._lock:
            self._count(group, events, now // MINUTE_MS)
            for each in self._filters.of(group.name):
                self._apply(each, events)

    def _count(self, group: Group, events: Sequence[tuple[int, str]], minute: int) -> None:
        received = sum(size(message) for _, message in events)
        for name, value, unit in (
            ("IncomingBytes", received, "Bytes"),
            ("IncomingLogEvents", len(events), "None"),
        ):
            key = (Metric.of("AWS/Logs", name, LogGroupName=group.name), minute, unit)
            new = aggregate([float(value)])
            self._incoming[key] = self._incoming[key] + new if key in self._incoming else new

    def _apply(self, each: Filter, events: Sequence[tuple[int, str]]) -> None:
        for at, message in events:
            minute = at // MINUTE_MS
            found = each.value(message)
            seen = (each.group, each.name, minute)
            if each.default is not None:
                self._matched[seen] = self._matched.get(seen, False) or found is not None
            if found is not None:
                self._add(found[0], minute, each.unit, found[1])

    def _add(self, metric: Metric, minute: int, unit: str, value: float) -> None:
        self._filtered.setdefault((metric, minute, unit), Counter())[value] += 1

    def flush(self) -> None:
        """Publish what came in since the last time, and default values of minutes that are over."""
        with self._lock:
            self._add_defaults(milliseconds() // MINUTE_MS)
            incoming, self._incoming = self._incoming, {}
            filtered, self._filtered = self._filtered, {}
        for (metric, minute, unit), new in incoming.items():
            old = self._cloudwatch.published(metric, minute)
            self._cloudwatch.publish({(metric, minute): (old + new if old else new, unit)})
        for key, values in filtered.items():
            self._put(key, list(values.items()))

    def _add_defaults(self, now: int) -> None:
        for group, name, minute in [key for key in self._matched if key[2] < now]:
            matched = self._matched.pop((group, name, minute))
            each = self._filters.find(group, name)
            if each and each.default is not None and not matched:
                self._add(each.metric, minute, each.unit, each.default)

    def _put(self, key: _Key, values: Sequence[tuple[float, int]]) -> None:
        metric, minute, unit = key
        described: dict[str, Any] = metric.as_dict()
        namespace = described.pop("Namespace")
        at = datetime.fromtimestamp(minute * 60, UTC)
        data = [
            described
            | {"Timestamp": at, "Unit": unit}
            | {"Values": [v for v, _ in part], "Counts": [float(n) for _, n in part]}
            for part in (values[i : i + _VALUES] for i in range(0, len(values), _VALUES))
        ]
        try:
            self._cloudwatch.put_metric_data(Namespace=namespace, MetricData=data)
        except AwsError as error:
            # Events choose values and dimensions; what CloudWatch does not take is not published.
            log.warning("a metric filter's values were not published: %s", error)
