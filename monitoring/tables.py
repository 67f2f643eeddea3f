"""A chart's numbers as a table and as CSV, of exactly what the chart shows."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from monitoring.charts import Panel
from monitoring.queries import BoardSeries
from monitoring.sentences import shown

PAGE = 60
_UNITS = {"seconds": "s", "per_second": "requests/s", "percent": "%", "count": "count"}
# What a spreadsheet would take for a formula.
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Row:
    at: datetime
    cells: list[str]
    is_provisional: bool


@dataclass(frozen=True, slots=True)
class Table:
    """One page of rows, the newest first. `number` counts from 1."""

    panel: Panel
    rows: list[Row]
    number: int
    pages: int

    @property
    def newer(self) -> int | None:
        return self.number - 1 if self.number > 1 else None

    @property
    def older(self) -> int | None:
        return self.number + 1 if self.number < self.pages else None


def table(panel: Panel, series: BoardSeries, *, page: int) -> Table:
    """Return one page of the panel's values; a page that does not exist is the nearest one."""
    pages = max(1, math.ceil(len(series) / PAGE))
    number = min(max(page, 1), pages)
    newest = len(series) - (number - 1) * PAGE
    rows = range(newest - 1, max(newest - PAGE, 0) - 1, -1)
    return Table(panel, [_row(panel, series, row) for row in rows], number, pages)


def _row(panel: Panel, series: BoardSeries, row: int) -> Row:
    values = [float(series.lines[line.key][row]) for line in panel.lines]
    cells = ["—" if math.isnan(value) else shown(value, panel.unit) for value in values]
    return Row(_moment(series, row), cells, row >= series.settled)


def _moment(series: BoardSeries, row: int) -> datetime:
    return datetime.fromtimestamp(series.start + row * series.step, UTC)


def csv_lines(panel: Panel, series: BoardSeries) -> Iterator[str]:
    """Return the panel as CSV, oldest first: UTC times, exact values, gaps empty."""
    labels = [f"{line.label} ({_UNITS[panel.unit]})" for line in panel.lines]
    yield _line(["time (UTC)", *map(harmless, labels), "provisional"])
    columns = [series.lines[line.key] for line in panel.lines]
    for row in range(len(series)):
        values = [float(column[row]) for column in columns]
        cells = ["" if math.isnan(value) else f"{value:.7g}" for value in values]
        provisional = "yes" if row >= series.settled else ""
        yield _line([_moment(series, row).isoformat(), *cells, provisional])


def harmless(text: str) -> str:
    """Return the text so that a spreadsheet does not take it for a formula."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _line(cells: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line).writerow(cells)
    return line.getvalue()
