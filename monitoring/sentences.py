"""Charts in words: what somebody who cannot see the chart, or the time, needs to know."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from monitoring import charts
from monitoring.blocks import Floats
from monitoring.charts import Panel
from ui import formats

# A change below this is noise.
NOTABLE = 0.2
# How many values on each side of a change are compared, and without how many nothing is said.
COMPARED, ENOUGH = 60, 5
_FORMATS = {
    charts.SECONDS: formats.milliseconds,
    charts.PER_SECOND: formats.rate,
    charts.PERCENT: formats.percentage,
    charts.COUNT: formats.count,
}


@dataclass(frozen=True, slots=True)
class Change:
    """Something that happened in the window, before bucket number `row`."""

    row: int
    title: str
    clock: str


def shown(value: float, unit: str) -> str:
    """Return the value with its unit; percent stay percent."""
    return _FORMATS[unit](value)


def sentence(panel: Panel, values: Floats, *, settled: int, change: Change | None = None) -> str:
    """Say what the panel's leading line did.

    :param values: of the leading line; the first `settled` of them are final.
    :param change: the newest one in the window, if there was any.
    """
    final = values[:settled]
    known = final[~np.isnan(final)]
    name = panel.leading.label
    if not len(known):
        return f"No {name} values in this window."
    low, high = float(known.min()), float(known.max())
    parts = [f"{name} {shown(float(known[-1]), panel.unit)}"]
    parts.append(_moved(final, change))
    parts.append(f"between {shown(low, panel.unit)} and {shown(high, panel.unit)} in this window")
    parts.append(_breach(panel, known))
    return ", ".join(part for part in parts if part) + "."


def _moved(values: Floats, change: Change | None) -> str:
    """Compare what came after the change with as much from before it: days have a shape."""
    if change is None:
        return ""
    after = values[change.row :][:COMPARED]
    before = values[max(change.row - len(after), 0) : change.row]
    old, new = _middle(before), _middle(after)
    if old is None or new is None or old <= 0:
        return ""
    ratio = new / old - 1
    if abs(ratio) < NOTABLE:
        return f"unchanged since {change.title} at {change.clock}"
    size = (
        f"{formats.significant(new / old, 2)} times"
        if ratio >= 1
        else formats.percent(round(abs(ratio), 2))
    )
    return f"{'up' if ratio > 0 else 'down'} {size} since {change.title} at {change.clock}"


def _middle(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) >= ENOUGH else None


def _breach(panel: Panel, known: Floats) -> str:
    if panel.threshold is None:
        return ""
    count = int((known > panel.threshold.value).sum())
    if not count:
        return ""
    points = "1 point" if count == 1 else f"{count} points"
    return f"{points} above {shown(panel.threshold.value, panel.unit)}"
