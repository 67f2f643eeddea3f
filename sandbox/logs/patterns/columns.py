"""Patterns of space-delimited events: `[ip, ..., status = 5*, bytes > 1000]`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sandbox.logs.patterns.scanner import Scanner, Test, check_regexes, comparison, refused

_OPEN, _CLOSE, _COMMA = (re.compile(text) for text in (r"\[", r"\]\s*$", r","))
_DOTS = re.compile(r"\.\.\.|…")
_NAME = re.compile(r"\w+")
_SIGN = re.compile(r"<=|>=|!=|=|<|>")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|%[^%]+%|[^\s",&|<>=!\]\[]+')
_LINK = re.compile(r"&&|\|\|")
_FIELD = re.compile(r'\[([^\]]*)\]|"((?:[^"\\]|\\.)*)"|(\S+)')
# The same behind the last closing bracket: each opening one would look for its own to the end.
_OPEN_FIELD = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')


@dataclass(frozen=True)
class _Column:
    """One column: its name, "" when it has none, and its condition."""

    name: str
    holds: Test


def parse(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """The matcher of columns; without an ellipsis a message needs as many fields as columns."""
    check_regexes(text, re.findall(r"%[^%]+%", text))
    before, after = _columns(text)

    def match(message: str) -> Mapping[str, str] | None:
        fields = split(message)
        columns = _spread(before, after, len(fields))
        if columns is None:
            return None
        pairs = list(zip(columns, fields, strict=True))
        if not all(column.holds(value) for column, value in pairs):
            return None
        return {f"${column.name or place}": value for place, (column, value) in enumerate(pairs, 1)}

    return match


def split(message: str) -> list[str]:
    """The fields of a message: brackets and double quotes keep words together."""
    found, position = [], 0
    closed = message.rfind("]")
    while field := (_FIELD if position <= closed else _OPEN_FIELD).search(message, position):
        found.append(next(part for part in field.groups() if part is not None))
        position = field.end()
    return found


def _spread(
    before: Sequence[_Column], after: Sequence[_Column] | None, count: int
) -> Sequence[_Column] | None:
    """One column a field, the ellipsis filled up; None when there are too few or too many."""
    if after is None:
        return before if count == len(before) else None
    missing = count - len(before) - len(after)
    if missing < 0:
        return None
    return [*before, *(_Column("", lambda _: True) for _ in range(missing)), *after]


def _columns(text: str) -> tuple[list[_Column], list[_Column] | None]:
    """The columns before the ellipsis and those behind it, None without an ellipsis."""
    scanner = Scanner(text)
    scanner.need(_OPEN)
    before: list[_Column] = []
    after: list[_Column] | None = None
    while True:
        if scanner.take(_DOTS):
            if after is not None:
                raise refused()
            after = []
        else:
            (before if after is None else after).append(_column(scanner))
        if scanner.take(_CLOSE) is not None:
            return before, after
        scanner.need(_COMMA)


def _column(scanner: Scanner) -> _Column:
    """`name`, `name = 4* && name != 403`, or nothing at all; `&&` binds closer than `||`."""
    name = scanner.take(_NAME) or ""
    if not name or (sign := scanner.take(_SIGN)) is None:
        return _Column(name, lambda _: True)
    either = [[comparison(sign, scanner.need(_LITERAL))]]
    while link := scanner.take(_LINK):
        if scanner.need(_NAME) != name:
            raise refused()
        test = comparison(scanner.need(_SIGN), scanner.need(_LITERAL))
        if link == "&&":
            either[-1].append(test)
        else:
            either.append([test])
    return _Column(name, lambda value: any(all(test(value) for test in both) for both in either))
