"""Small lines for tables: an SVG path computed on the server, without a script or a style."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from monitoring.blocks import Flags, Floats

WIDTH, HEIGHT = 60, 16
_MARGIN = 1


def path(values: Floats) -> str:
    """Return the `d` of a path in a 60 x 16 box, y from zero; gaps stay open, empty if no values.

    A value between two gaps becomes a dash of half a unit, so that it can be seen.
    """
    known = ~np.isnan(values)
    if not known.any():
        return ""
    top = max(float(values[known].max()), 1e-9)
    x = np.linspace(0, WIDTH, len(values)) if len(values) > 1 else np.zeros(1)
    y = HEIGHT - _MARGIN - (HEIGHT - 2 * _MARGIN) * np.where(known, values, 0) / top
    return "".join(_run(x[first:stop], y[first:stop]) for first, stop in _runs(known))


def _runs(known: Flags) -> list[tuple[int, int]]:
    edges = np.flatnonzero(np.diff(np.concatenate(([False], known, [False])).astype(np.int8)))
    pairs = edges.reshape(-1, 2).tolist()
    return [(first, stop) for first, stop in pairs]


def _run(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> str:
    points = [f"{left:.4g},{top:.3g}" for left, top in zip(x.tolist(), y.tolist(), strict=True)]
    if len(points) == 1:
        return f"M{points[0]}h.5"
    return "M" + "L".join(points)
