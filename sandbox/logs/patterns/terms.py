"""Patterns of words: `ERROR "out of memory" -retry`, `?WARN ?ERROR` and `%5\\d\\d%`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from sandbox.logs.patterns.scanner import Scanner, check_regexes, refused, regex, unquote

_TERM = re.compile(r'[?-]?\s?(?:"(?:[^"\\]|\\.)*"|%[^%]+%|\w+)')
_END = re.compile(r"$")

Holds = Callable[[str], bool]


def parse(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """The matcher of words; the empty pattern matches every message."""
    signed = _terms(text)
    all_of = [holds for sign, holds in signed if sign == ""]
    none_of = [holds for sign, holds in signed if sign == "-"]
    # AWS ignores "?" beside other terms.
    any_of = [] if all_of or none_of else [holds for sign, holds in signed if sign == "?"]

    def match(message: str) -> Mapping[str, str] | None:
        if not all(holds(message) for holds in all_of):
            return None
        if any(holds(message) for holds in none_of):
            return None
        if any_of and not any(holds(message) for holds in any_of):
            return None
        return {}

    return match


def _terms(text: str) -> list[tuple[str, Holds]]:
    scanner = Scanner(text)
    found: list[str] = []
    while scanner.take(_END) is None:
        if found and not text[scanner.position - 1].isspace():
            raise refused()
        found.append(scanner.need(_TERM))
    check_regexes(text, [term for term in found if term.lstrip("?- ").startswith("%")])
    return [_term(term) for term in found]


def _term(text: str) -> tuple[str, Holds]:
    sign = text[0] if text[0] in "?-" else ""
    body = text[len(sign) :].strip()
    if body.startswith("%"):
        return sign, regex(body[1:-1])
    word = unquote(body)
    return sign, lambda message: word in message
