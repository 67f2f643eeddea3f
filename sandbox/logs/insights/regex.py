"""From the regular expressions of Insights (as in Java) to Python's."""

from __future__ import annotations

import re

from sandbox.logs.insights.syntax import Span

_NAMED = re.compile(r"\(\?<(?=[A-Za-z])")
_FLAGS = re.compile(r"\(\?([imsx]+)\)")


def translate(text: str, span: Span) -> re.Pattern[str]:
    """The compiled pattern; raises CompileError for one that is not valid."""
    try:
        return re.compile(_scoped(_NAMED.sub("(?P<", text)))
    except (re.error, OverflowError, RecursionError) as error:
        raise span.error(f"Invalid regular expression: {error}") from error


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
