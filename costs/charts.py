"""The daily figure: plain data for Plotly, colours by name of a signal. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from costs.invoice import Invoice, Row

# The style sheet has eight colours for costs; the last one is for everything else.
SERVICES = 7
OTHERS = "Everything else"


def daily(invoice: Invoice) -> dict[str, Any]:
    """Return stacked bars by day: the dearest services, then everything else."""
    rows = sorted(
        (row for block in invoice.blocks for row in block.rows),
        key=lambda row: -abs(sum(row.daily, Decimal(0))),
    )
    days = [day.isoformat() for day in invoice.days]
    traces = [_trace(_escaped(row.service), row.daily, days) for row in _distinct(rows[:SERVICES])]
    rest = [*rows[SERVICES:], *invoice.hidden]
    if any(any(row.daily) for row in rest):
        traces.append(_trace(OTHERS, _summed(rest, len(days)), days))
    for place, trace in enumerate(traces, start=1):
        trace["meta"] = {"signal": f"cost{place}"}
    return {"data": traces, "layout": _layout()}


def _trace(name: str, values: Sequence[Decimal], days: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "name": name,
        "x": list(days),
        "y": [float(round(value, 4)) for value in values],
        "hovertemplate": "$%{y:.2f}",
    }


def _layout() -> dict[str, Any]:
    return {
        "barmode": "relative",
        "bargap": 0.15,
        # Eight names need room above the bars on a phone.
        "height": 320,
        "xaxis": {"type": "date", "tickformat": "%-d %b"},
        "yaxis": {"tickprefix": "$"},
    }


def _distinct(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if any(row.daily)]


def _summed(rows: Sequence[Row], days: int) -> list[Decimal]:
    return [sum((row.daily[day] for row in rows), Decimal(0)) for day in range(days)]


def _escaped(text: str) -> str:
    """Plotly reads a little HTML in names; what AWS calls a service is only text."""
    return text.replace("&", "&amp;").replace("<", "&lt;")
