"""From the regular expressions of Insights (as in Java) to Python's."""

from __future__ import annotations

import re
from collections.abc import Sequence

from sandbox.logs.insights.syntax import Groups, Span

_NAMED = re.compile(r"\(\?<(?=[A-Za-z])")
# Named groups as only Python spells them.
_PYTHONIC = re.compile(r"(?<!\\)\(\?P")
_FLAGS = re.compile(r"\(\?([imsx]+)\)")


def translate(text: str, span: Span) -> re.Pattern[str]:
    """The compiled pattern, of ASCII classes as in Java; raises CompileError for an invalid one."""
    try:
        if _PYTHONIC.search(text):
            raise re.error("unknown extension ?P")
        return re.compile(_scoped(_NAMED.sub("(?P<", text)), re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
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
        if in_class and text.startswith(("[", "&&"), position):
            raise re.error("unions and intersections of sets are not supported")
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


def of_glob(glob: str) -> Groups:
    """What finds the parts of `parse … "a=* b=*"`: each as short as possible, the last the rest.

    The text before the first asterisk may stand anywhere. The first place of each piece of text is
    the right one: if what follows is not behind it, neither is it behind a later one. So this takes
    time in proportion to the text, as a regular expression would not.
    """
    first, *pieces = glob.split("*")

    def groups(text: str) -> Sequence[str] | None:
        position = text.find(first) + len(first)
        if position < len(first):
            return None
        found = []
        for number, piece in enumerate(pieces):
            last = not piece and number == len(pieces) - 1
            place = len(text) if last else text.find(piece, position)
            if place < 0:
                return None
            found.append(text[position:place])
            position = place + len(piece)
        return found

    return groups


def of_regex(pattern: re.Pattern[str]) -> Groups:
    """What finds the groups of a regular expression."""

    def groups(text: str) -> Sequence[str | None] | None:
        found = pattern.search(text)
        return found.groups() if found else None

    return groups
