"""The last hour of the golden signals, computed from the store."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from catalog.models import Service
from monitoring import golden, timeseries
from monitoring.blocks import Floats, empty
from monitoring.layouts import Layout
from monitoring.resources import layout_for


def golden_hour(
    services: Iterable[Service], *, start: datetime, end: datetime
) -> dict[int, Floats]:
    """Return [minutes][golden signals] of each service, computed from the store."""
    return {service.pk: _golden(service, start, end) for service in services}


def _golden(service: Service, start: datetime, end: datetime) -> Floats:
    layout = layout_for(service)
    window = timeseries.read(resource_id=service.pk, series=layout.series, start=start, end=end)
    return _columns(layout, window)


def _columns(layout: Layout, window: timeseries.Window) -> Floats:
    """Return the columns of `golden.GOLDEN`; those a service cannot have are NaN."""
    answer = empty(len(window), len(golden.GOLDEN))
    columns = dict(zip(golden.GOLDEN, answer.T, strict=True))
    if layout.has("lb"):
        front = {role: window.column(item) for role, item in layout.of("lb").items()}
        columns["p99"][:] = front["p99"]
        columns["rate"][:] = golden.per_second(front["requests"])
        columns["errors"][:] = golden.error_percent(front)
        columns["requests"][:] = front["requests"]
    for role, item in layout.of("ecs").items():
        if role in columns:
            columns[role][:] = window.column(item)
    return answer
