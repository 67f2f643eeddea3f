"""From a query's commands to steps: rows pass the first ones singly, the last ones together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sandbox.logs.insights.compiling import Scope, Value, compiled
from sandbox.logs.insights.grouping import Grouping
from sandbox.logs.insights.parser import parse
from sandbox.logs.insights.rows import Row
from sandbox.logs.insights.syntax import (
    Command,
    CompileError,
    Dedup,
    Display,
    Field,
    Fields,
    Filter,
    Item,
    Limit,
    Parse,
    Sort,
    Span,
    Stats,
)
from sandbox.logs.insights.values import raw, sort_key, text, truth

# Passes a row on (True) or not, and may add fields to it.
Step = Callable[[Row], bool]
# What all rows become together.
Whole = Callable[[Iterable[Row]], Iterable[Row]]
Order = Callable[[Iterable[Row]], list[Row]]
Show = Callable[[Row], str | None]


@dataclass
class Plan:
    """A compiled query.

    Rows pass `steps`; then they go into `grouping`, if there is one, or are kept; then `wholes`.
    `columns` are shown of what remains. `keep` rows are enough where nothing is sorted; `at_once`
    is the number that `limit any` stops at; `prune` are a limit and the order it goes by.
    `partial` tells whether results may be shown before the end.
    """

    steps: list[Step] = field(default_factory=list)
    grouping: Grouping | None = None
    wholes: list[Whole] = field(default_factory=list)
    columns: list[tuple[str, Show]] = field(default_factory=list)
    grouped: bool = False
    at_once: int | None = None
    keep: int | None = None
    prune: tuple[int, Order] | None = None
    partial: bool = True


def plan(query: str, limit: int, *, began: float = 0.0) -> Plan:
    """Compile a query that shall return at most `limit` rows; raises CompileError.

    `began` is when it began, in seconds since 1970: what now() gives.
    """
    planner = _Planner(Scope(began=began))
    try:
        for command in parse(query):
            planner.add(command)
    except RecursionError as error:
        raise CompileError("Query is nested too deeply", 0, len(query)) from error
    if not planner.plan.columns:
        planner.show(_DEFAULT)
    planner.add(Limit(limit))
    return planner.plan


_DEFAULT = (
    Item(Field(("@timestamp",)), "@timestamp", False),
    Item(Field(("@message",)), "@message", False),
)


class _Planner:
    def __init__(self, scope: Scope) -> None:
        self.plan = Plan()
        self._scope = scope
        self._collected = False
        self._order: Order | None = None

    def add(self, command: Command) -> None:
        """One more command."""
        if isinstance(command, Fields):
            self._fields(command)
        elif isinstance(command, Display):
            self.plan.columns.clear()
            self._fields(Fields(command.items))
        elif isinstance(command, Filter):
            condition = compiled(command.condition, self._scope)
            self._step(lambda row: truth(condition(row)))
        elif isinstance(command, Parse):
            self._parse(command)
        elif isinstance(command, Stats):
            self._stats(command)
        else:
            self._whole(command)

    def show(self, items: Sequence[Item]) -> None:
        """Add columns; one of a name that is shown already replaces it."""
        for item in items:
            show = self._shown(item)
            known = [column for column in self.plan.columns if column[0] != item.name]
            self.plan.columns[:] = [*known, (item.name, show)]

    def _shown(self, item: Item) -> Show:
        # Once made, an alias is a field like any other.
        expression = Field((item.name,)) if item.aliased else item.expression
        value = compiled(expression, self._scope)
        logged = isinstance(expression, Field) and expression.name not in self._scope.made
        write = raw if logged else text

        def show(row: Row) -> str | None:
            found = value(row)
            return None if found is None else write(found)

        return show

    def _step(self, step: Step) -> None:
        """Rows pass singly as long as nothing needs all of them."""
        if self._collected:
            self.plan.wholes.append(lambda rows: [row for row in rows if step(row)])
        else:
            self.plan.steps.append(step)

    def _fields(self, command: Fields) -> None:
        made = [item for item in command.items if item.aliased]
        # Aliases of one command do not see each other (measured on AWS).
        values = [(item.name, compiled(item.expression, self._scope)) for item in made]
        for item in made:
            self._define(item.name, item.span)
        if values:
            self._step(_maker(values))
        self.show(command.items)

    def _define(self, name: str, span: Span) -> None:
        if name in self._scope.made:
            raise span.error(f"Ephemeral field is already defined: {name}")
        self._scope.made.add(name)

    def _parse(self, command: Parse) -> None:
        source = compiled(command.source, self._scope)
        for name in command.names:
            self._define(name, command.span)
        groups, names = command.groups, command.names

        def step(row: Row) -> bool:
            value = source(row)
            found = None if value is None else groups(text(value))
            if found is not None:
                row.made.update(
                    (name, part)
                    for name, part in zip(names, found, strict=True)
                    if part is not None
                )
            return True

        self._step(step)
        if not self.plan.columns:
            self.show(_DEFAULT)
        self.show([Item(Field((name,)), name, True, command.span) for name in names])

    def _stats(self, command: Stats) -> None:
        grouping = Grouping(command, self._scope)
        if self._collected:
            self.plan.partial = False
            scope = self._scope
            self.plan.wholes.append(lambda rows: _grouped(Grouping(command, scope), rows))
        else:
            self.plan.grouping = grouping
        self._collected = self.plan.grouped = True
        self._scope = Scope(made=set(grouping.names), closed=True, began=self._scope.began)
        if len(set(grouping.names)) < len(grouping.names):
            raise command.span.error("Every column of stats needs a name of its own")
        self.plan.columns.clear()
        self.show([Item(Field((name,)), name, True) for name in grouping.names])

    def _whole(self, command: Sort | Limit | Dedup) -> None:
        self._collected = True
        if isinstance(command, Limit):
            self._limit(command)
        elif isinstance(command, Sort):
            keys = [(compiled(key, self._scope), down) for key, down in command.keys]
            self._order = partial(_ordered, keys=keys)
            self.plan.wholes.append(self._order)
        else:
            values = [compiled(each, self._scope) for each in command.fields]
            self.plan.wholes.append(lambda rows: _distinct(rows, values))

    def _limit(self, command: Limit) -> None:
        if not self.plan.wholes and self.plan.grouping is None:
            # The newest rows come first: more than these will never be shown.
            self.plan.keep = command.count
            self.plan.at_once = command.count if command.at_once else None
        if self._order and self.plan.wholes == [self._order] and self.plan.grouping is None:
            self.plan.prune = (command.count, self._order)
        self.plan.wholes.append(lambda rows: list(rows)[: command.count])


def _maker(values: Sequence[tuple[str, Value]]) -> Step:
    def step(row: Row) -> bool:
        row.made.update([(name, value(row)) for name, value in values])
        return True

    return step


def _grouped(grouping: Grouping, rows: Iterable[Row]) -> Iterable[Row]:
    for row in rows:
        grouping.add(row)
    return grouping.rows()


def _ordered(rows: Iterable[Row], keys: Sequence[tuple[Value, bool]]) -> list[Row]:
    found = list(rows)
    for value, down in reversed(keys):
        found.sort(key=lambda row: sort_key(value(row)), reverse=down)
    return found


def _distinct(rows: Iterable[Row], values: Sequence[Value]) -> list[Row]:
    """The first row of each combination; one with a missing value is no duplicate."""
    seen: set[tuple[str, ...]] = set()
    kept = []
    for row in rows:
        found: list[Any] = [value(row) for value in values]
        key = tuple(text(value) for value in found)
        if key in seen and None not in found:
            continue
        if None not in found:
            seen.add(key)
        kept.append(row)
    return kept
