"""Why a cost changed between two spans of days: effects that add up exactly. Pure.

Hours that run day and night grow with the number of days. That part of a change is nobody's
doing, so it is named "calendar" and taken out before usage is blamed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from decimal import Decimal, localcontext

_PLACES = Decimal("1e-12")
_DIGITS = 80
# A millionth of a unit that became a million of them says nothing about a price. Below this,
# twelve places of thousands of amounts still add up without rounding.
_ABSURD = Decimal(10) ** 12
ZERO = Decimal(0)
# What runs around the clock; load-balancer capacity hours (LCU-Hrs) follow the traffic.
_HOURS = {"hrs", "hours", "hour", "vcpu-hours", "gb-hours"}


@dataclass(frozen=True, slots=True)
class Line:
    """What one kind of usage cost, in USD. `quantity` is None where there is none to speak of."""

    cost: Decimal
    quantity: Decimal | None
    unit: str


@dataclass(frozen=True, slots=True)
class Effects:
    """Parts of a change, in USD. `other` is what has no quantity: taxes, fees, credits."""

    calendar: Decimal = ZERO
    usage: Decimal = ZERO
    rate: Decimal = ZERO
    new: Decimal = ZERO
    removed: Decimal = ZERO
    other: Decimal = ZERO

    @property
    def total(self) -> Decimal:
        return sum((amount for _, amount in self.named()), ZERO)

    def named(self) -> list[tuple[str, Decimal]]:
        return [(field.name, getattr(self, field.name)) for field in fields(self)]

    def __add__(self, more: Effects) -> Effects:
        theirs = dict(more.named())
        return Effects(**{name: amount + theirs[name] for name, amount in self.named()})


@dataclass(frozen=True, slots=True)
class Driver:
    """The largest single effect behind a change, and the kind of usage that had it."""

    effect: str
    key: str
    amount: Decimal


def effects(before: Line, now: Line, *, days_before: int, days_now: int) -> Effects:
    """Split `now.cost - before.cost`; the parts add up to it exactly.

    With p0 the price before and q0 scaled to the days of now: calendar is what the days alone
    would have changed, usage the rest of the quantity at p0, rate what the price changed.
    """
    change = now.cost - before.cost
    if before.quantity is None or now.quantity is None:
        return Effects(other=change)
    if not before.quantity and not before.cost:
        return Effects(new=change)
    if not now.quantity and not now.cost:
        return Effects(removed=change)
    if before.unit != now.unit or before.quantity <= 0 or now.quantity <= 0:
        return Effects(other=change)
    with localcontext(prec=_DIGITS):
        at_old_price = before.cost * now.quantity / before.quantity
    if abs(at_old_price) >= _ABSURD:
        return Effects(other=change)
    at_old_price = at_old_price.quantize(_PLACES)
    calendar = _calendar(before, days_before, days_now)
    return Effects(
        calendar=calendar,
        usage=at_old_price - before.cost - calendar,
        # The remainder, so that nothing is lost to division.
        rate=now.cost - at_old_price,
    )


def _calendar(before: Line, days_before: int, days_now: int) -> Decimal:
    if before.unit.lower() not in _HOURS:
        return ZERO
    return (before.cost * (days_now - days_before) / days_before).quantize(_PLACES)


def total(parts: Iterable[Effects]) -> Effects:
    return sum(parts, Effects())


def driver(parts: Mapping[str, Effects]) -> Driver | None:
    """Return the largest effect of all keys, or None if nothing changed at all."""
    named = [
        Driver(effect, key, amount)
        for key, one in sorted(parts.items())
        for effect, amount in one.named()
        if amount
    ]
    return max(named, key=lambda one: abs(one.amount), default=None)
