"""From a query's text to tokens."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.logs.insights.syntax import CompileError, Period, Span

_SKIP = re.compile(r"(?:\s+|#[^\n]*)*")
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:[eE][+-]?\d+)?(?!\w)")
_PERIOD = re.compile(r"(\d+)([A-Za-z]+)(?!\w)")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"|\'((?:[^\'\\]|\\.)*)\'', re.DOTALL)
_REGEX = re.compile(r"/((?:[^/\\\n]|\\.)+)/")
_NAME = re.compile(r"(?:[A-Za-z_@][\w@]*|`[^`]+`)(?:\.(?:[\w@]+|`[^`]+`)|\[\d+\])*")
_STEP = re.compile(r"`([^`]+)`|([\w@]+)")
_SIGN = re.compile(r"!=|<=|>=|=~|[=<>+\-*/%^(),|\[\]]")
_ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}

_MINUTE = 60_000
_DAY = 1440 * _MINUTE
# Unit → what one is, and the highest number AWS takes of it (0: any).
_UNITS: dict[str, tuple[Period, int]] = {
    **dict.fromkeys(("ms", "msec", "millisecond"), (Period(1), 1000)),
    **dict.fromkeys(("s", "sec", "second"), (Period(1000), 60)),
    **dict.fromkeys(("m", "min", "minute"), (Period(_MINUTE), 60)),
    **dict.fromkeys(("h", "hr", "hour"), (Period(60 * _MINUTE), 24)),
    **dict.fromkeys(("d", "day"), (Period(_DAY), 0)),
    **dict.fromkeys(("w", "week"), (Period(7 * _DAY), 0)),
    **dict.fromkeys(("mo", "mon", "month"), (Period(0, 1), 0)),
    **dict.fromkeys(("q", "qtr", "quarter"), (Period(0, 3), 0)),
    **dict.fromkeys(("y", "yr", "year"), (Period(0, 12), 0)),
}


@dataclass(frozen=True)
class Token:
    """A `kind` of name, number, period, string, sign or end; `value` is what it stands for.

    Of a name the value is its path, of a string its text, of a period a Period.
    """

    kind: str
    text: str
    span: Span
    value: object = None

    def is_word(self, *words: str) -> bool:
        """Whether it is one of these keywords, in letters of any case."""
        return self.kind == "name" and self.text.lower() in words

    def is_sign(self, *signs: str) -> bool:
        """Whether it is one of these signs."""
        return self.kind == "sign" and self.text in signs

    def unexpected(self) -> CompileError:
        """The error that this token has no place here, in AWS's words."""
        return self.span.error(f"unexpected symbol found {self.text or '<EOF>'}")


class Lexer:
    """Reads tokens one after the other; a regular expression only when it is asked for."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._ahead: Token | None = None
        self._position = 0

    def peek(self) -> Token:
        """The next token, left where it is."""
        if self._ahead is None:
            self._ahead = self._read()
        return self._ahead

    def next(self) -> Token:
        """The next token; raises CompileError for a character that begins none."""
        token = self.peek()
        self._ahead = None
        self._position = token.span.end
        return token

    def regex(self) -> Token:
        """`/…/` as one token; `peek` must have shown its first slash."""
        begin = self.next().span.begin
        found = _REGEX.match(self.text, begin)
        if not found:
            raise CompileError("unexpected symbol found /", begin, begin + 1)
        self._position = found.end()
        span = Span(begin, found.end())
        return Token("regex", found.group(), span, found[1].replace("\\/", "/"))

    def _read(self) -> Token:
        skipped = _SKIP.match(self.text, self._position)
        begin = skipped.end() if skipped else self._position
        if begin == len(self.text):
            return Token("end", "", Span(begin, begin))
        for kind, pattern in (
            ("number", _NUMBER),
            ("period", _PERIOD),
            ("string", _STRING),
            ("name", _NAME),
            ("sign", _SIGN),
        ):
            found = pattern.match(self.text, begin)
            if found:
                return _token(kind, found)
        raise CompileError(f"unexpected symbol found {self.text[begin]}", begin, begin + 1)


def _token(kind: str, found: re.Match[str]) -> Token:
    span = Span(*found.span())
    text = found.group()
    if kind == "number":
        return Token(kind, text, span, int(text) if text.isdigit() else float(text))
    if kind == "period":
        return Token(kind, text, span, _period(found, span))
    if kind == "string":
        return Token(kind, text, span, _unescape(text[1:-1]))
    if kind == "name":
        return _name(text, span)
    return Token(kind, text, span)


def _name(text: str, span: Span) -> Token:
    """`in[5]` is the keyword and a list; everything else in brackets is an index."""
    if text.lower().startswith("in["):
        text, span = text[:2], Span(span.begin, span.begin + 2)
    path = tuple(quoted or plain for quoted, plain in _STEP.findall(text))
    return Token("name", text, span, path)


def _period(found: re.Match[str], span: Span) -> Period:
    count, unit = int(found[1]), found[2].lower()
    # A unit of more than one character may end in s for the plural.
    known = _UNITS.get(unit) or (_UNITS.get(unit[:-1]) if len(unit) > 2 else None)
    if known is None or count == 0 or (known[1] and count > known[1]):
        raise span.error(f"unexpected symbol found {found.group()}")
    return Period(count * known[0].milliseconds, count * known[0].months)


def _unescape(text: str) -> str:
    """Quotes and backslashes lose their backslash; an unknown escape stays as it is."""

    def plain(found: re.Match[str]) -> str:
        letter = found[1]
        return _ESCAPES.get(letter) or (letter if letter in "\"'\\" else found.group())

    return re.sub(r"\\(.)", plain, text, flags=re.DOTALL)
