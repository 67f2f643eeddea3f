"""The Guardian's Content API, endpoint /search."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import httpx

from news_api.sources.article import Article, SourceFailed, make_article, parse_time
from news_api.sources.payload import read_object, records, text

MAX_ARTICLES = 100


def address(url: str, key: str) -> str:
    """Return ``url`` with the key, newest first, and with the text shown under the headline."""
    asked = {"api-key": key, "order-by": "newest", "show-fields": "trailText", "page-size": "50"}
    parsed = httpx.URL(url)
    return str(parsed.copy_with(params={**asked, **dict(parsed.params), "api-key": key}))


def parse(body: bytes, *, language: str, at: datetime) -> list[Article]:
    """Return the articles of an answer. Raises SourceFailed if it is not one."""
    answer = read_object(body).get("response")
    if not isinstance(answer, dict):
        raise SourceFailed("the source's answer holds no response")
    made = (_article(entry, language, at) for entry in records(answer, "results")[:MAX_ARTICLES])
    return [article for article in made if article is not None]


def _article(entry: dict[str, Any], language: str, at: datetime) -> Article | None:
    fields = entry.get("fields")
    return make_article(
        url=text(entry, "webUrl"),
        title=text(entry, "webTitle"),
        summary=text(fields, "trailText") if isinstance(fields, dict) else "",
        published_at=parse_time(entry.get("webPublicationDate")),
        language=language,
        at=at,
    )
