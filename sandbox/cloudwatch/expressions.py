"""Metric math: arithmetic, comparisons, FILL and IF. Everything else is refused, never ignored."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sandbox.cloudwatch.points import Floats
from sandbox.cloudwatch.queries import refuse


@dataclass(frozen=True)
class Series:
    """One value per period of so many minutes, NaN where there is none."""

    period: int
    values: Floats


Value = Series | float
Lookup = Callable[[str], Series]

_ARITHMETIC: dict[type[ast.operator], Callable[[Floats, Floats], Floats]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Pow: operator.pow,
}
_COMPARISONS: dict[type[ast.cmpop], Callable[[Floats, Floats], Floats]] = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
}


def evaluate(expression: str, lookup: Lookup) -> Series:
    """The series an expression stands for; `lookup` finds the series of another query's id.

    A period is missing where an operand is missing or the arithmetic has no finite answer.
    Raises AwsError for what the sandbox cannot compute.
    """
    if "**" in expression:
        raise refuse(f"Error in expression '{expression}': unsupported: **")
    # Metric math writes powers with a caret, which binds loosely in Python.
    source = expression.strip().replace("^", "**")
    try:
        tree = ast.parse(source, mode="eval")
        result = _Evaluation(source, lookup).value(tree.body)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise refuse(f"Error in expression '{expression}': {error}") from error
    if isinstance(result, float):
        raise refuse(f"Error in expression '{expression}': must return a time series.")
    return result


class _Evaluation:
    def __init__(self, expression: str, lookup: Lookup) -> None:
        self._expression = expression
        self._lookup = lookup

    def value(self, node: ast.expr) -> Value:
        match node:
            case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
                return float(number)
            case ast.Name(id=name):
                return self._lookup(name)
            case ast.UnaryOp(op=ast.USub(), operand=operand):
                return self._combine(operator.sub, 0.0, self.value(operand))
            case ast.BinOp(left=left, op=sign, right=right) if type(sign) in _ARITHMETIC:
                return self._combine(_ARITHMETIC[type(sign)], self.value(left), self.value(right))
            case ast.Compare(left=left, ops=[sign], comparators=[right]):
                return self._compare(sign, self.value(left), self.value(right))
            case ast.Call():
                return self._call(node)
        raise self._unsupported(node)

    def _call(self, call: ast.Call) -> Value:
        match call:
            case ast.Call(func=ast.Name(id="FILL"), args=[series, filler], keywords=[]):
                return self._fill(self.value(series), filler)
            case ast.Call(func=ast.Name(id="IF"), args=[test, yes, no], keywords=[]):
                return self._choose(self.value(test), self.value(yes), self.value(no))
        raise self._unsupported(call)

    def _unsupported(self, node: ast.expr) -> Exception:
        part = ast.get_source_segment(self._expression, node) or self._expression
        return refuse(f"Error in expression '{self._expression}': unsupported: {part}")

    def _combine(
        self, function: Callable[[Floats, Floats], Floats], left: Value, right: Value
    ) -> Value:
        period = self._period(left, right)
        with np.errstate(all="ignore"):
            values = np.asarray(function(_array(left), _array(right)), dtype=np.float64)
        values = np.where(np.isfinite(values), values, np.nan)
        return float(values) if period is None else Series(period, values)

    def _compare(self, sign: ast.cmpop, left: Value, right: Value) -> Value:
        if type(sign) not in _COMPARISONS:
            raise refuse(f"Error in expression '{self._expression}': unsupported comparison.")
        holds = self._combine(_COMPARISONS[type(sign)], left, right)
        # Comparing with NaN is false in numpy; in metric math it is no data.
        return self._combine(
            operator.add, holds, self._combine(lambda a, b: 0 * a * b, left, right)
        )

    def _fill(self, series: Value, filler: ast.expr) -> Value:
        if isinstance(series, float):
            raise refuse(f"Error in expression '{self._expression}': FILL needs a time series.")
        missing = np.isnan(series.values)
        if isinstance(filler, ast.Name) and filler.id == "REPEAT":
            last = np.maximum.accumulate(np.where(missing, -1, np.arange(len(missing))))
            return Series(series.period, np.where(last < 0, np.nan, series.values[last]))
        instead = _array(self.value(filler))
        return Series(series.period, np.where(missing, instead, series.values))

    def _choose(self, test: Value, yes: Value, no: Value) -> Value:
        period = self._period(test, yes, no)
        condition = _array(test)
        chosen = np.where(condition != 0, _array(yes), _array(no))
        values = np.asarray(np.where(np.isnan(condition), np.nan, chosen), dtype=np.float64)
        return float(values) if period is None else Series(period, values)

    def _period(self, *values: Value) -> int | None:
        periods = {value.period for value in values if isinstance(value, Series)}
        if len(periods) > 1:
            raise refuse(f"Error in expression '{self._expression}': periods differ.")
        return periods.pop() if periods else None


def _array(value: Value) -> Floats:
    return value.values if isinstance(value, Series) else np.asarray(value, dtype=np.float64)
