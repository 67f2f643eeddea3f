"""Writes of the ingest: articles, and how their sources fare."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db import connection, transaction
from django.db.models import Q

from news_api.back_off import back_off
from news_api.models import Article as StoredArticle
from news_api.models import Source
from news_api.sources.article import Article
from news_api.sources.catalog import SourceEntry
from news_api.sources.reader import Reading

# An article keeps the source and the time under which it was first seen, so pages stay in order.
# Unchanged articles are not written at all: a quiet feed costs no WAL and no bloat.
UPSERT = """
INSERT INTO news_api_article (url, source_id, title, summary, language, published_at)
SELECT url, %s, title, summary, language, published_at
FROM unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::timestamptz[])
     AS new (url, title, summary, language, published_at)
ON CONFLICT (url) DO UPDATE SET title = excluded.title, summary = excluded.summary
WHERE (news_api_article.title, news_api_article.summary) IS DISTINCT FROM
      (excluded.title, excluded.summary)
RETURNING xmax = 0 AS inserted
"""


@dataclass(frozen=True)
class Stored:
    """How many articles were new, and how many had changed."""

    inserted: int
    updated: int


def store(source_id: int, articles: Iterable[Article]) -> Stored:
    """Insert or update articles; storing them again changes nothing."""
    by_url = {article.url: article for article in articles}
    rows = [by_url[url] for url in sorted(by_url)]
    columns = ("url", "title", "summary", "language", "published_at")
    arrays = [[getattr(row, column) for row in rows] for column in columns]
    with connection.cursor() as cursor:
        cursor.execute(UPSERT, [source_id, *arrays])
        flags = [inserted for (inserted,) in cursor.fetchall()]
    return Stored(inserted=sum(flags), updated=len(flags) - sum(flags))


def sync_sources(entries: list[SourceEntry]) -> None:
    """Make the rows follow the configuration; sources that left it are kept, but disabled."""
    with transaction.atomic():
        for entry in entries:
            _sync(entry)
        names = [entry.name for entry in entries]
        Source.objects.exclude(name__in=names).filter(enabled=True).update(enabled=False)


def _sync(entry: SourceEntry) -> None:
    wanted = {"kind": entry.kind, "url": entry.url, "language": entry.language}
    source, created = Source.objects.get_or_create(name=entry.name, defaults=wanted)
    if created or all(getattr(source, name) == value for name, value in wanted.items()):
        Source.objects.filter(pk=source.pk, enabled=False).update(enabled=True)
        return
    # Validators and failures belong to the old address.
    fresh = {"etag": "", "last_modified": "", "last_error": "", "consecutive_failures": 0}
    Source.objects.filter(pk=source.pk).update(enabled=True, **wanted, **fresh)


def due_sources(at: datetime, *, all_of_them: bool) -> list[Source]:
    """Return the sources to fetch now, the longest waiting first."""
    due = Q() if all_of_them else Q(next_attempt_at__lte=at)
    return list(Source.objects.filter(due, enabled=True).order_by("next_attempt_at", "id"))


def record_success(source: Source, reading: Reading, *, at: datetime) -> Stored:
    """Store what was read and note that reading worked, both or neither."""
    with transaction.atomic():
        stored = store(source.pk, reading.articles)
        Source.objects.filter(pk=source.pk).update(
            etag=reading.etag,
            last_modified=reading.last_modified,
            last_attempt_at=at,
            last_success_at=at,
            next_attempt_at=at,
            last_error="",
            consecutive_failures=0,
        )
    return stored


def record_failure(source: Source, message: str, *, at: datetime) -> None:
    """Note what went wrong, and wait longer each time before trying again."""
    failures = source.consecutive_failures + 1
    Source.objects.filter(pk=source.pk).update(
        last_attempt_at=at,
        next_attempt_at=at + back_off(failures),
        last_error=message[:300],
        consecutive_failures=failures,
    )


def prune(before: datetime) -> int:
    """Delete articles published before ``before``; returns how many."""
    deleted, _ = StoredArticle.objects.filter(published_at__lt=before).delete()
    return deleted
