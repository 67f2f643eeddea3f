"""Effects in words an operator would use. Pure."""

from __future__ import annotations

from costs.comparison import Driver
from costs.months import Comparable

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
    now, before = spans.now, spans.before
    if now.whole:
        return f"all of {now.start:%B %Y} against all of {before.start:%B %Y}"
    return (
        f"{_days(now.start.day, now.last.day)} {now.start:%B} against "
        f"{_days(before.start.day, before.last.day)} {before.start:%B}"
    )


def _days(first: int, last: int) -> str:
    return f"{first}" if first == last else f"{first}–{last}"
