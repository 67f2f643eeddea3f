"""Target groups side by side, for releases and for whoever looks on."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

import numpy as np

from catalog.models import Service
from monitoring import timeseries
from monitoring.blocks import Floats
from monitoring.layouts import Series
from monitoring.resources import layout_for


@dataclass(frozen=True, slots=True)
class TargetGroupSignals:
    """What one target group did over some minutes.

    `p50`, `p90` and `p99` are in seconds: of the minutes' percentiles the middle one, because
    percentiles cannot be added up; `worst_p99` is the slowest minute. `error_ratio` is 5xx
    answers by all requests, from 0 to 1. `minutes` counts those in which there were requests.
    """

    target_group: str
    requests: int
    errors_5xx: int
    error_ratio: float | None
    p50: float | None
    p90: float | None
    p99: float | None
    worst_p99: float | None
    minutes: int


def compare_target_groups(
    *, service: Service, start: datetime, end: datetime
) -> list[TargetGroupSignals]:
    """Return the signals of each of the service's target groups in start <= time < end."""
    layout = layout_for(service)
    found = []
    for name in layout.target_groups:
        columns = minutes_of(service, layout.of("tg", name), start=start, end=end)
        found.append(_signals(name, columns))
    return found


def minutes_of(
    service: Service, series: dict[str, Series], *, start: datetime, end: datetime
) -> dict[str, Floats]:
    """Return the minutes of some series by role, NaN where nothing was measured."""
    window = timeseries.read(resource_id=service.pk, series=series.values(), start=start, end=end)
    return {role: window.shown[:, column] for column, role in enumerate(series)}


def _signals(target_group: str, columns: dict[str, Floats]) -> TargetGroupSignals:
    requests = int(np.nansum(columns["requests"], dtype=np.float64))
    errors = int(np.nansum(columns["errors_5xx"], dtype=np.float64))
    return TargetGroupSignals(
        target_group=target_group,
        requests=requests,
        errors_5xx=errors,
        error_ratio=errors / requests if requests else None,
        p50=_middle(columns["p50"]),
        p90=_middle(columns["p90"]),
        p99=_middle(columns["p99"]),
        worst_p99=_worst(columns["p99"]),
        minutes=int((columns["requests"] > 0).sum()),
    )


def _middle(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(np.median(known)) if len(known) else None


def _worst(values: Floats) -> float | None:
    known = values[~np.isnan(values)]
    return float(known.max()) if len(known) else None
