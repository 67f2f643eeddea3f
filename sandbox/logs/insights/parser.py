"""Parses queries: commands separated by `|`."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.logs.insights import regex
from sandbox.logs.insights.expressions import Expressions
from sandbox.logs.insights.lexer import Lexer, Token
from sandbox.logs.insights.syntax import (
    Command,
    Dedup,
    Display,
    Expression,
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

# Commands of Insights that the sandbox does not have.
UNSUPPORTED = frozenset(
    {"pattern", "diff", "anomaly", "unmask", "filterindex", "join", "lookup", "source", "unnest"}
    | {"expand", "addtotals", "relevantfields"}
)
MAX_LIMIT = 100_000
MAX_STATS = 2


def parse(text: str) -> list[Command]:
    """The commands of a query; raises CompileError."""
    found = _Parser(Lexer(text)).query()
    _check_order(found)
    return [command for command, _ in found]


class _Parser(Expressions):
    def query(self) -> list[tuple[Command, Token]]:
        """Every command with the token that named it."""
        found = [self._command()]
        while self.lexer.peek().kind != "end":
            self.sign("|")
            found.append(self._command())
        return found

    def _command(self) -> tuple[Command, Token]:
        commands: dict[str, Callable[[Token], Command]] = {
            "fields": lambda _: Fields(self._items()),
            "display": lambda _: Display(self._items()),
            "filter": lambda _: Filter(self.expression()),
            "parse": self._parse,
            "stats": self._stats,
            "sort": lambda _: self._sort(),
            "limit": lambda _: self._limit(),
            "dedup": lambda _: self._dedup(),
        }
        token = self.lexer.next()
        word = token.text.lower()
        if token.kind == "name" and word in UNSUPPORTED:
            raise token.span.error(f"The sandbox does not support the command {word}")
        if token.kind != "name" or word not in commands:
            raise token.unexpected()
        return commands[word](token), token

    # -- the single commands -----------------------------------------------------------------------

    def _items(self) -> tuple[Item, ...]:
        found = [self._item()]
        while self.lexer.peek().is_sign(","):
            self.lexer.next()
            found.append(self._item())
        return tuple(found)

    def _item(self) -> Item:
        begin = self.lexer.peek().span.begin
        expression = self.expression()
        # The lexer has looked at the token behind the expression; white space lies between.
        text = self.lexer.text[begin : self.lexer.peek().span.begin].rstrip()
        span = Span(begin, begin + len(text))
        if self.lexer.peek().is_word("as"):
            self.lexer.next()
            alias = self.field()
            return Item(expression, alias.name, True, alias.span)
        name = expression.name if isinstance(expression, Field) else _without_comments(text)
        return Item(expression, name, False, span)

    def _parse(self, begin: Token) -> Parse:
        source = self.field()
        token = self.lexer.peek()
        if token.is_sign("/"):
            token = self.lexer.regex()
            pattern = regex.translate(str(token.value), token.span)
            names = tuple(pattern.groupindex)
            if not names or pattern.groups != len(names):
                raise token.span.error("A regular expression in parse needs named groups only")
            return Parse(source, regex.of_regex(pattern), names, token.span)
        glob = self.need("string")
        names = self._names()
        if str(glob.value).count("*") != len(names):
            raise glob.span.error("The number of wildcards must match the number of fields")
        return Parse(source, regex.of_glob(str(glob.value)), names, begin.span)

    def _names(self) -> tuple[str, ...]:
        token = self.lexer.next()
        if not token.is_word("as"):
            raise token.unexpected()
        found = [self.field().name]
        while self.lexer.peek().is_sign(","):
            self.lexer.next()
            found.append(self.field().name)
        return tuple(found)

    def _stats(self, begin: Token) -> Stats:
        aggregates = self._items()
        keys: tuple[Item, ...] = ()
        if self.lexer.peek().is_word("by"):
            self.lexer.next()
            keys = self._items()
        return Stats(aggregates, keys, begin.span)

    def _sort(self) -> Sort:
        keys = [self._sort_key()]
        while self.lexer.peek().is_sign(","):
            self.lexer.next()
            keys.append(self._sort_key())
        return Sort(tuple(keys))

    def _sort_key(self) -> tuple[Expression, bool]:
        expression = self.expression()
        token = self.lexer.peek()
        if token.is_word("asc", "desc"):
            self.lexer.next()
        return expression, token.is_word("desc")

    def _limit(self) -> Limit:
        at_once = self.lexer.peek().is_word("any")
        if at_once:
            self.lexer.next()
        token = self.need("number")
        if not isinstance(token.value, int) or not 0 < token.value <= MAX_LIMIT:
            raise token.unexpected()
        return Limit(token.value, at_once)

    def _dedup(self) -> Dedup:
        found = [self.field()]
        while self.lexer.peek().is_sign(","):
            self.lexer.next()
            found.append(self.field())
        return Dedup(tuple(found))


def _without_comments(text: str) -> str:
    return " ".join(line.partition("#")[0].strip() for line in text.splitlines())


def _check_order(found: list[tuple[Command, Token]]) -> None:
    """Behind dedup comes only limit; sort and limit come behind the second of two stats."""
    commands = [command for command, _ in found]
    stats = [i for i, command in enumerate(commands) if isinstance(command, Stats)]
    for place, (command, token) in enumerate(found):
        before = commands[:place]
        wrong = any(isinstance(each, Dedup) for each in before) and not isinstance(command, Limit)
        ordered = any(isinstance(each, Sort | Limit | Dedup) for each in before)
        second = isinstance(command, Stats) and stats.index(place) > 0
        if wrong or (second and ordered) or (second and stats.index(place) >= MAX_STATS):
            raise token.unexpected()
