"""NewsAPI.org, endpoint /v2/everything."""

from __future__ import annotations

from datetime import datetime

from news_api.sources.article import Article, make_article, parse_time
from news_api.sources.payload import read_object, records, text

MAX_ARTICLES = 100
# What NewsAPI.org puts in the place of articles that it had to take down.
REMOVED = "[Removed]"


def headers(key: str) -> dict[str, str]:
    """Return the headers that carry the API key."""
    return {"X-Api-Key": key}


def parse(body: bytes, *, language: str, at: datetime) -> list[Article]:
    """Return the articles of an answer. Raises SourceFailed if it is not one."""
    entries = records(read_object(body), "articles")[:MAX_ARTICLES]
    made = (
        make_article(
            url=text(entry, "url"),
            title=text(entry, "title"),
            summary=text(entry, "description"),
            published_at=parse_time(entry.get("publishedAt")),
            language=language,
            at=at,
        )
        for entry in entries
        if text(entry, "title") != REMOVED
    )
    return [article for article in made if article is not None]
