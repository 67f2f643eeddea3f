"""Aggregates as rows of SQLite and back: distributions are packed, columns become arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sandbox.cloudwatch.metrics import Aggregate
from sandbox.cloudwatch.points import NO_BUCKETS, NO_POINTS, Buckets, Points

_BUCKET = np.dtype([("key", "<i4"), ("weight", "<f8")])

# When the row begins (in the unit of its table), its statistic set and its packed distribution.
Row = tuple[int, float, float, float, float, bytes | None]


def row_of(number: int, at: int, new: Aggregate) -> tuple[object, ...]:
    """The row of a metric (by its number) that begins at a minute or second."""
    return number, at, new.count, new.total, new.low, new.high, _pack(new.buckets)


def aggregate_of(row: Row) -> Aggregate:
    """What a row holds."""
    _, count, total, low, high, blob = row
    return Aggregate(count, total, low, high, _unpack(blob))


def columns(rows: list[Row]) -> Points:
    """Rows in order of time as arrays."""
    if not rows:
        return NO_POINTS
    minute, *numbers, blobs = zip(*rows, strict=True)
    count, total, low, high = (np.array(column, dtype=np.float64) for column in numbers)
    stamps = np.array(minute, dtype=np.int64)
    return Points(stamps, count, total, low, high, _buckets(blobs))


def _pack(buckets: Mapping[int, float] | None) -> bytes | None:
    if buckets is None:
        return None
    return np.array(sorted(buckets.items()), dtype=_BUCKET).tobytes()


def _unpack(blob: bytes | None) -> dict[int, float] | None:
    if blob is None:
        return None
    table = np.frombuffer(blob, dtype=_BUCKET)
    return dict(zip(table["key"].tolist(), table["weight"].tolist(), strict=True))


def _buckets(blobs: Sequence[bytes | None]) -> Buckets:
    known = [blob or b"" for blob in blobs]
    entries = np.frombuffer(b"".join(known), dtype=_BUCKET)
    if not len(entries):
        return NO_BUCKETS
    row = np.repeat(np.arange(len(known)), [len(blob) // _BUCKET.itemsize for blob in known])
    return Buckets.of(row, entries["key"], entries["weight"])
