"""CloudWatch's statistics: the five plain ones, percentiles and the trimmed family.

Plain statistics are exact. The others come from the buckets: a percentile is off by at most the
width of a bucket (two per cent), a trimmed count by at most the values in the bucket of its bound.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sandbox.cloudwatch.periods import Distribution, Periods, distributions
from sandbox.cloudwatch.points import Floats, bounds

Statistic = Callable[[Periods], Floats]

_PLAIN: dict[str, Statistic] = {
    "SampleCount": lambda periods: periods.count,
    "Sum": lambda periods: periods.total,
    "Minimum": lambda periods: periods.low,
    "Maximum": lambda periods: periods.high,
    "Average": lambda periods: periods.total / periods.count,
}
_SHORT = re.compile(r"(p|tm|tc|ts|wm)(100(?:\.0{1,10})?|\d{1,2}(?:\.\d{1,10})?)")
_NUMBER = r"\d+(?:\.\d{1,10})?"
_RANGE = re.compile(rf"(TM|TC|TS|WM|PR)\(({_NUMBER}%?)?:({_NUMBER}%?)?\)")


_WITHOUT_SINGLE_VALUES = ("AWS/ECS", "AWS/ElastiCache", "ECS/ContainerInsights")
# Weights are kept in half the width of counts.
_ROUNDING = 1e-5


class UnknownStatistic(ValueError):
    """CloudWatch has no such statistic, or the sandbox does not compute it."""


@dataclass(frozen=True)
class Trim:
    """What a trimmed statistic keeps: values in (lower, upper], or that range of percent."""

    lower: float
    upper: float
    percent: bool


def is_told(name: str, namespace: str) -> bool:
    """Whether a namespace's metrics have this statistic: some publish no single values."""
    return name in _PLAIN or namespace not in _WITHOUT_SINGLE_VALUES


def parse(name: str) -> Statistic:
    """The function behind a statistic's name.

    It takes periods and returns one value per period, NaN where the statistic cannot be known.
    Raises UnknownStatistic.
    """
    if plain := _PLAIN.get(name):
        return plain
    if short := _SHORT.fullmatch(name):
        return _short(short[1], float(short[2]))
    if name == "IQM":
        return _trimmed("TM", Trim(25.0, 75.0, percent=True))
    if full := _RANGE.fullmatch(name):
        return _trimmed(full[1], _trim(full[1], full[2], full[3]))
    raise UnknownStatistic(name)


def _short(kind: str, percent: float) -> Statistic:
    if kind == "p":
        return lambda periods: np.clip(
            _from_distribution(periods, lambda chunk: percentile(chunk, percent / 100)),
            periods.low,
            periods.high,
        )
    return _trimmed(kind.upper(), Trim(0.0, percent, percent=True))


def _trim(kind: str, lower: str | None, upper: str | None) -> Trim:
    given = [bound for bound in (lower, upper) if bound]
    percents = [bound.endswith("%") for bound in given]
    if not given or len(set(percents)) > 1 or (kind == "PR" and percents[0]):
        raise UnknownStatistic(f"{kind}({lower or ''}:{upper or ''})")
    open_lower, open_upper = (0.0, 100.0) if percents[0] else (-np.inf, np.inf)
    low = float(lower.rstrip("%")) if lower else open_lower
    high = float(upper.rstrip("%")) if upper else open_upper
    if low >= high or (percents[0] and high > 100):
        raise UnknownStatistic(f"{kind}({lower or ''}:{upper or ''})")
    return Trim(low, high, percents[0])


def _from_distribution(periods: Periods, compute: Callable[[Distribution], Floats]) -> Floats:
    """Apply `compute` where every single value is known and none is negative.

    Statistic sets hide their values; with negative ones CloudWatch has no percentiles.
    """
    result = np.full(len(periods.index), np.nan)
    for chunk in distributions(periods):
        count = periods.count[chunk.periods]
        known = chunk.weight.sum(axis=1) >= count * (1 - _ROUNDING) - _ROUNDING
        positive = periods.low[chunk.periods] >= 0
        result[chunk.periods] = np.where(known & positive, compute(chunk), np.nan)
    return result


def percentile(chunk: Distribution, share: float) -> Floats:
    """The value that `share` (0 to 1) of the values do not exceed."""
    reached = np.cumsum(chunk.weight, axis=1)
    rank = np.maximum(share * reached[:, -1], 1e-9)
    column = np.minimum((reached < rank[:, None] - 1e-9).sum(axis=1), len(chunk.keys) - 1)
    rows = np.arange(len(column))
    inside = chunk.weight[rows, column]
    before = reached[rows, column] - inside
    part = np.divide(rank - before, inside, out=np.ones_like(rank), where=inside > 0)
    lower, upper = bounds(chunk.keys)
    return np.asarray(lower[column] + (upper - lower)[column] * np.clip(part, 0, 1))


def _kept(chunk: Distribution, trim: Trim) -> Floats:
    """How much of every bucket lies inside the trim; a bucket on the edge counts in part."""
    if trim.percent:
        reached = np.cumsum(chunk.weight, axis=1)
        least, most = (reached[:, -1:] * bound / 100 for bound in (trim.lower, trim.upper))
        begun = np.clip(reached - chunk.weight, least, most)
        return np.asarray(np.clip(reached, least, most) - begun)
    share = _share_up_to(chunk, trim.upper) - _share_up_to(chunk, trim.lower)
    return np.asarray(chunk.weight * share)


def _share_up_to(chunk: Distribution, value: float) -> Floats:
    lower, upper = bounds(chunk.keys)
    width = np.where(upper > lower, upper - lower, 1.0)
    part = np.clip((value - lower) / width, 0.0, 1.0)
    return np.asarray(np.where(upper <= value, 1.0, part))


def _edges(chunk: Distribution, trim: Trim) -> tuple[Floats, Floats]:
    """The values at which a winsorized mean stops, per period; 0 where it does not."""
    if trim.percent:
        lower, upper = (percentile(chunk, share / 100) for share in (trim.lower, trim.upper))
        return lower, upper
    height = len(chunk.weight)
    bounds_of = (np.full(height, bound) for bound in (trim.lower, trim.upper))
    lower, upper = (np.where(np.isfinite(bound), bound, 0.0) for bound in bounds_of)
    return lower, upper


def _outside(chunk: Distribution, trim: Trim) -> tuple[Floats, Floats]:
    """How many values lie below and above what the trim keeps, per period."""
    everything = chunk.weight.sum(axis=1)
    if trim.percent:
        return everything * trim.lower / 100, everything * (100 - trim.upper) / 100
    below, up_to = (
        (chunk.weight * _share_up_to(chunk, bound)).sum(axis=1)
        for bound in (trim.lower, trim.upper)
    )
    return below, everything - up_to


def _trimmed(kind: str, trim: Trim) -> Statistic:
    def count(chunk: Distribution) -> Floats:
        return np.asarray(np.floor(_kept(chunk, trim).sum(axis=1) + 1e-6))

    def total(chunk: Distribution) -> Floats:
        lower, upper = bounds(chunk.keys)
        return np.asarray(_kept(chunk, trim) @ ((lower + upper) / 2))

    def mean(chunk: Distribution) -> Floats:
        kept = _kept(chunk, trim).sum(axis=1)
        unknown = np.full_like(kept, np.nan)
        return np.asarray(np.divide(total(chunk), kept, out=unknown, where=kept > 0))

    def rank(chunk: Distribution) -> Floats:
        everything = np.maximum(chunk.weight.sum(axis=1), 1e-9)
        return np.asarray(100 * _kept(chunk, trim).sum(axis=1) / everything)

    def winsorized(chunk: Distribution) -> Floats:
        lower, upper = _edges(chunk, trim)
        below, above = _outside(chunk, trim)
        everything = np.maximum(chunk.weight.sum(axis=1), 1e-9)
        return np.asarray((total(chunk) + below * lower + above * upper) / everything)

    compute = {"TC": count, "TS": total, "TM": mean, "PR": rank, "WM": winsorized}[kind]
    return lambda periods: _from_distribution(periods, compute)
