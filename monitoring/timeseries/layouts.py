"""metric_layout: append-only, so a process may remember every row it has seen."""

from __future__ import annotations

import hashlib
import json
from functools import lru_cache

from django.db import connection

from monitoring.layouts import Layout, from_json

_INSERT = """
    insert into metric_layout (fingerprint, series) values (%s, %s::jsonb)
    on conflict (fingerprint) do nothing
"""
_BY_FINGERPRINT = "select layout_id from metric_layout where fingerprint = %s"
_BY_ID = "select series from metric_layout where layout_id = %s"


def layout_id(layout: Layout) -> int:
    """Return the layout's number, giving it one if it is new."""
    if layout in _numbers:
        return _numbers[layout]
    number = _numbered(layout)
    # A number given inside a transaction may be rolled back with it.
    if not connection.in_atomic_block:
        _numbers[layout] = number
    return number


_numbers: dict[Layout, int] = {}


def _numbered(layout: Layout) -> int:
    series = json.dumps(layout.as_json())
    fingerprint = hashlib.sha256(series.encode()).hexdigest()
    with connection.cursor() as cursor:
        cursor.execute(_BY_FINGERPRINT, [fingerprint])
        found = cursor.fetchone()
        if not found:
            cursor.execute(_INSERT, [fingerprint, series])
            cursor.execute(_BY_FINGERPRINT, [fingerprint])
            found = cursor.fetchone()
    number: int = found[0]
    return number


@lru_cache(maxsize=4096)
def layout_with(number: int) -> Layout:
    """Return the layout of that number."""
    with connection.cursor() as cursor:
        cursor.execute(_BY_ID, [number])
        (series,) = cursor.fetchone()
    return from_json(json.loads(series) if isinstance(series, str) else series)
