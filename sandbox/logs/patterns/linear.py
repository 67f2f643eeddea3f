"""Regular expressions of filter patterns, matched in time that is bounded by the message's length.

Filter patterns are matched while events come in, and a message may have 256 KiB: what Python's `re`
tries again from every place of a message must never hold up the account. AWS's syntax has no
groups there, so an alternative is a row of characters, each optional or repeated or not, and all
states it may be in fit into the bits of one number (Navarro and Raffinot, "Fast and simple
character classes and bounded gaps pattern matching", extended Shift-And).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from re import _constants as code  # type: ignore[attr-defined]
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

# Of one expression, repetitions written out; RE2 has the same bound.
MAX_PLACES = 1000
# `re` is faster by far where it cannot take more steps than these.
MAX_STEPS = 1_000_000
_ALTERNATIVE = re.compile(r"(?:\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|[^|\\\[])*", re.DOTALL)
_DIGITS = frozenset("0123456789")
_WORD = _DIGITS | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_")
_SPACE = frozenset(" \t\n\r\f\v")
_CATEGORIES: dict[Any, tuple[frozenset[str], bool]] = {
    code.CATEGORY_DIGIT: (_DIGITS, True),
    code.CATEGORY_NOT_DIGIT: (_DIGITS, False),
    code.CATEGORY_WORD: (_WORD, True),
    code.CATEGORY_NOT_WORD: (_WORD, False),
    code.CATEGORY_SPACE: (_SPACE, True),
    code.CATEGORY_NOT_SPACE: (_SPACE, False),
}

Accepts = Callable[[str], bool]


class Unsupported(ValueError):
    """An expression beyond AWS's syntax, or one with too many places."""


@dataclass(frozen=True)
class _Place:
    """One character of an alternative: which it may be, and whether it may be left out or again."""

    accepts: Accepts
    optional: bool = False
    repeated: bool = False


def compiled(text: str) -> Accepts:
    """Whether an expression is found in a text; raises Unsupported, and re.error for no expression.

    Classes such as \\d are those of ASCII, as in Java.
    """
    pattern = re.compile(text, re.ASCII)
    alternatives = [_Alternative(part) for part in _split(text)]

    def search(message: str) -> bool:
        if sum(each.steps(len(message)) for each in alternatives) <= MAX_STEPS:
            return pattern.search(message) is not None
        return any(each.search(message) for each in alternatives)

    return search


def _split(text: str) -> Iterator[str]:
    """The alternatives of an expression."""
    position = 0
    while True:
        found = _ALTERNATIVE.match(text, position)
        end = found.end() if found else position
        yield text[position:end]
        if end == len(text):
            return
        if text[end] != "|":
            raise Unsupported
        position = end + 1


class _Alternative:
    """What stands between two bars. Bit n of a state: the first n places are matched."""

    def __init__(self, text: str) -> None:
        items = list(sre.parse(text, re.ASCII))
        self._begins, self._ends = _take(items, 0, code.AT_BEGINNING), _take(items, -1, code.AT_END)
        self._spans = [_span(item) for item in items]
        self._places = [place for item in items for place in _places(item)]
        if len(self._places) > MAX_PLACES:
            raise Unsupported
        self._optional = self._bits(place.optional for place in self._places)
        self._repeated = self._bits(place.repeated for place in self._places)
        self._last = 1 << len(self._places)
        self._start = self._skipped(1)
        self._masks: dict[str, int] = {}

    def steps(self, length: int) -> int:
        """At most how many steps `re` takes: every place of a text, every length of each part."""
        found = 1 if self._begins else length + 1
        for span in self._spans:
            found *= min(span, length + 1)
        return found * (1 + len(self._places))

    def search(self, message: str) -> bool:
        """Whether it is found anywhere in a message."""
        # Before a line's end that is the last character, $ matches too.
        ends = {len(message), len(message) - message.endswith("\n")}
        state = self._start
        for position, letter in enumerate(message):
            if self._found(state, position, ends):
                return True
            mask = self._masks.get(letter)
            if mask is None:
                mask = self._mask(letter)
            state = self._skipped(((state << 1) | (state & self._repeated)) & mask)
            if not self._begins:
                state |= self._start
            elif not state:
                return False
        return self._found(state, len(message), ends)

    def _found(self, state: int, position: int, ends: set[int]) -> bool:
        return bool(state & self._last) and (not self._ends or position in ends)

    def _mask(self, letter: str) -> int:
        mask = self._bits(place.accepts(letter) for place in self._places)
        # A message of many scripts must not fill the memory.
        if letter.isascii():
            self._masks[letter] = mask
        return mask

    def _bits(self, flags: Iterator[bool]) -> int:
        return sum(1 << number for number, flag in enumerate(flags, 1) if flag)

    def _skipped(self, state: int) -> int:
        """The state and what optional places lead to: a carry runs through each row of them."""
        next_ones = (state << 1) & self._optional
        return state | (
            (((next_ones + self._optional) ^ self._optional) | next_ones) & self._optional
        )


def _take(items: list[Any], index: int, anchor: Any) -> bool:
    """Whether an anchor stands there; it is taken away."""
    there = bool(items) and items[index] == (code.AT, anchor)
    if there:
        del items[index]
    return there


def _span(item: tuple[Any, Any]) -> int:
    """How many lengths a part may have; beyond any text for an endless one."""
    operation, argument = item
    return int(argument[1]) - int(argument[0]) + 1 if operation in _REPEATS else 1


_REPEATS = (code.MAX_REPEAT, code.MIN_REPEAT)


def _places(item: tuple[Any, Any]) -> list[_Place]:
    operation, argument = item
    if operation not in _REPEATS:
        return [_Place(_accepts(operation, argument))]
    least, most, (inner,) = argument
    if inner[0] in _REPEATS or least > MAX_PLACES:
        raise Unsupported
    accepts = _accepts(*inner)
    needed = [_Place(accepts)] * least
    if most == code.MAXREPEAT:
        return [*needed, _Place(accepts, optional=True, repeated=True)]
    if most > MAX_PLACES:
        raise Unsupported
    return [*needed, *[_Place(accepts, optional=True)] * (most - least)]


def _accepts(operation: Any, argument: Any) -> Accepts:
    """Which characters one item stands for."""
    if operation == code.ANY:
        return lambda letter: letter != "\n"
    if operation in (code.LITERAL, code.NOT_LITERAL):
        wanted, equal = chr(argument), operation == code.LITERAL
        return lambda letter: (letter == wanted) is equal
    if operation == code.RANGE:
        low, high = argument
        return lambda letter: low <= ord(letter) <= high
    if operation == code.CATEGORY:
        letters, inside = _CATEGORIES[argument]
        return lambda letter: (letter in letters) is inside
    if operation == code.IN:
        return _one_of(argument)
    raise Unsupported


def _one_of(items: Sequence[tuple[Any, Any]]) -> Accepts:
    negated = items[0][0] == code.NEGATE
    parts = [_accepts(*item) for item in items[negated:]]
    return lambda letter: any(part(letter) for part in parts) is not negated
