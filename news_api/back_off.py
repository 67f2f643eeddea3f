"""How long to leave a failing source alone. Pure."""

from __future__ import annotations

from datetime import timedelta

FIRST = timedelta(seconds=30)
LONGEST = timedelta(hours=1)


def back_off(failures: int) -> timedelta:
    """Return 30 s after the first failure in a row, doubled with each, at most an hour."""
    doublings: int = 2 ** min(failures - 1, 10)
    return min(FIRST * doublings, LONGEST)
