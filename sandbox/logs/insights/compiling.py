"""From expressions to functions of a row."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.logs.insights import periods
from sandbox.logs.insights.aggregates import AGGREGATES
from sandbox.logs.insights.functions import FUNCTIONS
from sandbox.logs.insights.rows import SYSTEM, Row, walk
from sandbox.logs.insights.syntax import (
    Call,
    Expression,
    Field,
    Like,
    Literal,
    Negative,
    Not,
    Operation,
    Period,
    Within,
)
from sandbox.logs.insights.values import Timestamp, equal, number, ordered, text, truth

Value = Callable[[Row], Any]
_TIMESTAMP = Field(("@timestamp",))


@dataclass
class Scope:
    """What names mean at one place of a query: fields the query made, and those of the event.

    `closed` is the scope behind `stats`, where an event's own fields are gone. `began` is when
    the query began, in seconds since 1970.
    """

    made: set[str] = field(default_factory=set)
    closed: bool = False
    began: float = 0.0

    def field(self, of: Field) -> Value:
        """How a row's field is read; raises CompileError for one that is not there any more."""
        if of.name in self.made:
            return partial(_made, of.name)
        head = of.path[0]
        if head in self.made:
            return lambda row: walk(row.made.get(head), of.path[1:])
        if self.closed:
            raise of.span.error(f"Unknown symbols found in or after stats: {of.name}")
        if head in SYSTEM and len(of.path) == 1:
            read = SYSTEM[head]
            return lambda row: read(row.event) if row.event else None
        return _discovered(of)


def _made(name: str, row: Row) -> Any:
    return row.made.get(name)


def _discovered(of: Field) -> Value:
    """A field of a JSON message; one whose name begins with @ is asked for with @@."""
    path = of.path
    if path[0].startswith("@"):
        if not path[0].startswith("@@"):
            return lambda _: None
        path = (path[0][1:], *path[1:])
    if len(path) == 1:
        name = path[0]
        return lambda row: row.body.get(name)
    whole = ".".join(path)

    def read(row: Row) -> Any:
        found = walk(row.body, path)
        return row.body.get(whole) if found is None else found

    return read


def compiled(expression: Expression, scope: Scope) -> Value:
    """The function that computes `expression` of a row; raises CompileError."""
    if isinstance(expression, Literal):
        constant = expression.value
        return lambda _: constant
    if isinstance(expression, Field):
        return scope.field(expression)
    if isinstance(expression, Call):
        return _call(expression, scope)
    if isinstance(expression, Operation):
        return _operation(expression, scope)
    return _other(expression, scope)


def _other(expression: Not | Negative | Like | Within | Period, scope: Scope) -> Value:
    if isinstance(expression, Period):
        raise _TIMESTAMP.span.error("A period has no place here")
    if isinstance(expression, Like):
        return _like(expression, compiled(expression.value, scope))
    if isinstance(expression, Within):
        return _within(expression, scope)
    inner = compiled(expression.inner, scope)
    if isinstance(expression, Not):
        return lambda row: not truth(inner(row))
    return lambda row: _arithmetic(operator.sub, 0, inner(row))


# -- operators -------------------------------------------------------------------------------------


def _power(left: float, right: float) -> float:
    return math.pow(left, right)


_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "%": math.fmod,
    "^": _power,
}


def _arithmetic(function: Callable[[Any, Any], Any], left: Any, right: Any) -> Any:
    """Missing when an operand is no number or there is no result."""
    one, two = number(left), number(right)
    if one is None or two is None:
        return None
    try:
        return function(one, two)
    except (ArithmeticError, ValueError):
        return None


def _operation(expression: Operation, scope: Scope) -> Value:
    left, right = compiled(expression.left, scope), compiled(expression.right, scope)
    sign = expression.sign
    if sign in _ARITHMETIC:
        function = _ARITHMETIC[sign]
        return lambda row: _arithmetic(function, left(row), right(row))
    if sign == "and":
        return lambda row: truth(left(row)) and truth(right(row))
    if sign == "or":
        return lambda row: truth(left(row)) or truth(right(row))
    if sign in ("=", "!="):
        test = _equality(left, expression.right, right)
        return test if sign == "=" else lambda row: not test(row)
    return partial(_compare, sign, left, right)


def _compare(sign: str, left: Value, right: Value, row: Row) -> bool:
    return ordered(sign, left(row), right(row))


def _equality(left: Value, literal: Expression, right: Value) -> Value:
    """Most comparisons are with a text that is no number: those need not be turned into one."""
    if isinstance(literal, Literal) and isinstance(literal.value, str):
        wanted = literal.value
        if number(wanted) is None:
            return lambda row: (found := left(row)) is not None and text(found) == wanted
    return lambda row: equal(left(row), right(row))


def _like(expression: Like, value: Value) -> Value:
    pattern = expression.pattern
    if isinstance(pattern, str):
        return lambda row: (found := value(row)) is not None and pattern in text(found)
    search = pattern.search
    return lambda row: (found := value(row)) is not None and search(text(found)) is not None


def _within(expression: Within, scope: Scope) -> Value:
    value = compiled(expression.value, scope)
    options = [compiled(option, scope) for option in expression.options]

    def test(row: Row) -> bool:
        found = value(row)
        return any(equal(found, option(row)) for option in options)

    return test


# -- functions -------------------------------------------------------------------------------------


def _call(call: Call, scope: Scope) -> Value:
    if call.function in ("bin", "datefloor", "dateceil"):
        return _rounded(call, scope)
    if call.function == "now" and not call.arguments:
        began = int(scope.began)
        return lambda _: began
    if call.function in AGGREGATES or call.function == "pct":
        raise call.span.error(f"unexpected symbol found {call.function}")
    function = FUNCTIONS.get(call.function)
    if function is None:
        raise call.span.error(f"unexpected symbol found {call.function}")
    most = len(call.arguments) if function.most is None else function.most
    if not function.least <= len(call.arguments) <= most:
        raise call.span.error(f"Invalid number of arguments for function {call.function}")
    return _applied(function.call, [compiled(each, scope) for each in call.arguments])


def _applied(function: Callable[..., Any], arguments: Sequence[Value]) -> Value:
    if len(arguments) == 1:
        (only,) = arguments
        return lambda row: function(only(row))
    return lambda row: function(*(argument(row) for argument in arguments))


def _rounded(call: Call, scope: Scope) -> Value:
    """`bin(5m)` rounds @timestamp; datefloor and dateceil any timestamp."""
    given = call.arguments if call.function != "bin" else (_TIMESTAMP, *call.arguments)
    if len(given) != 2 or not isinstance(given[1], Period):
        raise call.span.error(f"Invalid arguments for function {call.function}")
    if call.function == "bin" and scope.closed:
        raise call.span.error("Unknown symbols found in or after stats: @timestamp")
    value, period = compiled(given[0], scope), given[1]
    rounding = periods.ceil if call.function == "dateceil" else periods.floor

    def rounded(row: Row) -> Timestamp | None:
        found = number(value(row))
        try:
            return None if found is None else rounding(int(found), period)
        except (ValueError, OverflowError, OSError):
            return None

    return rounded
