"""Reads of the API."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.contrib.postgres.search import SearchQuery
from django.db.models import Q, QuerySet

from news_api.cursor import Position
from news_api.models import SEARCH_CONFIG, Article, Source
from news_api.schemas import ArticleOut, SourceOut

COLUMNS = ("id", "url", "title", "summary", "source__name", "language", "published_at")


@dataclass(frozen=True)
class Filter:
    """What a reader asks for: words, a source's name, and the earliest publication (UTC)."""

    words: str = ""
    source: str = ""
    since: datetime | None = None


def page(
    wanted: Filter, *, after: Position | None, limit: int
) -> tuple[list[ArticleOut], Position | None]:
    """Return up to ``limit`` articles, newest first, and where the page ends if more follow."""
    rows = list(_matching(wanted, after).values(*COLUMNS)[: limit + 1])
    articles = [_article(row) for row in rows[:limit]]
    if len(rows) <= limit:
        return articles, None
    return articles, Position(articles[-1].published_at, articles[-1].id)


def article(article_id: int) -> ArticleOut | None:
    """Return one article, or None."""
    row = Article.objects.filter(pk=article_id).values(*COLUMNS).first()
    return _article(row) if row else None


def sources() -> list[SourceOut]:
    """Return the sources in use, by name."""
    return [
        SourceOut(
            name=source.name,
            kind=source.kind,
            language=source.language,
            status=_status(source),
            last_success_at=source.last_success_at,
            consecutive_failures=source.consecutive_failures,
            last_error=source.last_error,
        )
        for source in Source.objects.filter(enabled=True).order_by("name")
    ]


def _matching(wanted: Filter, after: Position | None) -> QuerySet[Article]:
    articles = Article.objects.order_by("-published_at", "-id")
    if wanted.words:
        query = SearchQuery(wanted.words, config=SEARCH_CONFIG, search_type="websearch")
        articles = articles.filter(search=query)
    if wanted.source:
        articles = articles.filter(source__name=wanted.source)
    if wanted.since:
        articles = articles.filter(published_at__gte=wanted.since)
    if after:
        # The first condition alone lets PostgreSQL start in the index where the last page ended.
        articles = articles.filter(published_at__lte=after.published_at).filter(
            Q(published_at__lt=after.published_at) | Q(id__lt=after.article_id)
        )
    return articles


def _article(row: dict[str, Any]) -> ArticleOut:
    return ArticleOut(source=row["source__name"], **row)


def _status(source: Source) -> Literal["new", "ok", "failing"]:
    if source.consecutive_failures:
        return "failing"
    return "ok" if source.last_success_at else "new"
