"""Every line of a board, computed from a window of the store."""

from __future__ import annotations

from monitoring import golden
from monitoring.blocks import Floats
from monitoring.layouts import Layout, Series
from monitoring.timeseries import Window

Columns = dict[str, Floats]


def compute(layout: Layout, window: Window) -> Columns:
    """Return the lines by key: `lb.p99` in seconds, `tg0.rate` a second, `ecs.cpu` in percent."""
    lines: Columns = {}
    if layout.has("lb"):
        lines |= _traffic("lb", layout.of("lb"), window)
    for number, name in enumerate(layout.target_groups):
        lines |= _traffic(f"tg{number}", layout.of("tg", name), window)
    for scope in ("ecs", "db", "cache"):
        lines |= _plain(scope, layout.of(scope), window)
    if "cache.hits" in lines:
        lines["cache.hit_percent"] = golden.hit_percent(lines["cache.hits"], lines["cache.misses"])
    return lines


def _traffic(prefix: str, series: dict[str, Series], window: Window) -> Columns:
    columns = {role: window.column(item) for role, item in series.items()}
    lines = {f"{prefix}.{role}": columns[role] for role in ("p50", "p90", "p99")}
    # Per minute, whatever the step: a bucket in which minutes are missing is not a slower one.
    lines[f"{prefix}.rate"] = golden.per_second(window.mean(series["requests"]))
    lines[f"{prefix}.errors"] = golden.error_percent(columns)
    lines[f"{prefix}.client_errors"] = golden.client_error_percent(columns)
    return lines


def _plain(scope: str, series: dict[str, Series], window: Window) -> Columns:
    return {f"{scope}.{role}": window.column(item) for role, item in series.items()}
