"""Walks the tree of an expression and calls operators and functions with the types they take."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from sandbox.cloudwatch.metric_math import functions, grammar, operators
from sandbox.cloudwatch.metric_math.values import Array, Series, Value, WrongExpression, type_of

# Known to CloudWatch, not to the sandbox.
_UNSUPPORTED = (
    "ANOMALY_DETECTION_BAND",
    "DB_PERF_INSIGHTS",
    "INSIGHT_RULE_METRIC",
    "LAMBDA",
    "SERVICE_QUOTA",
)


_SEARCH_SECONDS = 300


class Surroundings(Protocol):
    """What an expression sees of the request it stands in."""

    @property
    def start(self) -> int:
        """When the window begins, in seconds since 1970."""

    def value(self, name: str) -> Value:
        """The value of the query with that id."""

    def metrics(self) -> Array:
        """The series of all queries that ask for a metric."""

    def steady(self, value: float, period: int | None) -> Series:
        """A series with this value in every period of so many seconds, if they are given."""

    def search(self, text: str, statistic: str, seconds: int) -> Array:
        """The series of all metrics a SEARCH finds, every so many seconds."""


@dataclass(frozen=True)
class Evaluator:
    """Evaluates trees; raises WrongExpression where CloudWatch would refuse.

    `period` is what the query says in seconds, for functions that have no metric to take it from.
    """

    around: Surroundings
    period: int | None = None

    def value(self, node: grammar.Node) -> Value:
        """The value of a tree."""
        match node:
            case grammar.Number(value):
                return value
            case grammar.Name(name):
                return self._named(name)
            case grammar.Negative(operand):
                return operators.negative(self.value(operand))
            case grammar.Binary():
                return self._binary(node)
            case grammar.Array(items):
                return self._array(items)
            case grammar.Call(function, arguments):
                return self._call(function, arguments)
        raise WrongExpression("Invalid syntax")

    def _named(self, name: str) -> Value:
        if not name[0].islower():
            raise WrongExpression("Invalid syntax")
        return self.around.value(name)

    def _binary(self, node: grammar.Binary) -> Value:
        """A long sum is a deep tree to the left: it is walked, not recursed into."""
        spine: list[grammar.Binary] = []
        left: grammar.Node = node
        while isinstance(left, grammar.Binary):
            spine.append(left)
            left = left.left
        value = self.value(left)
        for one in reversed(spine):
            value = operators.binary(one.operator, value, self.value(one.right))
        return value

    def _array(self, items: Sequence[grammar.Node]) -> Array:
        found: list[Series] = []
        for item in items:
            value = self.value(item)
            if isinstance(value, float):
                raise WrongExpression("An array cannot hold a scalar")
            found += [value] if isinstance(value, Series) else value
        return tuple(found)

    def _call(self, name: str, arguments: Sequence[grammar.Node]) -> Value:
        if name in _UNSUPPORTED:
            raise WrongExpression(f"Function '{name}' is not supported by this sandbox")
        if name in functions.EACH:
            return functions.each(name, self._only(name, arguments))
        if name in functions.REDUCE:
            return functions.reduce(name, self._only(name, arguments))
        if name in functions.CLOCK:
            return functions.clock(name, self._series(name, arguments), self.around.start)
        special = _SPECIAL.get(name)
        if special is None:
            raise WrongExpression(f"Function '{name}' not found")
        return special(self, arguments)

    def _only(self, name: str, arguments: Sequence[grammar.Node]) -> Value:
        self._count(name, arguments, 1)
        return self.value(arguments[0])

    def _series(self, name: str, arguments: Sequence[grammar.Node]) -> Series:
        value = self._only(name, arguments)
        if not isinstance(value, Series):
            raise WrongExpression(f"The function {name} does not take {type_of(value)}")
        return value

    def _several(self, name: str, arguments: Sequence[grammar.Node]) -> Array:
        value = self._only(name, arguments)
        if not isinstance(value, tuple):
            raise WrongExpression(f"The function {name} does not take {type_of(value)}")
        return value

    def _scalar(self, name: str, node: grammar.Node) -> float:
        value = self.value(node)
        if not isinstance(value, float):
            raise WrongExpression(f"The function {name} needs a scalar, not {type_of(value)}")
        return value

    def _count(
        self, name: str, arguments: Sequence[grammar.Node], least: int, most: int | None = None
    ) -> None:
        if not least <= len(arguments) <= (most or least):
            raise WrongExpression(f"The function {name} cannot have {len(arguments)} arguments")

    # -- functions of their own form -------------------------------------------------------------

    def if_(self, arguments: Sequence[grammar.Node]) -> Value:
        """IF(condition, then[, otherwise])."""
        self._count("IF", arguments, 2, 3)
        values = [self.value(argument) for argument in arguments]
        return operators.choose(values[0], values[1], values[2] if len(values) > 2 else None)

    def fill(self, arguments: Sequence[grammar.Node]) -> Value:
        """FILL(m, value | REPEAT | LINEAR)."""
        self._count("FILL", arguments, 2)
        series, filler = arguments
        if isinstance(filler, grammar.Name) and filler.name in {"REPEAT", "LINEAR"}:
            return functions.filled(self.value(series), filler.name)
        return functions.filled(self.value(series), self.value(filler))

    def metrics(self, arguments: Sequence[grammar.Node]) -> Value:
        """METRICS() or METRICS("part of an id")."""
        self._count("METRICS", arguments, 0, 1)
        found = self.around.metrics()
        if not arguments:
            return found
        part = _text("METRICS", arguments[0])
        return tuple(series for series in found if part in (series.id or ""))

    def period_of(self, arguments: Sequence[grammar.Node]) -> Value:
        """PERIOD(m) in seconds, of a metric only."""
        series = self._series("PERIOD", arguments)
        if series.metric is None:
            raise WrongExpression("The function PERIOD takes metrics, not expressions")
        return float(series.period)

    def metric_count(self, arguments: Sequence[grammar.Node]) -> Value:
        """METRIC_COUNT(array)."""
        return float(len(self._several("METRIC_COUNT", arguments)))

    def remove_empty(self, arguments: Sequence[grammar.Node]) -> Value:
        """REMOVE_EMPTY(array)."""
        found = self._several("REMOVE_EMPTY", arguments)
        return tuple(series for series in found if np.isfinite(series.values).any())

    def first(self, arguments: Sequence[grammar.Node]) -> Value:
        """FIRST(array)."""
        return self._one("FIRST", arguments, 0)

    def last(self, arguments: Sequence[grammar.Node]) -> Value:
        """LAST(array)."""
        return self._one("LAST", arguments, -1)

    def _one(self, name: str, arguments: Sequence[grammar.Node], which: int) -> Series:
        found = self._several(name, arguments)
        if not found:
            raise WrongExpression(f"The function {name} needs at least one time series")
        return found[which]

    def sort(self, arguments: Sequence[grammar.Node]) -> Value:
        """SORT(array, AVG|MIN|MAX|SUM, ASC|DESC[, limit])."""
        self._count("SORT", arguments, 3, 4)
        by, order = (_keyword("SORT", argument) for argument in arguments[1:3])
        limit = self._scalar("SORT", arguments[3]) if len(arguments) > 3 else None
        return functions.ordered(self.value(arguments[0]), by, order, limit)

    def slice(self, arguments: Sequence[grammar.Node]) -> Value:
        """SLICE(array, start[, end])."""
        self._count("SLICE", arguments, 2, 3)
        start = self._scalar("SLICE", arguments[1])
        end = self._scalar("SLICE", arguments[2]) if len(arguments) > 2 else None
        return functions.sliced(self.value(arguments[0]), start, end)

    def time_series(self, arguments: Sequence[grammar.Node]) -> Value:
        """TIME_SERIES(scalar)."""
        self._count("TIME_SERIES", arguments, 1)
        return self.around.steady(self._scalar("TIME_SERIES", arguments[0]), self.period)

    def search(self, arguments: Sequence[grammar.Node]) -> Value:
        """SEARCH('terms', 'statistic'[, period])."""
        self._count("SEARCH", arguments, 2, 3)
        text, statistic = (_text("SEARCH", argument) for argument in arguments[:2])
        if len(arguments) > 2:
            seconds = int(self._scalar("SEARCH", arguments[2]))
        else:
            seconds = self.period or _SEARCH_SECONDS
        return self.around.search(text, statistic, seconds)


def _text(name: str, node: grammar.Node) -> str:
    if not isinstance(node, grammar.Text):
        raise WrongExpression(f"The function {name} needs a string")
    return node.value


def _keyword(name: str, node: grammar.Node) -> str:
    if not isinstance(node, grammar.Name):
        raise WrongExpression(f"The function {name} needs a keyword such as AVG or DESC")
    return node.name


_SPECIAL: dict[str, Callable[[Evaluator, Sequence[grammar.Node]], Value]] = {
    "FILL": Evaluator.fill,
    "FIRST": Evaluator.first,
    "IF": Evaluator.if_,
    "LAST": Evaluator.last,
    "METRICS": Evaluator.metrics,
    "METRIC_COUNT": Evaluator.metric_count,
    "PERIOD": Evaluator.period_of,
    "REMOVE_EMPTY": Evaluator.remove_empty,
    "SEARCH": Evaluator.search,
    "SLICE": Evaluator.slice,
    "SORT": Evaluator.sort,
    "TIME_SERIES": Evaluator.time_series,
}
