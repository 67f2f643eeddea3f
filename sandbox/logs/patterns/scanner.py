"""What the three kinds of filter pattern have in common: tokens, values and comparisons."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from sandbox.errors import AwsError
from sandbox.logs.errors import invalid
from sandbox.logs.patterns import linear

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
# The characters that a regular expression in a filter pattern may hold.
_REGEX = re.compile(r"[A-Za-z0-9_#=@/;,:\- ^$?\[\]{}|\\*+.]+")
MAX_REGEXES = 2
_ORDER: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}

Test = Callable[[object], bool]


def refused() -> AwsError:
    """AWS says no more than this about a pattern that it cannot read."""
    return invalid("Invalid filter pattern")


@dataclass
class Scanner:
    """Reads a pattern from left to right."""

    text: str
    position: int = 0

    def take(self, pattern: re.Pattern[str]) -> str | None:
        """What `pattern` matches behind white space, consumed; None when it does not match."""
        while self.text[self.position : self.position + 1].isspace():
            self.position += 1
        found = pattern.match(self.text, self.position)
        if found is None:
            return None
        self.position = found.end()
        return found.group()

    def need(self, pattern: re.Pattern[str]) -> str:
        """What `pattern` matches; raises InvalidParameterException when it does not."""
        found = self.take(pattern)
        if found is None:
            raise refused()
        return found


def number(value: object) -> float | None:
    """A JSON number, or text that is one, as a number; None for everything else."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number else None  # type: ignore[arg-type]


def comparison(sign: str, literal: str) -> Test:
    """The test `value <sign> literal`, the literal as it was written; raises if it makes no sense.

    Numbers compare as numbers. A quoted or bare word compares as text and may begin or end with
    `*`; `%…%` is a regular expression.
    """
    if sign in _ORDER:
        return _ordered(_ORDER[sign], number(literal))
    equal = _equal(literal)
    return equal if sign == "=" else lambda value: not equal(value)


def _ordered(compare: Callable[[float, float], bool], limit: float | None) -> Test:
    if limit is None:
        raise refused()

    def test(value: object) -> bool:
        found = number(value)
        return found is not None and compare(found, limit)

    return test


def _equal(literal: str) -> Test:
    wanted = number(literal)
    if wanted is not None:
        return lambda value: number(value) == wanted
    if literal.startswith("%"):
        search = regex(literal[1:-1])
        return lambda value: search(as_text(value))
    match = _wildcards(unquote(literal)).fullmatch
    return lambda value: match(as_text(value)) is not None


def as_text(value: object) -> str:
    """A value as a pattern's text compares with it."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _wildcards(text: str) -> re.Pattern[str]:
    """An asterisk stands for any text at the beginning and at the end, and for itself between."""
    begin = ".*" if text.startswith("*") else ""
    end = ".*" if text.endswith("*") and len(text) > 1 else ""
    return re.compile(begin + re.escape(text[bool(begin) : len(text) - bool(end)]) + end, re.DOTALL)


def regex(text: str) -> Callable[[str], bool]:
    """A regular expression between percent signs, in the syntax AWS supports there."""
    if not _REGEX.fullmatch(text):
        raise refused()
    try:
        return linear.compiled(text)
    except (re.error, OverflowError, linear.Unsupported) as error:
        raise refused() from error


def unquote(text: str) -> str:
    """A double-quoted text without its quotes and escapes; anything else as it is."""
    return re.sub(r"\\(.)", r"\1", text[1:-1]) if text.startswith('"') else text


def check_regexes(pattern: str, found: list[str]) -> None:
    """Refuse more regular expressions than AWS takes in one pattern."""
    if len(found) > MAX_REGEXES:
        raise invalid(f"Filter pattern has more than {MAX_REGEXES} regular expressions: {pattern}")
