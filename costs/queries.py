"""Reads of the stored costs. Nothing here asks AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from costs import plan
from costs.comparison import Line
from costs.invoice import CREDITS
from costs.models import CostFact, IngestRun, RunStatus, Shape, charge
from costs.months import Comparable, Month, Span

STALE_AFTER = timedelta(hours=36)


@dataclass(frozen=True, slots=True)
class MonthToDate:
    """What the running UTC month cost so far, without credits and refunds, in USD.

    `total` is None while nothing of the month has arrived.
    """

    month: Month
    total: Decimal | None
    as_of: datetime | None


def month_to_date(at: datetime) -> MonthToDate:
    """Return the running month's costs. One query."""
    month = Month.at(at)
    found = _of(Shape.RECORD, month.first, month.end).exclude(record_type__in=CREDITS)
    sums = found.aggregate(total=Sum("unblended"), as_of=Max("as_of"))
    return MonthToDate(month, sums["total"], sums["as_of"])


def history() -> list[plan.Run]:
    """Return all ingest runs, newest first. One query."""
    return [_run(run) for run in IngestRun.objects.order_by("-started_at", "-id")]


def _run(run: IngestRun) -> plan.Run:
    window = plan.Window(run.granularity, run.start, run.end)
    return plan.Run(window, run.status, run.started_at, run.charged_requests)


@dataclass(frozen=True, slots=True)
class IngestState:
    """How reading Cost Explorer goes. `newest_failure` is None unless the last attempt failed."""

    read_at: datetime | None
    newest_failure: IngestRun | None
    requests_today: int
    requests_this_month: int
    requests_a_day: int
    next_at: datetime

    @property
    def usd_today(self) -> Decimal:
        return charge(self.requests_today)

    @property
    def usd_this_month(self) -> Decimal:
        return charge(self.requests_this_month)


def ingest_state(at: datetime) -> IngestState:
    """Return the state of reading. One query."""
    rows = list(IngestRun.objects.order_by("-started_at", "-id"))
    runs = [_run(row) for row in rows]
    ended = [row for row in rows if row.status != RunStatus.RUNNING]
    daily = [run for run in runs if run.succeeded and run.window.granularity == plan.DAILY]
    allowance = settings.COSTS_CHARGED_REQUESTS_PER_DAY
    return IngestState(
        read_at=max((run.started_at for run in daily), default=None),
        newest_failure=ended[0] if ended and ended[0].status == RunStatus.FAILED else None,
        requests_today=plan.charged_on(runs, at.date()),
        requests_this_month=sum(
            run.charged for run in runs if Month.at(run.started_at) == Month.at(at)
        ),
        requests_a_day=allowance,
        next_at=plan.next_at(runs, at=at, requests_a_day=allowance),
    )


@dataclass(frozen=True, slots=True)
class Record:
    """What one service cost on one day (or in one month) under one record type, in USD."""

    day: date
    granularity: str
    service: str
    record_type: str
    cost: Decimal
    estimated: bool
    restated: bool
    as_of: datetime


def records(start: date, end: date) -> list[Record]:
    """Return the costs from `start` to before `end` by service and record type. One query."""
    rows = _of(Shape.RECORD, start, end).values_list(
        "day",
        "granularity",
        "service",
        "record_type",
        "unblended",
        "estimated",
        "restated",
        "as_of",
    )
    return [Record(*row) for row in rows.order_by("day", "service", "record_type")]


@dataclass(frozen=True, slots=True)
class Usage:
    """What one usage type of a service cost in a month, and in two spans of days if compared.

    Credits and refunds are left out.
    """

    service: str
    usage_type: str
    unit: str
    total: Line
    before: Line
    now: Line

    @property
    def key(self) -> str:
        """The usage type; one that changed its unit is two."""
        return f"{self.usage_type} ({self.unit})" if self.unit else self.usage_type


def usage(month: Month, spans: Comparable | None, *, service: str = "") -> list[Usage]:
    """Return costs and quantities, of one service or of all. One query."""
    whole = Span(month.first, month.end, whole=True)
    before, now = (spans.before, spans.now) if spans else (whole, whole)
    found = _of(Shape.USAGE, min(before.start, whole.start), whole.end)
    if service:
        found = found.filter(service=service)
    rows = found.values("service", "usage_type", "unit").annotate(
        **_sums("total", whole), **_sums("before", before), **_sums("now", now)
    )
    return [_usage(row) for row in rows.order_by("service", "usage_type", "unit")]


def _sums(name: str, span: Span) -> dict[str, Any]:
    within = Q(day__gte=span.start, day__lt=span.end)
    return {
        f"{name}_cost": Sum("unblended", filter=within),
        f"{name}_quantity": Sum("quantity", filter=within),
        f"{name}_mixed": Count("pk", filter=within & Q(quantity=None)),
    }


def _usage(row: Mapping[str, Any]) -> Usage:
    total, before, now = (_line(row, name) for name in ("total", "before", "now"))
    return Usage(row["service"], row["usage_type"], row["unit"], total, before, now)


def _line(row: Mapping[str, Any], name: str) -> Line:
    quantity = None if row[f"{name}_mixed"] else row[f"{name}_quantity"] or Decimal(0)
    return Line(row[f"{name}_cost"] or Decimal(0), quantity, row["unit"])


def known_months() -> tuple[Month, Month] | None:
    """Return the oldest and the newest month with costs, or None without any. One query."""
    ends = CostFact.objects.filter(shape=Shape.RECORD).aggregate(first=Min("day"), last=Max("day"))
    return (Month.of(ends["first"]), Month.of(ends["last"])) if ends["first"] else None


def _of(shape: Shape, start: date, end: date) -> QuerySet[CostFact]:
    return CostFact.objects.filter(shape=shape, day__gte=start, day__lt=end)
