"""`stats`: groups of rows and what is aggregated over each."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from typing import Any

from sandbox.logs.insights.aggregates import AGGREGATES, TIMED, Aggregate, percentile
from sandbox.logs.insights.compiling import Scope, Value, compiled
from sandbox.logs.insights.rows import Row
from sandbox.logs.insights.syntax import (
    Call,
    Expression,
    Field,
    Item,
    Literal,
    Negative,
    Not,
    Operation,
    Stats,
)
from sandbox.logs.insights.values import Timestamp, text

_TIMESTAMP = Field(("@timestamp",))


@dataclass(frozen=True)
class _Column:
    """One aggregate call: where its value and its time come from, and what takes them."""

    make: Callable[[], Aggregate]
    value: Value
    at: Value


class Grouping:
    """Takes rows, gives one row a group in the order in which the groups were first seen."""

    def __init__(self, stats: Stats, scope: Scope) -> None:
        self._keys = [(key.name, compiled(key.expression, scope)) for key in stats.keys]
        self._columns: list[_Column] = []
        inside = Scope(made=set(), closed=True, began=scope.began)
        # Behind stats only keys and aggregates are known, and inside an aggregate's arithmetic too.
        self._results: list[tuple[str, Value]] = []
        for item in stats.aggregates:
            known = len(self._columns)
            expression = self._extract(item, item.expression, scope)
            if len(self._columns) == known:
                raise item.span.error(f"unexpected symbol found {item.name}")
            inside.made |= {f"#{place}" for place in range(len(self._columns))}
            self._results.append((item.name, compiled(expression, inside)))
        self._groups: dict[Hashable, tuple[list[Any], list[Aggregate]]] = {}

    @property
    def names(self) -> list[str]:
        """Names of the columns: the keys, then the aggregates."""
        return [name for name, _ in (*self._keys, *self._results)]

    def _extract(self, item: Item, expression: Expression, scope: Scope) -> Expression:
        """The expression with every aggregate call replaced by the field that holds its result."""
        if isinstance(expression, Literal):
            return expression
        if isinstance(expression, Call):
            return self._extract_call(item, expression, scope)
        if isinstance(expression, Operation):
            left = self._extract(item, expression.left, scope)
            return Operation(expression.sign, left, self._extract(item, expression.right, scope))
        if isinstance(expression, Negative):
            return Negative(self._extract(item, expression.inner, scope))
        if isinstance(expression, Not):
            return Not(self._extract(item, expression.inner, scope))
        raise item.span.error(f"unexpected symbol found {item.name}")

    def _extract_call(self, item: Item, call: Call, scope: Scope) -> Expression:
        if call.function in AGGREGATES or call.function == "pct":
            self._columns.append(_column(call, scope))
            return Field((f"#{len(self._columns) - 1}",))
        inner = tuple(self._extract(item, each, scope) for each in call.arguments)
        return Call(call.function, inner, call.span)

    def __len__(self) -> int:
        """How many groups there are."""
        return len(self._groups)

    def add(self, row: Row) -> None:
        """One more row."""
        values = [value(row) for _, value in self._keys]
        key = tuple(value if type(value) is str else _group_key(value) for value in values)
        group = self._groups.get(key)
        if group is None:
            group = (values, [column.make() for column in self._columns])
            self._groups[key] = group
        for column, aggregate in zip(self._columns, group[1], strict=True):
            aggregate.add(column.value(row), column.at(row))

    def rows(self) -> Iterator[Row]:
        """What has been aggregated so far."""
        for values, aggregates in self._groups.values():
            inner = Row(None, {f"#{place}": a.result() for place, a in enumerate(aggregates)})
            made = dict(zip((name for name, _ in self._keys), values, strict=True))
            made |= {name: result(inner) for name, result in self._results}
            yield Row(None, made)


def _group_key(value: Any) -> Hashable:
    """Rows whose key looks the same belong together; missing is a key of its own."""
    return value if value is None or isinstance(value, Timestamp) else text(value)


def _column(call: Call, scope: Scope) -> _Column:
    if call.function == "pct":
        return _percentile(call, scope)
    make = AGGREGATES[call.function]
    at: Value = _no_time
    if call.function in TIMED:
        time = compiled(_TIMESTAMP, scope)
        at = lambda row: (time(row), row.event.number if row.event else 0)  # noqa: E731
    if call.function == "count" and not call.arguments:
        return _Column(make, lambda _: 1, at)
    if len(call.arguments) != 1:
        raise call.span.error(f"Invalid number of arguments for function {call.function}")
    return _Column(make, compiled(call.arguments[0], scope), at)


def _no_time(_: Row) -> None:
    return None


def _percentile(call: Call, scope: Scope) -> _Column:
    share = call.arguments[-1] if call.arguments else None
    if len(call.arguments) != 2 or not isinstance(share, Literal):
        raise call.span.error("Invalid arguments for function pct")
    if not isinstance(share.value, int | float) or not 0 <= share.value <= 100:
        raise call.span.error("Invalid arguments for function pct")
    return _Column(percentile(share.value), compiled(call.arguments[0], scope), _no_time)
