"""Effects in words an operator would use. Pure."""

from __future__ import annotations

from decimal import Decimal

from costs.comparison import Driver
from costs.months import Comparable, Span

EFFECTS = {
    "calendar": "calendar",
    "usage": "usage",
    "rate": "price",
    "new": "new",
    "removed": "gone",
    "other": "taxes, fees and what has no quantity",
}


def driver(one: Driver, spans: Comparable) -> str:
    """Say what drove a change, such as `more usage: NatGateway-Bytes (GB)`."""
    more = one.amount > 0
    said = {
        "calendar": f"{spans.now.days} days instead of {spans.before.days}",
        "usage": "more usage" if more else "less usage",
        "rate": "higher price" if more else "lower price",
        "new": "new",
        "removed": "gone",
        "other": "billed more" if more else "billed less",
    }
    return f"{said[one.effect]}: {one.key}"


def compared(spans: Comparable) -> str:
    """Say which days are compared, such as `1–20 November against 1–20 October`."""
    if spans.now.whole:
        return f"all of {spans.now.start:%B %Y} against all of {spans.before.start:%B %Y}"
    now, before = (f"{_days(span)} {span.start:%B}" for span in (spans.now, spans.before))
    return f"{now} against {before}"


def label(span: Span) -> str:
    """Head a column, such as `1–20 Nov` or, for a whole month, `October`."""
    return f"{span.start:%B}" if span.whole else f"{_days(span)} {span.start:%b}"


def price(usd_per_unit: Decimal | None) -> str:
    """Return a unit price without trailing zeros; empty for none."""
    return "" if usd_per_unit is None else f"{usd_per_unit.normalize():f}"


def _days(span: Span) -> str:
    first, last = span.start.day, span.last.day
    return f"{first}" if first == last else f"{first}–{last}"
