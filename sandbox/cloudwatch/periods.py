"""Rows of minutes gathered into the periods of a query."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from sandbox.cloudwatch.points import (
    Buckets,
    Floats,
    Ints,
    Points,
    Shorts,
    Weights,
    bucket_of,
)

# Distributions are unfolded into a dense table for this many periods at a time.
_CHUNK = 2048
_DENSE = 1024


@dataclass(frozen=True)
class Periods:
    """Statistic sets of the periods that have data; `index` counts periods from the start.

    `row_period` says for each row of `points` in which of these periods it fell.
    """

    index: Ints
    count: Floats
    total: Floats
    low: Floats
    high: Floats
    points: Points
    row_period: Ints


@dataclass(frozen=True)
class Distribution:
    """Dense counts of some periods: `weight[period, bucket]` for the buckets `keys`."""

    periods: slice
    keys: Ints
    weight: Floats


def gather(points: Points, start: int, step: int) -> Periods:
    """Group rows (none before `start`) into periods of `step`, in the rows' own unit of time."""
    slot = (points.minute - start) // step
    index, first, row_period = np.unique(slot, return_index=True, return_inverse=True)
    if not len(index):
        empty = points.count
        return Periods(index, empty, empty, empty, empty, points, row_period)
    return Periods(
        index,
        np.add.reduceat(points.count, first),
        np.add.reduceat(points.total, first),
        np.minimum.reduceat(points.low, first),
        np.maximum.reduceat(points.high, first),
        points,
        row_period,
    )


def distributions(periods: Periods) -> Iterator[Distribution]:
    """The distributions of all periods, a chunk of periods at a time."""
    buckets = _with_equal_values(periods.points)
    period = periods.row_period[buckets.row]
    for begin in range(0, len(periods.index), _CHUNK):
        end = min(begin + _CHUNK, len(periods.index))
        lower, upper = np.searchsorted(period, [begin, end])
        yield _unfold(
            slice(begin, end),
            period[lower:upper] - begin,
            buckets.key[lower:upper],
            buckets.weight[lower:upper],
        )


def _with_equal_values(points: Points) -> Buckets:
    """The buckets, and those of statistic sets whose values are all equal: they are known too."""
    buckets = points.buckets
    bare = np.bincount(buckets.row, minlength=len(points)) == 0
    equal = np.abs(points.total - points.low * points.count) <= 1e-9 * np.abs(points.total)
    row = np.flatnonzero(bare & (points.low == points.high) & equal)
    if not len(row):
        return buckets
    rows = np.concatenate([buckets.row, row])
    order = np.argsort(rows, kind="stable")
    key = np.concatenate([buckets.key, bucket_of(points.low[row])])
    weight = np.concatenate([buckets.weight, points.count[row].astype(np.float32)])
    return Buckets.of(rows[order], key[order], weight[order])


def _unfold(periods: slice, row: Ints, key: Shorts, weight: Weights) -> Distribution:
    height = periods.stop - periods.start
    if not len(key):
        return Distribution(periods, np.zeros(1, dtype=np.int64), np.zeros((height, 1)))
    keys, column = _columns(key)
    cells = np.bincount(
        row * len(keys) + column, weights=weight, minlength=height * len(keys)
    ).astype(np.float64)
    return Distribution(periods, keys, cells.reshape(height, len(keys)))


def _columns(key: Shorts) -> tuple[Ints, Ints]:
    """The buckets to tabulate, and the column of each entry; sorting only where it must be."""
    lowest, highest = int(key.min()), int(key.max())
    if highest - lowest < _DENSE:
        return np.arange(lowest, highest + 1), key.astype(np.int64) - lowest
    keys, column = np.unique(key, return_inverse=True)
    return keys.astype(np.int64), column
