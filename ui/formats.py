"""Numbers, units and times as words: three significant digits, a thin space before the unit."""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

THIN = "\N{NARROW NO-BREAK SPACE}"
Number = int | float | Decimal

_CENT = Decimal("0.01")
_BINARY = ("B", "KiB", "MiB", "GiB", "TiB", "PiB")
_DECIMAL = ("", "k", "M", "G", "T")
_PARTS = (("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1))


def number(value: object) -> Decimal | None:
    """Return a finite number as a Decimal; None for None, empty text, NaN and infinity."""
    if value is None or value == "" or isinstance(value, bool):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    exact = Decimal(str(value))
    return exact if exact.is_finite() else None


def significant(value: Number, digits: int = 3) -> str:
    """Return the value with at most `digits` significant digits, never in scientific notation."""
    rounded = _rounded(Decimal(str(value)), digits)
    if rounded == rounded.to_integral_value():
        return f"{rounded:,.0f}"
    return f"{rounded.normalize():,f}"


def _rounded(value: Decimal, digits: int = 3) -> Decimal:
    if not value:
        return Decimal(0)
    # Whole digits are never dropped: 1234 stays 1234.
    places = max(digits - 1 - value.adjusted(), 0)
    return value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN)


def milliseconds(seconds: Number) -> str:
    """Return seconds as `218 ms` or, from one second on, `1.24 s`."""
    in_ms = _rounded(Decimal(str(seconds)) * 1000)
    if abs(in_ms) < 1000:
        return f"{significant(in_ms)}{THIN}ms"
    return f"{significant(in_ms / 1000)}{THIN}s"


def count(value: Number) -> str:
    """Return `218`, `1.24 k`, `3.5 M`."""
    return _scaled(Decimal(str(value)), _DECIMAL, 1000).strip(THIN)


def rate(per_second: Number) -> str:
    """Return `18.2/s` or `1.24 k/s`."""
    value = Decimal(str(per_second))
    if 0 < abs(value) < Decimal("0.001"):
        return "<0.001/s"
    return f"{count(value)}/s"


def bytes_(value: Number) -> str:
    """Return bytes as `512 B`, `1.24 GiB`."""
    return _scaled(Decimal(str(value)), _BINARY, 1024)


def _scaled(value: Decimal, units: tuple[str, ...], step: int) -> str:
    size = 0
    while abs(_rounded(value)) >= step and size < len(units) - 1:
        value /= step
        size += 1
    return f"{significant(value)}{THIN}{units[size]}"


def percentage(value: Number) -> str:
    """Return a value that is already in percent as `63 %`."""
    exact = Decimal(str(value))
    if 0 < exact < Decimal("0.001"):
        return f"<0.001{THIN}%"
    return f"{significant(exact)}{THIN}%"


def percent(ratio: Number) -> str:
    """Return a ratio such as 0.041 as `4.1 %`."""
    return percentage(Decimal(str(ratio)) * 100)


def usd(value: Number) -> str:
    """Return US dollars to the cent: `$456.85`, `-$3.00`, `<$0.01`."""
    exact = Decimal(str(value))
    sign = "-" if exact < 0 else ""
    if 0 < abs(exact) < _CENT / 2:
        return f"{sign}<$0.01"
    cents = abs(exact).quantize(_CENT, ROUND_HALF_UP)
    return f"{sign}${cents:,}" if cents else "$0.00"


def usd_change(value: Number) -> str:
    """Return a difference in US dollars with its sign: `+$14.20`, `-$3.00`, `<$0.01 more`."""
    exact = Decimal(str(value))
    if 0 < abs(exact) < _CENT / 2:
        return "<$0.01 more" if exact > 0 else "<$0.01 less"
    return f"+{usd(exact)}" if exact > 0 else usd(exact)


def duration(value: Number | timedelta) -> str:
    """Return seconds or a timedelta with its two largest units: `4 m 12 s`."""
    seconds = value.total_seconds() if isinstance(value, timedelta) else float(value)
    sign = "-" if seconds < 0 else ""
    left = abs(seconds)
    if 0 < left < 1:
        return f"{sign}<1{THIN}s"
    whole = round(left)
    parts: list[str] = []
    for unit, size in _PARTS:
        amount, whole = divmod(whole, size)
        if parts or amount or unit == "s":
            parts.append(f"{amount}{THIN}{unit}")
    return sign + " ".join(part for part in parts[:2] if part[0] != "0" or len(parts) == 1)


def ago(moment: datetime, at: datetime) -> str:
    """Return how far `moment` is from `at` in its largest unit: `12 m ago`, `in 3 h`."""
    seconds = (at - moment).total_seconds()
    if abs(seconds) < 1:
        return "just now"
    unit, size = next((u, s) for u, s in _PARTS if abs(seconds) >= s)
    distance = f"{int(abs(seconds) // size)}{THIN}{unit}"
    return f"{distance} ago" if seconds > 0 else f"in {distance}"
