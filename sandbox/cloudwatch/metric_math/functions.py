"""The functions of metric math, by the tables of CloudWatch's guide ("Using metric math")."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import numpy as np

from sandbox.cloudwatch.metric_math.values import (
    Array,
    Series,
    Value,
    WrongExpression,
    aligned,
    type_of,
)
from sandbox.cloudwatch.points import Floats, Ints

Each = Callable[[Series], Floats]
# Statistics over axis 0 of a table whose missing values are NaN.
Reduce = Callable[[Floats], Floats]


def _previous(series: Series) -> tuple[Ints, Ints]:
    """The slots that have a value and a value before it, and the slots of those before."""
    known = np.flatnonzero(np.isfinite(series.values))
    return known[1:], known[:-1]


def _differences(series: Series) -> Floats:
    result = np.full(len(series), np.nan)
    now, before = _previous(series)
    result[now] = series.values[now] - series.values[before]
    return result


def _time_differences(series: Series) -> Floats:
    result = np.full(len(series), np.nan)
    now, before = _previous(series)
    result[now] = (now - before) * series.period
    return result


def _rates(series: Series) -> Floats:
    return _differences(series) / _time_differences(series)


def _running_sums(series: Series) -> Floats:
    sums = np.cumsum(np.nan_to_num(series.values))
    return np.where(np.isnan(series.values), np.nan, sums)


def _logarithms(function: Callable[[Floats], Floats]) -> Each:
    def each(series: Series) -> Floats:
        with np.errstate(all="ignore"):
            return np.asarray(function(series.values))

    return each


EACH: Mapping[str, Each] = {
    "ABS": lambda series: np.abs(series.values),
    "CEIL": lambda series: np.ceil(series.values),
    "FLOOR": lambda series: np.floor(series.values),
    "LOG": _logarithms(np.log),
    "LOG10": _logarithms(np.log10),
    "DIFF": _differences,
    "DIFF_TIME": _time_differences,
    "RATE": _rates,
    "RUNNING_SUM": _running_sums,
}
REDUCE: Mapping[str, Reduce] = {
    "SUM": lambda table: np.asarray(np.nansum(table, axis=0)),
    # The guide: "Missing values are treated as 0", so the divisor is the number of series.
    "AVG": lambda table: np.asarray(np.nansum(table, axis=0) / len(table)),
    "MIN": lambda table: np.nanmin(table, axis=0),
    "MAX": lambda table: np.nanmax(table, axis=0),
    "STDDEV": lambda table: np.nanstd(table, axis=0),
    "DATAPOINT_COUNT": lambda table: np.asarray(np.isfinite(table).sum(axis=0), np.float64),
}
# What of a timestamp these functions tell; days of the week are 1 (Monday) to 7.
CLOCK: Mapping[str, Callable[[datetime], float]] = {
    "MINUTE": lambda at: at.minute,
    "HOUR": lambda at: at.hour,
    "DAY": lambda at: at.isoweekday(),
    "DATE": lambda at: at.day,
    "MONTH": lambda at: at.month,
    "YEAR": lambda at: at.year,
    "EPOCH": lambda at: at.timestamp(),
}


def each(name: str, value: Value) -> Value:
    """A function that turns every series into another; raises WrongExpression for a scalar."""
    if isinstance(value, float):
        raise WrongExpression(f"The function {name} does not take a scalar")
    if isinstance(value, Series):
        return value.computed(EACH[name](value))
    return tuple(series.computed(EACH[name](series)) for series in value)


def reduce(name: str, value: Value) -> Value:
    """One series becomes a scalar over its points, an array becomes one series.

    Where no series of an array has a value, the result has none.
    """
    if isinstance(value, float):
        raise WrongExpression(f"The function {name} does not take a scalar")
    if isinstance(value, Series):
        known = value.known()
        if not len(known):
            return 0.0 if name == "DATAPOINT_COUNT" else math.nan
        return float(REDUCE[name](known))
    if not value:
        raise WrongExpression(f"The function {name} needs at least one time series")
    series = aligned(value)
    table = np.array([one.values for one in series])
    some = np.isfinite(table).any(axis=0)
    result = np.full(table.shape[1], np.nan)
    result[some] = REDUCE[name](table[:, some])
    return Series(series[0].period, result)


def clock(name: str, series: Series, start: int) -> Series:
    """A part of the time (UTC) of every period from `start`, whether it has data or not."""
    part = CLOCK[name]
    stamps = start + np.arange(len(series)) * series.period
    values = [part(datetime.fromtimestamp(int(stamp), UTC)) for stamp in stamps.tolist()]
    return series.computed(np.array(values, dtype=np.float64))


def filled(value: Value, filler: Value | str) -> Value:
    """FILL: by a number, another series, REPEAT (the last known value) or LINEAR."""
    if isinstance(value, float):
        raise WrongExpression("The function FILL does not take a scalar")
    if isinstance(filler, tuple):
        raise WrongExpression("The function FILL cannot fill with an array of time series")
    if isinstance(value, tuple):
        return tuple(_filled(one, filler) for one in value)
    return _filled(value, filler)


def _filled(series: Series, filler: Series | float | str) -> Series:
    if isinstance(filler, Series):
        series, filler = aligned([series, filler])
    missing = np.isnan(series.values)
    instead: Floats | float
    if filler == "REPEAT":
        last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(missing))))
        instead = np.where(last < 0, np.nan, series.values[last])
    elif filler == "LINEAR":
        instead = _between(missing, series.values)
    else:
        instead = filler.values if isinstance(filler, Series) else float(filler)
    return series.computed(np.where(missing, instead, series.values))


def _between(missing: Ints, values: Floats) -> Floats:
    """Straight lines across the gaps; before the first and after the last value there is none."""
    slots = np.arange(len(values))
    known = slots[~missing.astype(bool)]
    if not len(known):
        return values
    return np.asarray(np.interp(slots, known, values[known], left=np.nan, right=np.nan))


def ordered(value: Value, by: str, order: str, limit: float | None) -> Array:
    """SORT: series by AVG, MIN, MAX or SUM of their points; those without data come last."""
    if not isinstance(value, tuple):
        raise WrongExpression(f"The function SORT does not take {type_of(value)}")
    if by not in {"AVG", "MIN", "MAX", "SUM"} or order not in {"ASC", "DESC"}:
        raise WrongExpression("The function SORT takes AVG, MIN, MAX or SUM, then ASC or DESC")
    sign = 1 if order == "ASC" else -1

    def rank(series: Series) -> float:
        known = series.known()
        return sign * float(REDUCE[by](known)) if len(known) else math.inf

    found = tuple(sorted(value, key=rank))
    return found if limit is None else found[: int(limit)]


def sliced(value: Value, start: float, end: float | None) -> Value:
    """SLICE: the series from `start` to before `end`; without `end` all that follow."""
    if not isinstance(value, tuple):
        raise WrongExpression(f"The function SLICE does not take {type_of(value)}")
    return value[int(start) :] if end is None else value[int(start) : int(end)]
