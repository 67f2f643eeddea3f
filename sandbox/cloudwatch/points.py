"""The shape of metric data in the sandbox: rows of one minute, each with its distribution.

A row is what CloudWatch calls a statistic set (count, sum, minimum, maximum). Where the single
values are known, they are kept as well, in logarithmic buckets two per cent wide, which is what
percentiles and trimmed statistics are computed from.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
# Distributions are most of the memory: half the width is enough for them.
Shorts = npt.NDArray[np.int32]
Weights = npt.NDArray[np.float32]

BASE = 1.02
# Added to the exponent so that positive values have positive keys, zero has key 0 and negative
# values mirror them: 2^±360, the range CloudWatch accepts, is 1.02^±12601.
OFFSET = 20_000
_LOG_BASE = float(np.log(BASE))


def bucket_of(values: Floats) -> Ints:
    """The key of each value's bucket; keys sort as values do."""
    size = np.abs(values)
    exponent = np.ceil(np.log(np.where(size > 0, size, 1.0)) / _LOG_BASE - 1e-9)
    return np.where(size > 0, np.sign(values) * (exponent + OFFSET), 0).astype(np.int64)


def bounds(keys: Ints) -> tuple[Floats, Floats]:
    """Lower (exclusive) and upper (inclusive) bound of each bucket; the zero bucket is (0, 0]."""
    outer = np.where(keys == 0, 0.0, BASE ** (np.abs(keys) - OFFSET).astype(float))
    inner = outer / BASE
    return np.where(keys > 0, inner, -outer), np.where(keys > 0, outer, -inner)


@dataclass(frozen=True)
class Buckets:
    """`weight[j]` values fell into bucket `key[j]` in row `row[j]`; sorted by row, then key."""

    row: Shorts
    key: Shorts
    weight: Weights

    @classmethod
    def of(cls, row: Ints | Shorts, key: Ints | Shorts, weight: Floats | Weights) -> Buckets:
        """Buckets from arrays of any width."""
        return cls(row.astype(np.int32), key.astype(np.int32), weight.astype(np.float32))


@dataclass(frozen=True)
class Points:
    """One metric: a row for each minute that has data, in order of time.

    `minute` is minutes since 1970 (seconds where rows are of high resolution); `count`, `total`,
    `low`, `high` are the statistic set.
    """

    minute: Ints
    count: Floats
    total: Floats
    low: Floats
    high: Floats
    buckets: Buckets

    def __len__(self) -> int:
        return len(self.minute)


_NO_INTS = np.empty(0, dtype=np.int64)
_NO_FLOATS = np.empty(0, dtype=np.float64)
NO_BUCKETS = Buckets.of(_NO_INTS, _NO_INTS, _NO_FLOATS)
NO_POINTS = Points(_NO_INTS, _NO_FLOATS, _NO_FLOATS, _NO_FLOATS, _NO_FLOATS, NO_BUCKETS)


def keep(points: Points, wanted: npt.NDArray[np.bool_]) -> Points:
    """The rows where `wanted` is true, with their buckets."""
    if wanted.all():
        return points
    new_row = np.cumsum(wanted) - 1
    held = wanted[points.buckets.row]
    buckets = Buckets.of(
        new_row[points.buckets.row[held]],
        points.buckets.key[held],
        points.buckets.weight[held],
    )
    return Points(
        points.minute[wanted],
        points.count[wanted],
        points.total[wanted],
        points.low[wanted],
        points.high[wanted],
        buckets,
    )


def window(points: Points, start: int, end: int) -> Points:
    """The rows with start <= minute < end."""
    return keep(points, (points.minute >= start) & (points.minute < end))


def join(parts: Sequence[Points]) -> Points:
    """Several stretches of one metric, already in order of time, as one."""
    parts = [part for part in parts if len(part)]
    if len(parts) < 2:
        return parts[0] if parts else NO_POINTS
    offsets = np.cumsum([0, *(len(part) for part in parts[:-1])])
    buckets = Buckets.of(
        np.concatenate([part.buckets.row + at for part, at in zip(parts, offsets, strict=True)]),
        np.concatenate([part.buckets.key for part in parts]),
        np.concatenate([part.buckets.weight for part in parts]),
    )
    return Points(
        np.concatenate([part.minute for part in parts]),
        np.concatenate([part.count for part in parts]),
        np.concatenate([part.total for part in parts]),
        np.concatenate([part.low for part in parts]),
        np.concatenate([part.high for part in parts]),
        buckets,
    )


def merged(one: Points, other: Points) -> Points:
    """Two stretches of one metric that interleave, none with a row of the other's, as one."""
    both = join([one, other])
    order = np.argsort(both.minute, kind="stable")
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    row = place[both.buckets.row]
    by_row = np.argsort(row, kind="stable")
    return Points(
        both.minute[order],
        both.count[order],
        both.total[order],
        both.low[order],
        both.high[order],
        Buckets.of(row[by_row], both.buckets.key[by_row], both.buckets.weight[by_row]),
    )
