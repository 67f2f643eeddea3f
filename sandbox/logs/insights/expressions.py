"""Parses expressions: precedence from `or` over comparisons and arithmetic to powers."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.logs.insights import regex
from sandbox.logs.insights.lexer import Lexer, Token
from sandbox.logs.insights.syntax import (
    Call,
    Expression,
    Field,
    Like,
    Literal,
    Negative,
    Not,
    Operation,
    Period,
    Span,
    Within,
)

# Words that are part of the language; a field of that name needs backticks.
RESERVED = frozenset(
    {"as", "by", "and", "or", "not", "in", "like", "fields", "filter", "stats", "sort", "limit"}
    | {"parse", "display", "dedup"}
)
_COMPARISONS = ("=", "!=", "<", "<=", ">", ">=")
MAX_DEPTH = 40


class Expressions:
    """Reads expressions from a lexer; raises CompileError."""

    def __init__(self, lexer: Lexer) -> None:
        self.lexer = lexer
        self._depth = 0

    def expression(self) -> Expression:
        """One expression of any kind."""
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.lexer.peek().span.error("Query is nested too deeply")
        found = self._chain(self._both, "or")
        self._depth -= 1
        return found

    def _both(self) -> Expression:
        return self._chain(self._negated, "and")

    def _chain(self, operand: Callable[[], Expression], word: str) -> Expression:
        left = operand()
        while self.lexer.peek().is_word(word):
            self.lexer.next()
            left = Operation(word, left, operand())
        return left

    def _negated(self) -> Expression:
        count = 0
        while self.lexer.peek().is_word("not"):
            self.lexer.next()
            count += 1
        inner = self._comparison()
        return Not(inner) if count % 2 else inner

    def _comparison(self) -> Expression:
        left = self._sum()
        token = self.lexer.peek()
        if token.is_sign(*_COMPARISONS):
            self.lexer.next()
            return Operation(token.text, left, self._sum())
        if token.is_sign("=~"):
            self.lexer.next()
            return self._like(left)
        negated = token.is_word("not")
        if negated:
            self.lexer.next()
            token = self.lexer.peek()
        if token.is_word("like", "in"):
            self.lexer.next()
            found = self._like(left) if token.is_word("like") else self._within(left)
            return Not(found) if negated else found
        if negated:
            raise token.unexpected()
        return left

    def _like(self, value: Expression) -> Like:
        if self.lexer.peek().is_sign("/"):
            token = self.lexer.regex()
            return Like(value, regex.translate(str(token.value), token.span))
        return Like(value, str(self.need("string").value))

    def _within(self, value: Expression) -> Within:
        self.sign("[")
        options = [self._sum()]
        while self.lexer.peek().is_sign(","):
            self.lexer.next()
            options.append(self._sum())
        self.sign("]")
        return Within(value, tuple(options))

    def _sum(self) -> Expression:
        return self._operations(self._product, "+", "-")

    def _product(self) -> Expression:
        return self._operations(self._signed, "*", "/", "%")

    def _operations(self, operand: Callable[[], Expression], *signs: str) -> Expression:
        left = operand()
        while self.lexer.peek().is_sign(*signs):
            left = Operation(self.lexer.next().text, left, operand())
        return left

    def _signed(self) -> Expression:
        count = 0
        while self.lexer.peek().is_sign("-"):
            self.lexer.next()
            count += 1
        inner = self._power()
        return Negative(inner) if count % 2 else inner

    def _power(self) -> Expression:
        base = self._primary()
        if not self.lexer.peek().is_sign("^"):
            return base
        self.lexer.next()
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self.lexer.peek().span.error("Query is nested too deeply")
        found = Operation("^", base, self._signed())
        self._depth -= 1
        return found

    def _primary(self) -> Expression:
        token = self.lexer.next()
        if token.kind in ("number", "string"):
            return Literal(token.value)  # type: ignore[arg-type]
        if isinstance(token.value, Period):
            return token.value
        if token.is_sign("("):
            inner = self.expression()
            self.sign(")")
            return inner
        if token.kind != "name" or token.text.lower() in RESERVED:
            raise token.unexpected()
        if self.lexer.peek().is_sign("("):
            return self._call(token)
        if token.is_word("true", "false"):
            return Literal(token.is_word("true"))
        return as_field(token)

    def _call(self, name: Token) -> Call:
        self.sign("(")
        arguments: list[Expression] = []
        if self.lexer.peek().is_sign("*") and name.is_word("count"):
            self.lexer.next()
        elif not self.lexer.peek().is_sign(")"):
            arguments.append(self.expression())
            while self.lexer.peek().is_sign(","):
                self.lexer.next()
                arguments.append(self.expression())
        end = self.sign(")").span.end
        return Call(name.text.lower(), tuple(arguments), Span(name.span.begin, end))

    # -- what commands need too --------------------------------------------------------------------

    def need(self, kind: str) -> Token:
        """The next token, which must be of this kind."""
        token = self.lexer.next()
        if token.kind != kind or (kind == "name" and token.text.lower() in RESERVED):
            raise token.unexpected()
        return token

    def sign(self, text: str) -> Token:
        """The next token, which must be this sign."""
        token = self.lexer.next()
        if not token.is_sign(text):
            raise token.unexpected()
        return token

    def field(self) -> Field:
        """The next token as a field."""
        return as_field(self.need("name"))


def as_field(token: Token) -> Field:
    """The field a name stands for."""
    return Field(token.value, token.span)  # type: ignore[arg-type]
