"""The rules of composite alarms: ALARM("a") AND (NOT OK(b) OR AT_LEAST(50%, ALARM, (c, d))).

Source: CloudWatch user guide, "Composite alarms", and botocore's text on AlarmRule.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NoReturn

from sandbox.alarms.evaluation import State
from sandbox.errors import AwsError

MAX_CHILDREN = 100
MAX_ELEMENTS = 500
_TOKEN = re.compile(r'\s*(?:"([^"]*)"|([(),])|([^\s(),"]+))')
_STATES = frozenset(State)

# The state of an alarm by the name or ARN the rule gives.
Lookup = Callable[[str], State]


@dataclass(frozen=True)
class Rule:
    """A parsed rule: `holds` evaluates it, `children` are the alarms it names, in order."""

    holds: Callable[[Lookup], bool]
    children: tuple[str, ...]


@dataclass(frozen=True)
class _Token:
    text: str
    at: int
    quoted: bool = False


Condition = Callable[[Lookup], bool]


def parse(text: str) -> Rule:
    """Raises AwsError ValidationError with the place of the first mistake."""
    parser = _Parser(text)
    holds = parser.rule()
    children = tuple(dict.fromkeys(parser.children))
    if len(children) > MAX_CHILDREN:
        raise _wrong(f"AlarmRule must not contain more than {MAX_CHILDREN} alarms")
    if parser.elements > MAX_ELEMENTS:
        raise _wrong(f"AlarmRule must not contain more than {MAX_ELEMENTS} elements")
    return Rule(holds, children)


def _wrong(message: str) -> AwsError:
    return AwsError("ValidationError", message)


class _Parser:
    """Recursive descent: OR binds loosest, then AND, then NOT."""

    def __init__(self, text: str) -> None:
        self.children: list[str] = []
        self.elements = 0
        self._tokens = _tokens(text)
        self._end = len(text)

    def rule(self) -> Condition:
        holds = self._either()
        if self._tokens:
            self._unsupported()
        return holds

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._taken("OR"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else lambda state: any(part(state) for part in parts)

    def _both(self) -> Condition:
        parts = [self._one()]
        while self._taken("AND"):
            parts.append(self._one())
        return parts[0] if len(parts) == 1 else lambda state: all(part(state) for part in parts)

    def _one(self) -> Condition:
        if self._taken("NOT"):
            negated = self._one()
            return lambda state: not negated(state)
        self.elements += 1
        if self._taken("("):
            inner = self._either()
            self._expect(")")
            return inner
        if self._taken("TRUE"):
            return lambda _: True
        if self._taken("FALSE"):
            return lambda _: False
        return self._at_least() if self._taken("AT_LEAST") else self._function()

    def _function(self) -> Condition:
        wanted = self._state()
        self._expect("(")
        name = self._name()
        self._expect(")")
        return lambda state: state(name) is wanted

    def _at_least(self) -> Condition:
        """AT_LEAST(2, ALARM, (a, b, c)), or of them a share such as 50%, or NOT a state."""
        self._expect("(")
        how_many = self._next()
        self._expect(",")
        negated = self._taken("NOT")
        wanted = self._state()
        self._expect(",")
        names = self._names()
        self._expect(")")
        least = _least(how_many, len(names))
        return lambda state: sum((state(name) is wanted) is not negated for name in names) >= least

    def _names(self) -> list[str]:
        self._expect("(")
        names = [self._name()]
        while self._taken(","):
            names.append(self._name())
        self._expect(")")
        self.elements += len(names)
        return names

    def _state(self) -> State:
        token = self._next()
        if token.quoted or token.text not in _STATES:
            self._unsupported(token)
        return State(token.text)

    def _name(self) -> str:
        token = self._next()
        if not token.quoted and token.text in ("(", ")", ","):
            self._unsupported(token)
        self.children.append(token.text)
        return token.text

    def _taken(self, text: str) -> bool:
        """Whether that comes next; it is then behind us. Keywords are taken in any case."""
        if self._tokens and not self._tokens[0].quoted and self._tokens[0].text.upper() == text:
            self._tokens.pop(0)
            return True
        return False

    def _expect(self, text: str) -> None:
        if not self._taken(text):
            self._unsupported()

    def _next(self) -> _Token:
        if not self._tokens:
            self._unsupported()
        return self._tokens.pop(0)

    def _unsupported(self, token: _Token | None = None) -> NoReturn:
        found = token or (self._tokens[0] if self._tokens else None)
        if found is None:
            raise _wrong(f"Error in AlarmRule [Unexpected end of rule at char {self._end}]")
        raise _wrong(f"Error in AlarmRule [Unsupported token '{found.text}' at char {found.at}]")


def _tokens(text: str) -> list[_Token]:
    found, position = [], 0
    while text[position:].strip():
        match = _TOKEN.match(text, position)
        if match is None:
            raise _wrong(f"Error in AlarmRule [Unsupported token '\"' at char {position}]")
        quoted = match[1] is not None
        word = next(group for group in match.groups() if group is not None)
        found.append(_Token(word, match.start(match.lastindex or 0), quoted))
        position = match.end()
    return found


def _least(token: _Token, of: int) -> int:
    """How many alarms `2` or `50%` of so many are; a share is rounded up."""
    digits = token.text.removesuffix("%")
    if not digits.isdecimal() or token.quoted:
        raise _wrong(f"Error in AlarmRule [Unsupported token '{token.text}' at char {token.at}]")
    share = token.text.endswith("%")
    least = math.ceil(of * int(digits) / 100) if share else int(digits)
    if not 1 <= int(digits) <= (100 if share else of):
        raise _wrong(
            f"Error in AlarmRule [AT_LEAST {token.text} is out of range at char {token.at}]"
        )
    return least
