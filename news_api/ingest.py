"""The ingest: read every source, store what is new, carry on whatever one source does."""

from __future__ import annotations

import logging
import threading
from datetime import datetime, timedelta

from django.db import DataError, IntegrityError, connection
from django.db import Error as DatabaseFailed
from django.utils import timezone

from news_api import settings, storage
from news_api.locks import Lock, trying
from news_api.metrics import aggregator
from news_api.models import Source
from news_api.sources import catalog
from news_api.sources.article import SourceFailed
from news_api.sources.fetch import make_client
from news_api.sources.reader import Reader, Reading

_log = logging.getLogger(__name__)


def run_forever(*, every: float, stopping: threading.Event) -> None:
    """Run a round every so many seconds until told to stop; outlives the database's absence."""
    while not stopping.is_set():
        try:
            run_once(stopping=stopping, all_sources=False)
        except DatabaseFailed as error:
            # Away, or not migrated yet: both pass.
            _log.error("round given up: the database failed", exc_info=error)
            connection.close()
        stopping.wait(every)


def run_once(*, stopping: threading.Event, all_sources: bool = True) -> bool:
    """Run one round; False if another process is at it already.

    ``all_sources`` also tries those that are resting after a failure.
    """
    connection.close_if_unusable_or_obsolete()
    with trying(Lock.INGEST) as held:
        if not held:
            _log.info("another ingest is running; leaving this round to it")
            return False
        storage.sync_sources(catalog.load(settings.NEWS_SOURCES))
        _round(stopping, all_sources)
    return True


def _round(stopping: threading.Event, all_sources: bool) -> None:
    with make_client() as client:
        reader = Reader(client, settings.NEWSAPI_KEY, settings.GUARDIAN_KEY)
        for source in storage.due_sources(timezone.now(), all_of_them=all_sources):
            if stopping.is_set():
                return
            _ingest(source, reader, timezone.now())
    pruned = storage.prune(_oldest_kept(timezone.now()))
    aggregator.count(IngestRounds=1, ArticlesPruned=pruned)


def _ingest(source: Source, reader: Reader, at: datetime) -> None:
    entry = catalog.SourceEntry(source.name, source.kind, source.url, source.language)
    try:
        reading = reader.read(entry, etag=source.etag, last_modified=source.last_modified, at=at)
        _keep(source, reading, at)
    except SourceFailed as error:
        _give_up(source, str(error), at)
    except (DataError, IntegrityError) as error:
        _log.error("articles refused by the database", exc_info=error)
        _give_up(source, "the source's articles could not be stored", at)


def _give_up(source: Source, reason: str, at: datetime) -> None:
    storage.record_failure(source, reason, at=at)
    aggregator.count(SourceFailures=1)
    _log.warning("source failed", extra={"fields": {"source": source.name, "error": reason}})


def _keep(source: Source, reading: Reading, at: datetime) -> None:
    recent = [one for one in reading.articles if one.published_at >= _oldest_kept(at)]
    kept = Reading(recent, reading.etag, reading.last_modified)
    stored = storage.record_success(source, kept, at=at)
    aggregator.count(ArticlesInserted=stored.inserted, ArticlesUpdated=stored.updated)
    fields = {"source": source.name, "inserted": stored.inserted, "updated": stored.updated}
    _log.info("source read", extra={"fields": fields})


def _oldest_kept(at: datetime) -> datetime:
    return at - timedelta(days=settings.NEWS_KEEP_DAYS)
