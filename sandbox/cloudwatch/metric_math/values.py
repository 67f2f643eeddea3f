"""The three types of metric math: scalar (S), time series (TS) and array of time series (TS[])."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.points import Floats


class WrongExpression(ValueError):
    """CloudWatch would refuse the expression; the message says why."""


@dataclass(frozen=True)
class Series:
    """One value per period of so many seconds from the window's start, NaN where there is none.

    `label` names it in results; `id`, `metric` and `statistic` are those of the query it was read
    for, None where it was computed.
    """

    period: int
    values: Floats
    label: str = ""
    id: str | None = None
    metric: Metric | None = None
    statistic: str | None = None

    def __len__(self) -> int:
        return len(self.values)

    def known(self) -> Floats:
        """The values there are."""
        return self.values[np.isfinite(self.values)]

    def computed(self, values: Floats) -> Series:
        """Another series with this one's label; what is not finite is missing."""
        finite = np.where(np.isfinite(values), values, np.nan)
        return replace(self, values=finite, id=None, metric=None, statistic=None)


Array = tuple[Series, ...]
Value = float | Series | Array
Arithmetic = Callable[[Floats, Floats], Floats]


def type_of(value: Value) -> str:
    """The type as CloudWatch's guide abbreviates it."""
    if isinstance(value, float):
        return "S"
    return "TS" if isinstance(value, Series) else "TS[]"


def aligned(series: Sequence[Series]) -> list[Series]:
    """The same series on one grid of timestamps: the common divisor of their periods.

    A value keeps its own timestamp; nothing is invented between two of them.
    """
    if len({(one.period, len(one)) for one in series}) < 2:
        return list(series)
    grid = math.gcd(*(one.period for one in series))
    slots = max((len(one) - 1) * one.period // grid + 1 for one in series)
    return [_spread(one, grid, slots) for one in series]


def _spread(series: Series, grid: int, slots: int) -> Series:
    values = np.full(slots, np.nan)
    values[: len(series) * (series.period // grid) : series.period // grid] = series.values
    return replace(series, period=grid, values=values)


def combined(function: Arithmetic, left: Series, right: Series) -> Series:
    """Two series, value by value; where only one has a value the other counts as 0."""
    one, other = aligned([left, right])
    nothing = np.isnan(one.values) & np.isnan(other.values)
    with np.errstate(all="ignore"):
        values = function(np.nan_to_num(one.values), np.nan_to_num(other.values))
    return one.computed(np.where(nothing, np.nan, values))


def applied(function: Arithmetic, left: Value, right: Value) -> Value:
    """The operation on any pair that has a scalar or a single series in it.

    Raises WrongExpression for two arrays.
    """
    if isinstance(left, float) and isinstance(right, float):
        return _number(function, left, right)
    if isinstance(left, tuple):
        if isinstance(right, tuple):
            raise WrongExpression("Unsupported operand types: TS[], TS[]")
        return tuple(_pair(function, one, right) for one in left)
    if isinstance(right, tuple):
        return tuple(_labelled(_pair(function, left, one), one) for one in right)
    return _pair(function, left, right)


def _labelled(series: Series, like: Series) -> Series:
    return replace(series, label=like.label)


def _number(function: Arithmetic, left: float, right: float) -> float:
    with np.errstate(all="ignore"):
        number = float(function(np.array(left), np.array(right)))
    return number if math.isfinite(number) else math.nan


def _pair(function: Arithmetic, left: Series | float, right: Series | float) -> Series:
    if isinstance(left, Series):
        if isinstance(right, Series):
            return combined(function, left, right)
        return _with_scalar(left, right, function)
    if isinstance(right, Series):
        return _with_scalar(right, left, lambda values, number: function(number, values))
    raise TypeError("two scalars are no pair of series")


def _with_scalar(series: Series, scalar: float, function: Arithmetic) -> Series:
    with np.errstate(all="ignore"):
        result = function(series.values, np.full(len(series), scalar))
    # A comparison with NaN is false in numpy; in metric math it is no data.
    missing = np.isnan(series.values) | math.isnan(scalar)
    return series.computed(np.where(missing, np.nan, result))
