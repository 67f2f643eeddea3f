"""Building rows of metric data from columns."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sandbox.cloudwatch.points import NO_BUCKETS, Buckets, Floats, Ints, Points, bounds, bucket_of

_COARSE = 3


@dataclass(frozen=True)
class Stretch:
    """The rows to compute: each begins at `minute` and is `step` minutes long."""

    minute: Ints
    step: int

    @property
    def middle(self) -> Ints:
        """The minute that stands for the whole row."""
        return self.minute + self.step // 2


def counts(stretch: Stretch, values: Floats) -> Points:
    """Counts as the load balancer publishes them: one per request, nothing where there is none."""
    some = values > 0
    number, ones = values[some], np.ones(int(some.sum()))
    return Points(stretch.minute[some], number, number, ones, ones, NO_BUCKETS)


def gauge(stretch: Stretch, values: Floats, *, samples: Floats, spread: float = 0.0) -> Points:
    """`samples` readings a minute around `values`; nothing where there are no samples."""
    some = samples > 0
    value, count = values[some], samples[some] * stretch.step
    return Points(
        stretch.minute[some],
        count,
        value * count,
        value * (1 - spread),
        value * (1 + spread),
        NO_BUCKETS,
    )


def latencies(stretch: Stretch, *, number: Floats, median: Floats, steepness: float) -> Points:
    """Response times of `number` requests a row, log-logistic around `median` seconds.

    With steepness b, p90 is 9^(1/b) times the median and p99 is 99^(1/b) times.
    """
    some = number > 0
    number, median = number[some], median[some]
    if not len(number):
        return counts(Stretch(stretch.minute[some], stretch.step), number)
    # Of N requests none is expected beyond the quantile 1 / (2 N), at either end.
    reach = (2 * number.max()) ** (1 / steepness)
    lowest, highest = bucket_of(np.array([median.min() / reach, median.max() * reach]))
    # Old, coarse rows count so many requests that every bucket would be filled.
    keys = np.arange(lowest, highest + _COARSE, 1 if stretch.step == 1 else _COARSE)
    _, upper = bounds(keys)
    share = 1 / (1 + (upper[None, :] / median[:, None]) ** -steepness)
    share[:, -1] = 1.0
    weight = np.diff(np.floor(number[:, None] * share + 0.5), axis=1, prepend=0.0)
    return _tabulated(stretch.minute[some], keys, weight)


def _tabulated(minute: Ints, keys: Ints, weight: Floats) -> Points:
    lower, upper = bounds(keys)
    middle = (lower + upper) / 2
    row, column = np.nonzero(weight)
    first = np.argmax(weight > 0, axis=1)
    last = weight.shape[1] - 1 - np.argmax(weight[:, ::-1] > 0, axis=1)
    buckets = Buckets.of(row, keys[column], weight[row, column])
    total = weight @ middle
    return Points(minute, weight.sum(axis=1), total, middle[first], middle[last], buckets)


def merged(left: Points, right: Points) -> Points:
    """Two metrics added up minute by minute, with their distributions."""
    minute = np.union1d(left.minute, right.minute)
    rows = [np.searchsorted(minute, part.minute) for part in (left, right)]
    count, total = np.zeros(len(minute)), np.zeros(len(minute))
    low, high = np.full(len(minute), np.inf), np.full(len(minute), -np.inf)
    for part, row in zip((left, right), rows, strict=True):
        count[row] += part.count
        total[row] += part.total
        low[row] = np.minimum(low[row], part.low)
        high[row] = np.maximum(high[row], part.high)
    return Points(minute, count, total, low, high, _merged_buckets(left, right, rows))


def _merged_buckets(left: Points, right: Points, rows: list[Ints]) -> Buckets:
    row = np.concatenate([rows[0][left.buckets.row], rows[1][right.buckets.row]])
    order = np.argsort(row, kind="stable")
    return Buckets.of(
        row[order],
        np.concatenate([left.buckets.key, right.buckets.key])[order],
        np.concatenate([left.buckets.weight, right.buckets.weight])[order],
    )
