"""Cents, rounded once and only to be shown. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
# Below this an amount is not worth a row.
NEGLIGIBLE = Decimal("0.005")


def cents(amount: Decimal) -> Decimal:
    """Return US dollars rounded to the cent, halves away from zero, as invoices do."""
    return amount.quantize(CENT, ROUND_HALF_UP)


def shown(amount: Decimal) -> Decimal:
    """Return what a page shows: cents, or the amount itself where that would look like nothing."""
    return amount if negligible(amount) else cents(amount)


def negligible(amount: Decimal) -> bool:
    return abs(amount) < NEGLIGIBLE


def difference(rows: Iterable[Decimal], total: Decimal) -> Decimal:
    """Return by how many dollars the rounded rows miss the rounded total."""
    return cents(total) - sum((cents(row) for row in rows), Decimal(0))


def unit_price(cost: Decimal, quantity: Decimal | None) -> Decimal | None:
    """Return USD per unit to six decimals, or None where there is nothing to divide by."""
    if not quantity or quantity < 0:
        return None
    return (cost / quantity).quantize(Decimal("1e-6"), ROUND_HALF_UP)
