"""From the regular expressions of Insights (as in Java) to Python's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from re import _parser as sre  # type: ignore[attr-defined]
from typing import Any

from sandbox.logs.insights.syntax import Span

_NAMED = re.compile(r"\(\?<(?=[A-Za-z])")
_FLAGS = re.compile(r"\(\?([imsx]+)\)")


def translate(text: str, span: Span) -> re.Pattern[str]:
    """The compiled pattern; raises CompileError for one that is not valid."""
    try:
        python = _scoped(_NAMED.sub("(?P<", text))
        pattern = re.compile(python)
        nested = _nested(sre.parse(python))
    except (re.error, OverflowError, RecursionError) as error:
        raise span.error(f"Invalid regular expression: {error}") from error
    if nested:
        raise span.error("The sandbox does not run a repetition inside a repetition, as in (a+)+")
    return pattern


def _nested(parsed: Any, *, repeated: bool = False) -> bool:
    """Whether something repeated without end holds another such repetition.

    On a text that does not match, those may take time exponential in its length, and while Python
    matches, nothing else of the sandbox runs. Atomic groups are never tried again.
    """
    for operation, arguments in parsed:
        if operation in (sre.POSSESSIVE_REPEAT, sre.ATOMIC_GROUP):
            continue
        endless = operation in (sre.MAX_REPEAT, sre.MIN_REPEAT) and arguments[1] == sre.MAXREPEAT
        if endless and repeated:
            return True
        if any(_nested(inner, repeated=repeated or endless) for inner in _parts(arguments)):
            return True
    return False


def _parts(arguments: Any) -> Iterator[Any]:
    """The patterns inside an operation: of a group, of a repetition, of alternatives."""
    for each in arguments if isinstance(arguments, tuple | list) else ():
        if isinstance(each, sre.SubPattern):
            yield each
        elif isinstance(each, list):
            yield from (inner for inner in each if isinstance(inner, sre.SubPattern))


def _scoped(text: str) -> str:
    """Flags such as `(?i)` hold up to the end of their group; Python wants `(?i:…)` for that."""
    out: list[str] = []
    opened = [0]
    position, in_class = 0, False
    while position < len(text):
        flags = None if in_class else _FLAGS.match(text, position)
        if flags:
            out.append(f"(?{flags[1]}:")
            opened[-1] += 1
            position = flags.end()
            continue
        step = 2 if text[position] == "\\" else 1
        piece = text[position : position + step]
        in_class = piece == "[" or (in_class and piece != "]")
        if not in_class:
            piece = _closed(piece, opened)
        out.append(piece)
        position += step
    return "".join(out) + ")" * sum(opened)


def _closed(piece: str, opened: list[int]) -> str:
    """A bracket with those it closes; `opened` counts flag groups by depth."""
    if piece == "(":
        opened.append(0)
    elif piece == ")" and len(opened) > 1:
        return ")" * opened.pop() + piece
    return piece


def of_glob(glob: str) -> re.Pattern[str]:
    """The pattern of `parse … "a=* b=*"`: each asterisk as little as possible, the last the rest.

    Found anywhere in the text; a glob without text behind its last asterisk takes all there is.
    """
    parts = [re.escape(part) for part in glob.split("*")]
    pattern = "(.*?)".join(parts)
    if glob.endswith("*"):
        pattern = pattern[: -len("(.*?)")] + "(.*)"
    return re.compile(pattern, re.DOTALL)
