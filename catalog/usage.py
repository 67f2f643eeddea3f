"""Counts what the portal asks of AWS, and estimates what the asking costs.

Calls are counted in memory and added to `AwsUsage` every ten seconds, after a Celery task or a
click that AWS had to hear at once. A killed process loses at most what it counted since.
"""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterable
from datetime import date
from decimal import Decimal

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from catalog.models import AwsUsage

FLUSH_SECONDS = 10
METRIC_DATA = ("cloudwatch", "GetMetricData")
# us-east-1, USD: Cost Explorer per request, GetMetricData per metric requested.
USD_PER_CALL = {"cost-explorer": Decimal("0.01")}
USD_PER_METRIC = Decimal("0.01") / 1000

Key = tuple[date, str, str]


class _Meter:
    """What has been counted and not yet written, in this process."""

    def __init__(self) -> None:
        self.calls: Counter[Key] = Counter()
        self.metrics: Counter[Key] = Counter()
        self.lock = threading.Lock()
        self.flushed_at = time.monotonic()

    def take(self) -> tuple[Counter[Key], Counter[Key]]:
        with self.lock:
            taken = self.calls, self.metrics
            self.calls, self.metrics = Counter(), Counter()
            self.flushed_at = time.monotonic()
        return taken

    def give_back(self, calls: Counter[Key], metrics: Counter[Key]) -> None:
        with self.lock:
            self.calls += calls
            self.metrics += metrics


_meter = _Meter()


def heard(service: str, operation: str) -> None:
    """Count one request; `aws.clients.on_call` calls this."""
    with _meter.lock:
        _meter.calls[timezone.now().date(), service, operation] += 1


def record_metrics(number: int) -> None:
    """Count the metrics of a GetMetricData request: they are what is charged, not the request."""
    with _meter.lock:
        _meter.metrics[timezone.now().date(), *METRIC_DATA] += number


def flush() -> None:
    """Add what has been counted to the database; keep counting it if that fails."""
    calls, metrics = _meter.take()
    try:
        with transaction.atomic():
            for key in sorted(calls.keys() | metrics.keys()):
                _add(key, calls[key], metrics[key])
    except Exception:
        _meter.give_back(calls, metrics)
        raise


def flush_if_due(**_: object) -> None:
    """Flush once in ten seconds; also connected to Celery's `task_postrun`."""
    if time.monotonic() - _meter.flushed_at >= FLUSH_SECONDS:
        flush()


def flush_at_exit(**_: object) -> None:
    """Flush what is left; connected to Celery's `worker_shutdown`."""
    flush()


def _add(key: Key, calls: int, metrics: int) -> None:
    day, service, operation = key
    row, _ = AwsUsage.objects.get_or_create(day=day, service=service, operation=operation)
    AwsUsage.objects.filter(pk=row.pk).update(
        calls=F("calls") + calls, metrics=F("metrics") + metrics
    )


def estimated_usd(rows: Iterable[AwsUsage]) -> Decimal:
    """Return the list price of the requests in US dollars, without free tier and discounts."""
    return sum((price(row) for row in rows), Decimal(0))


def price(row: AwsUsage) -> Decimal:
    """Return the list price of one row in US dollars."""
    return row.calls * USD_PER_CALL.get(row.service, Decimal(0)) + row.metrics * USD_PER_METRIC
