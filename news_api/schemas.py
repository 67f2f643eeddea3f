"""The shapes of the API's answers."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema


class ArticleOut(Schema):
    """One article. Title and summary are plain text; times are UTC."""

    id: int
    url: str
    title: str
    summary: str
    source: str
    language: str
    published_at: datetime


class ArticlePage(Schema):
    """Newest first. ``next_cursor`` is null on the last page."""

    items: list[ArticleOut]
    next_cursor: str | None


class SourceOut(Schema):
    """A source and how fetching it went lately."""

    name: str
    kind: str
    language: str
    status: Literal["new", "ok", "failing"]
    last_success_at: datetime | None
    consecutive_failures: int
    last_error: str


class SourceList(Schema):
    """All sources in use, by name."""

    items: list[SourceOut]
