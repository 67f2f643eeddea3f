"""Small lines for tables: SVG drawn on the server, without a script or a style."""

from __future__ import annotations

import numpy as np
from django.utils.safestring import SafeString, mark_safe

from monitoring.blocks import Floats

POINTS, HEIGHT = 60, 48
_MARGIN = 3
# Percent at the top of a line, at least: a single failed request is not an outage.
_LEAST = {"errors": 1.0}
# Every point there can be: looking up is twenty times cheaper than formatting.
_TEXTS = [[f"{x},{y}" for y in range(HEIGHT + 1)] for x in range(POINTS)]


def svg(values: Floats, signal: str) -> SafeString:
    """Return 60 values as a line in the colour of `signal`; empty if there is no value at all."""
    drawn = path(values, least=_LEAST.get(signal, 0.0))
    if not drawn:
        return SafeString("")
    # Nothing but digits and the name of a signal, which is ours.
    return mark_safe(  # noqa: S308
        f'<svg class="spark signal-{signal}" viewBox="0 0 {POINTS - 1} {HEIGHT}" '
        f'preserveAspectRatio="none" aria-hidden="true"><path d="{drawn}"/></svg>'
    )


def path(values: Floats, *, least: float = 0.0) -> str:
    """Return the `d` of a path through at most 60 values, y from zero; gaps stay open.

    The top is the largest value, or `least` if that is more.

    A value between two gaps becomes a dash of half a unit, so that it can be seen.
    """
    known = ~np.isnan(values)
    if not known.any():
        return ""
    top = max(float(values[known].max()), least, 1e-9)
    scaled = (HEIGHT - 2 * _MARGIN) * np.clip(np.where(known, values, 0) / top, 0, 1)
    heights = (HEIGHT - _MARGIN - np.rint(scaled)).astype(int).tolist()
    if known.all():
        return _run(list(map(list.__getitem__, _TEXTS, heights)))
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    texts = [_TEXTS[x][y] for x, y in enumerate(heights)]
    return "".join(_run(texts[first:stop]) for first, stop in edges.reshape(-1, 2).tolist())


def _run(points: list[str]) -> str:
    if len(points) == 1:
        return f"M{points[0]}h.5"
    return "M" + "L".join(points)
