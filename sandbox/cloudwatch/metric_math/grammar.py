"""The grammar of metric math: text in, a tree out.

From loose to tight: OR ||, AND &&, comparisons, + -, * /, unary -, ^ (to the right). AWS does not
publish the precedence; this is the usual one.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

# No expression that fits into 2,048 characters for a reason is nested deeper.
_DEEPEST = 80
_TOKEN = re.compile(
    r"""\s*(?:
      (?P<number>(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)
    | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
    | (?P<text>"[^"]*"|'[^']*'|“[^”]*”)
    | (?P<sign>==|!=|<=|>=|&&|\|\||[-+*/^<>(),\[\]])
    )""",
    re.VERBOSE,
)
_STRENGTH = {
    **dict.fromkeys(("OR", "||"), 1),
    **dict.fromkeys(("AND", "&&"), 2),
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">="), 3),
    **dict.fromkeys("+-", 4),
    **dict.fromkeys("*/", 5),
    "^": 7,
}
_UNARY_STRENGTH = 6
_SAME = {"||": "OR", "&&": "AND"}


class InvalidSyntax(ValueError):
    """The text is no metric math."""


@dataclass(frozen=True)
class Number:
    """A literal number."""

    value: float


@dataclass(frozen=True)
class Text:
    """A quoted string, without its quotes."""

    value: str


@dataclass(frozen=True)
class Name:
    """An id (begins in lower case) or a keyword such as REPEAT."""

    name: str


@dataclass(frozen=True)
class Negative:
    """Unary minus."""

    operand: Node


@dataclass(frozen=True)
class Binary:
    """Two operands; `operator` is AND or OR, however it was written."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call:
    """A function and its arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Array:
    """`[m1, m2]`."""

    items: tuple[Node, ...]


Node = Number | Text | Name | Negative | Binary | Call | Array


def parse(expression: str) -> Node:
    """The tree of an expression; raises InvalidSyntax."""
    parser = _Parser(_tokens(expression))
    node = parser.expression(0, 0)
    parser.expect("end", "")
    return node


def names(node: Node) -> Iterator[str]:
    """Every id an expression refers to; keywords begin in upper case and are none."""
    for part in _parts(node):
        if isinstance(part, Name) and part.name[0].islower():
            yield part.name


def calls(node: Node, function: str) -> bool:
    """Whether an expression calls that function anywhere."""
    return any(isinstance(part, Call) and part.function == function for part in _parts(node))


def _parts(node: Node) -> Iterator[Node]:
    waiting: list[Node] = [node]
    while waiting:
        part = waiting.pop()
        yield part
        match part:
            case Negative(operand):
                waiting.append(operand)
            case Binary(_, left, right):
                waiting += [left, right]
            case Call(_, inner) | Array(inner):
                waiting += inner


def _tokens(expression: str) -> list[tuple[str, str]]:
    found, position = [], 0
    text = expression.rstrip()
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:
            raise InvalidSyntax(text[position:])
        found.append((str(token.lastgroup), token.group(str(token.lastgroup))))
        position = token.end()
    return [*found, ("end", "")]


class _Parser:
    """Precedence climbing over the tokens."""

    def __init__(self, tokens: list[tuple[str, str]]) -> None:
        self._tokens = tokens
        self._at = 0

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at]

    def _take(self) -> tuple[str, str]:
        token = self._tokens[self._at]
        self._at += 1
        return token

    def expect(self, kind: str, text: str) -> None:
        """Take a token that must come now; raises InvalidSyntax for any other."""
        if self._peek() != (kind, text):
            raise InvalidSyntax(self._peek()[1])
        self._take()

    def expression(self, weakest: int, depth: int) -> Node:
        """An expression of operators that bind tighter than `weakest`."""
        if depth > _DEEPEST:
            raise InvalidSyntax("nested too deeply")
        left = self._operand(depth + 1)
        while (strength := _STRENGTH.get(self._peek()[1], 0)) > weakest:
            operator = self._take()[1]
            # A power binds to the right: 2 ^ 3 ^ 2 is 2 ^ 9.
            right = self.expression(strength - (operator == "^"), depth + 1)
            left = Binary(_SAME.get(operator, operator), left, right)
        return left

    def _operand(self, depth: int) -> Node:
        kind, text = self._take()
        if kind == "number":
            return Number(float(text))
        if kind == "text":
            return Text(text[1:-1])
        if kind == "name" and text not in _STRENGTH:
            return self._name(text, depth)
        if text == "-":
            return Negative(self.expression(_UNARY_STRENGTH, depth))
        if text == "(":
            inner = self.expression(0, depth)
            self.expect("sign", ")")
            return inner
        if text == "[":
            return Array(self._items("]", depth))
        raise InvalidSyntax(text)

    def _name(self, name: str, depth: int) -> Node:
        if self._peek() != ("sign", "("):
            return Name(name)
        self._take()
        return Call(name, self._items(")", depth))

    def _items(self, end: str, depth: int) -> tuple[Node, ...]:
        items: list[Node] = []
        while self._peek() != ("sign", end):
            if items:
                self.expect("sign", ",")
            items.append(self.expression(0, depth))
        self._take()
        return tuple(items)
