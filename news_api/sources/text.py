"""Plain text out of whatever a feed contains. Pure."""

from __future__ import annotations

import re
import unicodedata
from html.parser import HTMLParser

# Enough for any summary we keep, and small enough that hostile markup cannot hold us up.
MAX_MARKUP = 20_000
MAX_LAYERS = 3
HIDDEN = frozenset({"script", "style", "template", "noscript", "iframe", "object"})
BREAKS = frozenset({"p", "br", "div", "li", "tr", "td", "th", "h1", "h2", "h3", "h4", "blockquote"})
# These turn the reading direction around, and with it the meaning of a headline.
DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069\u200e\u200f]")
_MARKUP = re.compile(r"<[a-zA-Z/!?]")


def plain(markup: str, limit: int) -> str:
    """Return ``markup`` as one line of text without tags, at most ``limit`` characters."""
    text = markup[:MAX_MARKUP]
    for _ in range(MAX_LAYERS):
        stripped = _strip(text)
        if stripped == text:
            break
        text = stripped
    # Still markup after three layers of escaping is an attack, not an article.
    return _shorten("" if _MARKUP.search(text) else text, limit)


class _Text(HTMLParser):
    """Collects what a reader would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._hidden: str = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in HIDDEN and not self._hidden:
            self._hidden = tag
        elif tag in BREAKS:
            self.parts.append(" ")

    def handle_endtag(self, tag: str) -> None:
        if tag == self._hidden:
            self._hidden = ""
        elif tag in BREAKS:
            self.parts.append(" ")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def _strip(text: str) -> str:
    parser = _Text()
    parser.feed(text)
    parser.close()
    visible = DIRECTION.sub("", "".join(parser.parts))
    readable = (" " if unicodedata.category(char) == "Cc" else char for char in visible)
    encodable = "".join(char for char in readable if not "\ud800" <= char <= "\udfff")
    return " ".join(encodable.split())


def _shorten(text: str, limit: int) -> str:
    if len(text) <= limit:
        return text
    head = text[: limit - 1]
    at_word = head.rsplit(" ", 1)[0] if " " in head[limit // 2 :] else head
    return at_word.rstrip() + "…"
