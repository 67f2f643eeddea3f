"""The one shape in which every source hands over its articles."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from news_api.canonical import BadUrl, canonical_url
from news_api.sources.text import plain

MAX_TITLE = 300
MAX_SUMMARY = 2000
# What a source says about the future is a typing error, not news.
CLOCK_SKEW = timedelta(minutes=5)
OLDEST = datetime(1970, 1, 1, tzinfo=UTC)


class SourceFailed(Exception):
    """A source could not be read. The message is shown in /v1/sources: no keys, no bodies."""


@dataclass(frozen=True)
class Article:
    """An article as stored: canonical URL, plain text, publication in UTC."""

    url: str
    title: str
    summary: str
    published_at: datetime
    language: str


def make_article(
    *,
    url: str,
    title: str,
    summary: str,
    published_at: datetime | None,
    language: str,
    at: datetime,
) -> Article | None:
    """Return a clean article, or None if there is no title or no URL to send a reader to.

    A missing, future or nonsensical publication time becomes ``at``, when it was first seen.
    """
    try:
        canonical = canonical_url(url)
    except BadUrl:
        return None
    clean_title = plain(title, MAX_TITLE)
    if not clean_title:
        return None
    return Article(
        url=canonical,
        title=clean_title,
        summary=plain(summary, MAX_SUMMARY),
        published_at=_sensible(published_at, at),
        language=language,
    )


def parse_time(text: object) -> datetime | None:
    """Read an ISO 8601 time with zone; None for anything else."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


def _sensible(published_at: datetime | None, at: datetime) -> datetime:
    if published_at is None or not OLDEST <= published_at <= at + CLOCK_SKEW:
        return at
    return published_at.astimezone(UTC)
