"""Small lines for tables, as the `d` of an SVG path in a 60 x 16 box. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

WIDTH, HEIGHT = 60, 16
_MARGIN = 1


def path(values: Sequence[Decimal]) -> str:
    """Return a line from the first to the last value, y from zero; empty for fewer than two."""
    if len(values) < 2:
        return ""
    top, bottom = max(*values, Decimal(0)), min(*values, Decimal(0))
    height = top - bottom or Decimal(1)
    step = WIDTH / (len(values) - 1)
    heights = [float((value - bottom) / height) for value in values]
    points = [
        f"{place * step:.4g},{HEIGHT - _MARGIN - (HEIGHT - 2 * _MARGIN) * share:.3g}"
        for place, share in enumerate(heights)
    ]
    return "M" + "L".join(points)
