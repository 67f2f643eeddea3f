"""The values of Insights: how they turn into numbers and text, compare and sort.

A field is text or a number; text that is a number is treated as one. Booleans are 1 and 0. None is
a field that is missing.
"""

from __future__ import annotations

import json
import math
import operator
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

_NUMBER = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?")
_CHUNK = re.compile(r"\d+|\D+")
# Insights shows computed numbers with at most four decimals.
_DECIMALS = 4
# Whole numbers beyond this are floating-point numbers, as they are in Java's double.
_EXACT = 2**63


class Timestamp(int):
    """Milliseconds since 1970 that are shown as a date."""


def number(value: Any) -> float | int | None:
    """The value as a number, None when it is none."""
    kind = type(value)
    if kind is float:
        return value  # type: ignore[no-any-return]
    if kind is int:
        return value if -_EXACT < value < _EXACT else float(str(value))
    if kind is str:
        return _read(value) if _NUMBER.fullmatch(value) else None
    return int(value) if isinstance(value, bool | Timestamp) else None


def _read(text: str) -> float | int:
    return int(text) if text.isdigit() and len(text) < 16 else float(text)


def text(value: Any) -> str:
    """The value as text; a missing one is empty."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, Timestamp):
        return date(value)
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, dict | list):
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    return decimals(value) if isinstance(value, float) else str(value)


def date(milliseconds: int) -> str:
    """`2026-01-31 23:59:59.123`, in UTC."""
    try:
        at = datetime.fromtimestamp(milliseconds // 1000, UTC)
    except (ValueError, OverflowError, OSError):
        return str(int(milliseconds))
    return f"{at:%Y-%m-%d %H:%M:%S}.{milliseconds % 1000:03d}"


def decimals(value: float) -> str:
    """A computed number as Insights shows it."""
    if not math.isfinite(value):
        return str(value)
    shown = f"{value:.{_DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if shown in ("-0", "") else shown


def raw(value: Any) -> str:
    """A field as it was logged: its own decimals, not Insights'."""
    return repr(value) if isinstance(value, float) else text(value)


def truth(value: Any) -> bool:
    """Whether a condition with this value holds."""
    if value is True or value is None:
        return value is True
    found = number(value)
    return bool(found) if found is not None else bool(value)


_SIGNS: dict[str, Callable[[Any, Any], bool]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def equal(left: Any, right: Any) -> bool:
    """Equal as numbers where both are, else as text; a missing field equals nothing."""
    if left is None or right is None:
        return False
    one, two = number(left), number(right)
    if one is not None and two is not None:
        return one == two
    return text(left) == text(right)


def ordered(sign: str, left: Any, right: Any) -> bool:
    """`<`, `<=`, `>` or `>=`, as `equal` compares."""
    if left is None or right is None:
        return False
    one, two = number(left), number(right)
    if one is None or two is None:
        one, two = text(left), text(right)  # type: ignore[assignment]
    return _SIGNS[sign](one, two)


def sort_key(value: Any) -> tuple[Any, ...]:
    """The order of `sort`: missing, then text in natural order, then numbers (user guide, "sort").

    Runs of digits inside text compare by length first, everything else by code point.
    """
    if value is None:
        return (0,)
    found = number(value)
    if found is not None:
        return (2, found)
    chunks = _CHUNK.findall(text(value))
    return (1, [("0", len(c), c) if c[0].isdigit() else (c, 0, "") for c in chunks])
