"""CSV for spreadsheets, which take cells that begin like a formula for one. Pure."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from decimal import Decimal

Cell = str | Decimal | None
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n")


def text(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return CSV with exact amounts; text that looks like a formula is defused by an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(header)
    writer.writerows([_cell(cell) for cell in row] for row in rows)
    return out.getvalue()


def _cell(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}"
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
