"""RSS and Atom feeds."""

from __future__ import annotations

import calendar
import io
import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import feedparser

from news_api.sources.article import Article, SourceFailed, make_article

MAX_ENTRIES = 200

_log = logging.getLogger(__name__)


def parse(
    body: bytes, *, url: str, content_type: str, language: str, at: datetime
) -> list[Article]:
    """Return the articles of a feed; entries without a title or a usable link are left out.

    Raises SourceFailed if this is not a feed at all.
    """
    document = _read(body, url, content_type)
    entries = document.get("entries", [])
    if not entries and not document.get("version"):
        raise SourceFailed("the source did not send a feed")
    made = (_article(entry, language, at) for entry in entries[:MAX_ENTRIES])
    return [article for article in made if article is not None]


def _read(body: bytes, url: str, content_type: str) -> Mapping[str, Any]:
    try:
        # A stream, never the bytes: feedparser opens text that looks like a file name.
        # It need not clean the HTML, because we keep none of it.
        document: Mapping[str, Any] = feedparser.parse(
            io.BytesIO(body),
            response_headers={"content-type": content_type, "content-location": url},
            sanitize_html=False,
            resolve_relative_uris=False,
        )
    except Exception as error:
        # Hostile bytes find faults in any parser. They are the source's fault, and only its own.
        _log.warning("feedparser failed", exc_info=error)
        raise SourceFailed(f"the feed could not be parsed ({type(error).__name__})") from error
    return document


def _article(entry: Mapping[str, Any], language: str, at: datetime) -> Article | None:
    return make_article(
        url=_text(entry.get("link")),
        title=_text(entry.get("title")),
        summary=_text(entry.get("summary")),
        published_at=_published(entry),
        language=language,
        at=at,
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _published(entry: Mapping[str, Any]) -> datetime | None:
    # Asked for what is missing, feedparser would warn and answer with the other.
    stated = [name for name in ("published_parsed", "updated_parsed") if name in entry]
    parsed = entry[stated[0]] if stated else None
    if parsed is None:
        return None
    try:
        return datetime.fromtimestamp(calendar.timegm(parsed), UTC)
    except (ValueError, OverflowError, OSError):
        return None
