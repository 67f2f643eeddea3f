"""Patterns of JSON events: `{ $.status >= 500 && ($.path = "/v1/*" || $.user NOT EXISTS) }`."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from sandbox.logs.patterns.scanner import (
    Scanner,
    Test,
    as_text,
    check_regexes,
    comparison,
    refused,
)

_OPEN, _CLOSE, _END = (re.compile(text) for text in (r"\{", r"\}\s*$", r"$"))
_SELECTOR = re.compile(r"\$(?:\.[\w-]+|\[\d+\])+")
_SIGN = re.compile(r"<=|>=|!=|=|<|>")
_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|%[^%]+%|[^\s"%(){}&|<>=!]+')
_WORDS = re.compile(r"IS\s+NULL|IS\s+TRUE|IS\s+FALSE|NOT\s+EXISTS|EXISTS", re.IGNORECASE)
_OR, _AND = re.compile(r"\|\|"), re.compile(r"&&")
_LEFT, _RIGHT = re.compile(r"\("), re.compile(r"\)")
_STEP = re.compile(r"\.([\w-]+)|\[(\d+)\]")
MISSING = object()

Condition = Callable[[Any], bool]
_STATES: dict[str, Test] = {
    "IS NULL": lambda value: value is None,
    "IS TRUE": lambda value: value is True,
    "IS FALSE": lambda value: value is False,
    "EXISTS": lambda value: value is not MISSING,
    "NOT EXISTS": lambda value: value is MISSING,
}


def parse(text: str) -> Callable[[str], Mapping[str, str] | None]:
    """The matcher of a JSON pattern; a message that is not a JSON object never matches."""
    scanner = Scanner(text)
    scanner.need(_OPEN)
    condition = _either(scanner)
    scanner.need(_CLOSE)
    check_regexes(text, re.findall(r"%[^%]+%", text))
    selectors = sorted(set(_SELECTOR.findall(text)))

    def match(message: str) -> Mapping[str, str] | None:
        body = read(message)
        if body is None or not condition(body):
            return None
        values = {selector: select(body, selector) for selector in selectors}
        return {name: as_text(value) for name, value in values.items() if _is_value(value)}

    return match


def read(message: str) -> dict[str, Any] | None:
    """A message's JSON object, None when it is none or nested too deeply to be read."""
    if not message.lstrip().startswith("{"):
        return None
    try:
        body: dict[str, Any] = json.loads(message)
    except (ValueError, RecursionError):
        return None
    return body


def select(body: Any, selector: str) -> Any:
    """What `$.a.b[0]` points to; MISSING when there is nothing."""
    for name, index in _STEP.findall(selector):
        if name and isinstance(body, dict) and name in body:
            body = body[name]
        elif index and isinstance(body, list) and int(index) < len(body):
            body = body[int(index)]
        else:
            return MISSING
    return body


def _is_value(value: object) -> bool:
    """Conditions apply to strings, numbers and booleans, not to objects and arrays."""
    return not (value is None or value is MISSING or isinstance(value, dict | list))


def _either(scanner: Scanner) -> Condition:
    parts = [_both(scanner)]
    while scanner.take(_OR):
        parts.append(_both(scanner))
    return parts[0] if len(parts) == 1 else lambda body: any(part(body) for part in parts)


def _both(scanner: Scanner) -> Condition:
    parts = [_single(scanner)]
    while scanner.take(_AND):
        parts.append(_single(scanner))
    return parts[0] if len(parts) == 1 else lambda body: all(part(body) for part in parts)


def _single(scanner: Scanner) -> Condition:
    if scanner.take(_LEFT):
        inner = _either(scanner)
        scanner.need(_RIGHT)
        return inner
    selector = scanner.need(_SELECTOR)
    words = scanner.take(_WORDS)
    if words:
        state = _STATES[" ".join(words.upper().split())]
        return lambda body: state(select(body, selector))
    test = comparison(scanner.need(_SIGN), _literal(scanner))

    def holds(body: Any) -> bool:
        value = select(body, selector)
        return _is_value(value) and test(value)

    return holds


def _literal(scanner: Scanner) -> str:
    literal = scanner.need(_LITERAL)
    if literal.startswith("$"):
        raise refused()
    return literal
