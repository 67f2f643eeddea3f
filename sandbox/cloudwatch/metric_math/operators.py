"""Operators of metric math and IF."""

from __future__ import annotations

import operator
from collections.abc import Mapping

import numpy as np

from sandbox.cloudwatch.metric_math.values import (
    Arithmetic,
    Series,
    Value,
    WrongExpression,
    aligned,
    applied,
    type_of,
)
from sandbox.cloudwatch.points import Floats

ARITHMETIC: Mapping[str, Arithmetic] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "^": operator.pow,
}
COMPARISONS: Mapping[str, Arithmetic] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "AND": lambda left, right: np.logical_and(left != 0, right != 0).astype(np.float64),
    "OR": lambda left, right: np.logical_or(left != 0, right != 0).astype(np.float64),
}


def binary(sign: str, left: Value, right: Value) -> Value:
    """The value of `left sign right`; raises WrongExpression for types that do not fit.

    Comparisons and AND/OR answer 0 or 1 and take no arrays.
    """
    if sign in ARITHMETIC:
        return applied(ARITHMETIC[sign], left, right)
    if isinstance(left, tuple) or isinstance(right, tuple):
        types = f"{type_of(left)}, {type_of(right)}"
        raise WrongExpression(f"Unsupported operand types for {sign}: {types}")
    compare = COMPARISONS[sign]
    return applied(lambda one, other: np.asarray(compare(one, other), np.float64), left, right)


def negative(value: Value) -> Value:
    """Unary minus."""
    return applied(operator.sub, 0.0, value)


def choose(test: Value, yes: Value, no: Value | None) -> Series:
    """IF(test, yes, no): a series, by the tables of the user guide.

    Where the test is a series and true, a missing `yes` counts as 0; a missing `no` is dropped.
    """
    parts: list[Series | float] = []
    for part in (test, yes, np.nan if no is None else no):
        if isinstance(part, tuple):
            raise WrongExpression("The function IF does not take an array of time series")
        parts.append(part)
    series = aligned([part for part in parts if isinstance(part, Series)])
    if not series:
        raise WrongExpression("The function IF needs at least one time series")
    remaining = iter(series)
    on_grid = [next(remaining) if isinstance(part, Series) else part for part in parts]
    return series[0].computed(_chosen(len(series[0]), *on_grid))


def _chosen(slots: int, test: Series | float, yes: Series | float, no: Series | float) -> Floats:
    then, otherwise = (_spread(part, slots) for part in (yes, no))
    if not isinstance(test, Series):
        return then if test else otherwise
    if isinstance(yes, Series):
        then = np.nan_to_num(then)
    picked = np.where(test.values != 0, then, otherwise)
    return np.where(np.isnan(test.values), np.nan, picked)


def _spread(part: Series | float, slots: int) -> Floats:
    return part.values if isinstance(part, Series) else np.full(slots, part)
