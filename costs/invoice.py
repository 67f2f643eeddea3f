"""The month's costs as rows: by service, with taxes and fees and credits on their own. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from costs import comparison, rounding
from costs.comparison import Driver, Effects
from costs.months import Comparable, Month, Span

ZERO = Decimal(0)
_SHARE = Decimal("0.001")
_FEES = {
    "Tax",
    "Fee",
    "Support",
    "Recurring",
    "Upfront",
    "RIFee",
    "SavingsPlanRecurringFee",
    "SavingsPlanUpfrontFee",
}
# Credits hide what usage costs. AWS's own console leaves them out as well.
CREDITS = ("Credit", "Refund")


class Record(Protocol):
    """What one service cost on one day under one record type, in USD."""

    @property
    def day(self) -> date: ...
    @property
    def service(self) -> str: ...
    @property
    def record_type(self) -> str: ...
    @property
    def cost(self) -> Decimal: ...


class View(StrEnum):
    """What counts: usage and fees as used, or all that will be on the invoice."""

    GROSS = "gross"
    NET = "net"


class Section(StrEnum):
    """Rows that belong together; taxes and fees are never spread over services."""

    USAGE = "Usage by service"
    FEES = "Taxes, support and fees"
    CREDITS = "Credits and refunds"


def section(record_type: str) -> Section:
    """Return where a Cost Explorer record type belongs; an unknown one is usage."""
    if record_type in CREDITS:
        return Section.CREDITS
    return Section.FEES if record_type in _FEES else Section.USAGE


@dataclass(frozen=True, slots=True)
class Change:
    """USD in two comparable spans; `share` is the row's part of all movement, 0 to 1."""

    before: Decimal
    now: Decimal
    share: Decimal | None
    driver: Driver | None

    @property
    def amount(self) -> Decimal:
        return self.now - self.before


@dataclass(frozen=True, slots=True)
class Row:
    """One service in one section. `total` is of the whole month so far, `daily` of each day."""

    service: str
    total: Decimal
    change: Change | None
    daily: tuple[Decimal, ...]

    @property
    def shown(self) -> Decimal:
        return rounding.shown(self.total)

    @property
    def negligible(self) -> bool:
        sides = [self.change.before, self.change.now] if self.change else []
        return all(rounding.negligible(amount) for amount in [self.total, *sides])


@dataclass(frozen=True, slots=True)
class Block:
    """The rows of a section, dearest first, without the negligible ones."""

    section: Section
    rows: tuple[Row, ...]
    total: Decimal


@dataclass(frozen=True, slots=True)
class Invoice:
    """A month's costs in one view. Totals are sums of exact amounts, never of rounded ones.

    `hidden` rows are worth less than half a cent and not in a block's rows, but in its total.
    """

    month: Month
    view: View
    blocks: tuple[Block, ...]
    hidden: tuple[Row, ...]
    total: Decimal
    spans: Comparable | None
    before: Decimal | None
    now: Decimal | None
    effects: Effects | None
    days: tuple[date, ...]

    @property
    def change(self) -> Decimal | None:
        if self.now is None or self.before is None:
            return None
        return self.now - self.before

    @property
    def rounding(self) -> Decimal:
        """By how much the rows shown miss the total shown: hidden rows and cents cut off."""
        rows = [row.total for block in self.blocks for row in block.rows]
        return rounding.difference(rows, self.total)


Lines = Mapping[tuple[Section, str], list[Record]]
Drivers = Mapping[str, Mapping[str, Effects]]


def invoice(
    *,
    month: Month,
    view: View,
    records: Iterable[Record],
    spans: Comparable | None,
    drivers: Drivers,
    hide: bool = True,
) -> Invoice:
    """Put a month's invoice together.

    :param records: of this month and, if `spans` is given, of the one before.
    :param drivers: effects by service and usage type, for the same spans.
    :param hide: leave out rows worth less than half a cent, and say how many.
    """
    lines = _lines(records, view)
    days = _days(month, _known_until(lines, month))
    movement = _movement(lines, spans) if spans else ZERO
    rows = {
        key: _row(key, found, month, spans, drivers, movement, days) for key, found in lines.items()
    }
    rows = {key: row for key, row in rows.items() if _matters(row)}
    hidden = tuple(row for row in rows.values() if hide and row.negligible)
    compared = [row.change for row in rows.values() if row.change]
    before = sum((change.before for change in compared), ZERO) if spans else None
    now = sum((change.now for change in compared), ZERO) if spans else None
    return Invoice(
        month=month,
        view=view,
        blocks=tuple(_blocks(rows, hidden)),
        hidden=hidden,
        total=sum((row.total for row in rows.values()), ZERO),
        spans=spans,
        before=before,
        now=now,
        effects=_explained(drivers, now - before)
        if now is not None and before is not None
        else None,
        days=days,
    )


def _lines(records: Iterable[Record], view: View) -> dict[tuple[Section, str], list[Record]]:
    lines: dict[tuple[Section, str], list[Record]] = defaultdict(list)
    for record in records:
        where = section(record.record_type)
        if view == View.NET or where != Section.CREDITS:
            lines[where, record.service].append(record)
    return lines


def _known_until(lines: Lines, month: Month) -> date:
    """The day after the newest one with costs in the month, or the month's first."""
    days = [r.day for found in lines.values() for r in found if month.first <= r.day < month.end]
    return max(days) + timedelta(days=1) if days else month.first


def _days(month: Month, end: date) -> tuple[date, ...]:
    return tuple(month.first + timedelta(days=n) for n in range((end - month.first).days))


def _movement(lines: Lines, spans: Comparable) -> Decimal:
    """The sum of all changes without their signs: what a row's share is a share of."""
    changes = [_within(found, spans.now) - _within(found, spans.before) for found in lines.values()]
    return sum((abs(change) for change in changes), ZERO)


def _within(found: Iterable[Record], span: Span) -> Decimal:
    return sum((r.cost for r in found if span.start <= r.day < span.end), ZERO)


def _row(
    key: tuple[Section, str],
    found: Sequence[Record],
    month: Month,
    spans: Comparable | None,
    drivers: Drivers,
    movement: Decimal,
    days: Sequence[date],
) -> Row:
    where, service = key
    by_day: dict[date, Decimal] = defaultdict(Decimal)
    for record in found:
        by_day[record.day] += record.cost
    whole = Span(month.first, month.end, whole=True)
    parts = drivers.get(service, {}) if where == Section.USAGE else {}
    return Row(
        service=service,
        total=_within(found, whole),
        change=_change(found, spans, parts, movement) if spans else None,
        daily=tuple(by_day.get(day, ZERO) for day in days),
    )


def _change(
    found: Iterable[Record], spans: Comparable, parts: Mapping[str, Effects], movement: Decimal
) -> Change:
    found = list(found)
    before, now = _within(found, spans.before), _within(found, spans.now)
    share = (abs(now - before) / movement).quantize(_SHARE) if movement else None
    return Change(before=before, now=now, share=share, driver=comparison.driver(parts))


def _matters(row: Row) -> bool:
    """A service that only cost something on days outside both spans is no row."""
    return bool(row.total or (row.change and (row.change.now or row.change.before)))


def _blocks(rows: Mapping[tuple[Section, str], Row], hidden: Sequence[Row]) -> Iterable[Block]:
    for where in Section:
        of_it = [row for (section_, _), row in rows.items() if section_ == where]
        if of_it:
            visible = [row for row in of_it if row not in hidden]
            visible.sort(key=lambda row: (-abs(row.total), row.service))
            yield Block(where, tuple(visible), sum((row.total for row in of_it), ZERO))


def _explained(drivers: Drivers, change: Decimal) -> Effects:
    """All effects; what usage types do not explain (taxes apart, credits) is `other`."""
    known = comparison.total(part for parts in drivers.values() for part in parts.values())
    return known + Effects(other=change - known.total)
