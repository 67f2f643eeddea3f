"""What a query consists of, after parsing."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

# What `parse` takes from a text: its groups, None for one that has no part; None without a match.
Groups = Callable[[str], Sequence[str | None] | None]


class CompileError(Exception):
    """A query that cannot be compiled: what is wrong, from which character to before which."""

    def __init__(self, message: str, begin: int, end: int) -> None:
        super().__init__(message)
        self.message = message
        self.begin = begin
        self.end = end


@dataclass(frozen=True)
class Span:
    """Where a part of the query stands."""

    begin: int = 0
    end: int = 0

    def error(self, message: str) -> CompileError:
        """A compile error here."""
        return CompileError(message, self.begin, self.end)


_NOWHERE = Span()


@dataclass(frozen=True)
class Literal:
    """A number, a string, true or false."""

    value: float | int | str | bool


@dataclass(frozen=True)
class Period:
    """A length of time: so many milliseconds, or so many months."""

    milliseconds: int
    months: int = 0


@dataclass(frozen=True)
class Field:
    """A field by its path: `a.b[0]` is ("a", "b", "0")."""

    path: tuple[str, ...]
    span: Span = field(default=_NOWHERE, compare=False)

    @property
    def name(self) -> str:
        """The path as Insights shows it."""
        return ".".join(self.path)


@dataclass(frozen=True)
class Call:
    """A function call, the name in small letters; `count(*)` has no argument."""

    function: str
    arguments: tuple[Expression, ...]
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True)
class Operation:
    """`left sign right`: arithmetic, a comparison, `and` or `or`."""

    sign: str
    left: Expression
    right: Expression


@dataclass(frozen=True)
class Not:
    """`not inner`."""

    inner: Expression


@dataclass(frozen=True)
class Negative:
    """`-inner`."""

    inner: Expression


@dataclass(frozen=True)
class Like:
    """`value like "text"` or `value like /regex/`."""

    value: Expression
    pattern: str | re.Pattern[str]


@dataclass(frozen=True)
class Within:
    """`value in [options]`."""

    value: Expression
    options: tuple[Expression, ...]


Expression = Literal | Period | Field | Call | Operation | Not | Negative | Like | Within


@dataclass(frozen=True)
class Item:
    """An expression and what it is called: its alias, or its text."""

    expression: Expression
    name: str
    aliased: bool
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True)
class Fields:
    """`fields item, …`."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Display:
    """`display item, …`."""

    items: tuple[Item, ...]


@dataclass(frozen=True)
class Filter:
    """`filter condition`."""

    condition: Expression


@dataclass(frozen=True)
class Parse:
    """`parse field pattern as names`; what finds the groups finds one for each name."""

    source: Expression
    groups: Groups
    names: tuple[str, ...]
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True)
class Stats:
    """`stats aggregates by keys`."""

    aggregates: tuple[Item, ...]
    keys: tuple[Item, ...]
    span: Span = field(default=_NOWHERE, compare=False)


@dataclass(frozen=True)
class Sort:
    """`sort expression desc, …`: pairs of expression and whether descending."""

    keys: tuple[tuple[Expression, bool], ...]


@dataclass(frozen=True)
class Limit:
    """`limit n`; `limit any n` stops the scan as soon as there are n."""

    count: int
    at_once: bool = False


@dataclass(frozen=True)
class Dedup:
    """`dedup field, …`."""

    fields: tuple[Field, ...]


Command = Fields | Display | Filter | Parse | Stats | Sort | Limit | Dedup
