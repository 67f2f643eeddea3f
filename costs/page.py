"""What the cost pages and their CSV files show: one reading, two ways to print it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from costs import comparison, months, queries, rounding
from costs.comparison import Effects
from costs.invoice import Invoice, Section, View, invoice, section
from costs.models import Granularity
from costs.months import Comparable, Month
from costs.queries import Record, Usage


@dataclass(frozen=True, slots=True)
class Reading:
    """A month's records and usage, and what of it may be compared with the month before."""

    month: Month
    records: tuple[Record, ...]
    before: tuple[Record, ...]
    spans: Comparable | None
    usage: tuple[Usage, ...]

    @property
    def as_of(self) -> datetime | None:
        return max((record.as_of for record in self.records), default=None)

    @property
    def is_estimated(self) -> bool:
        return any(record.estimated for record in self.records)

    @property
    def is_daily(self) -> bool:
        return all(record.granularity == Granularity.DAILY for record in self.records)

    @property
    def restated(self) -> int:
        """How many figures AWS changed after it had called them final."""
        return sum(record.restated for record in self.records)


def read(month: Month, *, service: str = "") -> Reading:
    """Read a month and the one before it, of one service or of all. Two queries."""
    found = queries.records(month.previous().first, month.end)
    if service:
        found = [record for record in found if record.service == service]
    before = tuple(record for record in found if record.day < month.first)
    records = tuple(record for record in found if record.day >= month.first)
    spans = _spans(month, records, before)
    usage = queries.usage(month, spans, service=service)
    return Reading(month, records, before, spans, tuple(usage))


def _spans(month: Month, records: Sequence[Record], before: Sequence[Record]) -> Comparable | None:
    """Without a month before there is nothing to compare; a month read whole has no first days."""
    if not records or not before:
        return None
    spans = months.comparable(month, as_of=max(record.as_of for record in records))
    daily = all(record.granularity == Granularity.DAILY for record in [*records, *before])
    return spans if spans and (spans.now.whole or daily) else None


def as_invoice(reading: Reading, view: View, *, hide: bool = True) -> Invoice:
    """Return the month as an invoice."""
    return invoice(
        month=reading.month,
        view=view,
        records=[*reading.before, *reading.records],
        spans=reading.spans,
        drivers=_drivers(reading),
        hide=hide,
    )


def _drivers(reading: Reading) -> dict[str, dict[str, Effects]]:
    """Effects by service and usage type."""
    by_service: dict[str, dict[str, Effects]] = defaultdict(dict)
    if reading.spans:
        for one in reading.usage:
            by_service[one.service][one.key] = _effects(one, reading.spans)
    return by_service


def _effects(usage: Usage, spans: Comparable) -> Effects:
    return comparison.effects(
        usage.before, usage.now, days_before=spans.before.days, days_now=spans.now.days
    )


@dataclass(frozen=True, slots=True)
class UsageRow:
    """One usage type of a service: what was used, what it cost, why that changed."""

    usage: Usage
    price: Decimal | None
    effects: Effects | None

    @property
    def change(self) -> Decimal:
        return self.usage.now.cost - self.usage.before.cost


@dataclass(frozen=True, slots=True)
class Breakdown:
    """A service's usage types, dearest first; `credits` is what net adds to `gross`."""

    service: str
    rows: tuple[UsageRow, ...]
    gross: Decimal
    credits: Decimal

    @property
    def net(self) -> Decimal:
        return self.gross + self.credits


def breakdown(reading: Reading, service: str) -> Breakdown:
    """Return the usage types of one service; `reading` must be of that service."""
    rows = sorted(
        (_usage_row(one, reading.spans) for one in reading.usage),
        key=lambda row: (-abs(row.usage.total.cost), row.usage.key),
    )
    credited = [r.cost for r in reading.records if section(r.record_type) == Section.CREDITS]
    return Breakdown(
        service=service,
        rows=tuple(rows),
        gross=sum((row.usage.total.cost for row in rows), Decimal(0)),
        credits=sum(credited, Decimal(0)),
    )


def _usage_row(usage: Usage, spans: Comparable | None) -> UsageRow:
    return UsageRow(
        usage=usage,
        price=rounding.unit_price(usage.total.cost, usage.total.quantity),
        effects=_effects(usage, spans) if spans else None,
    )
