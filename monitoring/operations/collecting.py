"""Keeps the newest minutes of every service as CloudWatch has them now.

A minute changes in CloudWatch for about ten minutes after it ended. Every reading therefore begins
a quarter of an hour before what is settled, and lays itself over what is stored.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from aws.cloudwatch import MAX_QUERIES
from aws.errors import AwsError, Garbled, Throttled
from catalog.models import Service
from monitoring import queries, timeseries
from monitoring.models import BETWEEN_READS, BETWEEN_WATCHED_READS, Collection
from monitoring.operations.reading import Reading, in_words, read_minutes
from monitoring.operations.watching import HISTORY
from monitoring.resources import layout_for

log = logging.getLogger(__name__)

OVERLAP = timedelta(minutes=15)
UNSETTLED = timedelta(minutes=10)
# What is longer ago is left to the backfill, so that the newest minutes do not wait for it.
REACH = timedelta(hours=3)
LONGEST_BACK_OFF = timedelta(minutes=5)
# As many as the column counts: weeks of failures must not become an error of their own.
MOST_FAILURES = 32_767
_MINUTE = timedelta(minutes=1)


def collect(*, at: datetime) -> int:
    """Read every service that is due, and return how many were read."""
    _begin_new(at)
    done = 0
    for batch in _batches(list(Collection.objects.due(at).select_related("service"))):
        try:
            done += _collect(batch, at)
        except Throttled:
            break
    return done


def _collect(batch: Sequence[Collection], at: datetime) -> int:
    """Read the services together, or each alone if one of them spoils the answer of all.

    :raises Throttled: if CloudWatch was asked too much.
    """
    try:
        _store(batch, _read(batch, at), at)
        return len(batch)
    except Throttled as error:
        _failed(batch, error, at)
        raise
    except Exception as error:
        expected = isinstance(error, AwsError)
        unanswered = expected and not isinstance(error, Garbled)
        if unanswered or len(batch) == 1:
            names = ", ".join(collection.service.slug for collection in batch)
            log.warning("metrics of %s: %s", names, error, exc_info=not expected)
            _failed(batch, error, at)
            return 0
    return sum(_collect([one], at) for one in batch)


def _begin_new(at: datetime) -> None:
    new = Service.objects.present().filter(collection=None)
    Collection.objects.bulk_create(
        [Collection(service=one, due_at=at, backfill_floor=(at - HISTORY).date()) for one in new],
        ignore_conflicts=True,
    )


def _batches(collections: Sequence[Collection]) -> Iterator[list[Collection]]:
    """Group whole services into requests of at most 500 series."""
    batch: list[Collection] = []
    size = 0
    for collection in collections:
        series = len(layout_for(collection.service).series)
        if batch and size + series > MAX_QUERIES:
            yield batch
            batch, size = [], 0
        batch.append(collection)
        size += series
    if batch:
        yield batch


def _read(batch: Sequence[Collection], at: datetime) -> list[Reading]:
    start = min(_start(collection, at) for collection in batch)
    services = [collection.service for collection in batch]
    # The end is exclusive: the running minute is read too, and corrected by the next reading.
    return read_minutes(services, start=start, end=_minute(at) + _MINUTE)


def _start(collection: Collection, at: datetime) -> datetime:
    earliest = at - REACH
    settled = collection.watermark or earliest
    return _minute(max(settled - OVERLAP, earliest))


def _store(batch: Sequence[Collection], readings: Sequence[Reading], at: datetime) -> None:
    timeseries.write([reading.block for reading in readings], at=at)
    for collection, reading in zip(batch, readings, strict=True):
        _succeeded(collection, reading, at)
    end = _minute(at)
    start = end - timeseries.MINUTES * _MINUTE
    services = [collection.service for collection in batch]
    timeseries.put_now(start, queries.golden_hour(services, start=start, end=end))


def _succeeded(collection: Collection, reading: Reading, at: datetime) -> None:
    if reading.incomplete:
        collection.error, collection.failed_at = reading.problem, at
    else:
        _reopen_history(collection, at)
        collection.error, collection.failed_at = "", None
        collection.watermark = _minute(at - UNSETTLED)
    collection.failures = 0
    collection.collected_at = at
    collection.due_at = _slot(at) + _between_reads(collection, at)
    collection.save(update_fields=_WRITTEN)


_WRITTEN = [
    "error",
    "failed_at",
    "watermark",
    "failures",
    "collected_at",
    "due_at",
]


def _reopen_history(collection: Collection, at: datetime) -> None:
    """Have the backfill close the hole that a long silence left."""
    if collection.watermark is None or collection.watermark - OVERLAP >= at - REACH:
        return
    first = collection.watermark.date()
    finished = collection.backfilled_to and collection.backfilled_to <= collection.backfill_floor
    collection.backfill_floor = first if finished else min(first, collection.backfill_floor)
    collection.backfilled_to = None
    collection.save(update_fields=["backfill_floor", "backfilled_to"])


def _failed(batch: Sequence[Collection], error: Exception, at: datetime) -> None:
    for collection in batch:
        collection.failures = min(collection.failures + 1, MOST_FAILURES)
        collection.failed_at = at
        collection.error = in_words(error)
        collection.due_at = at + _pause(collection, error, at)
        collection.save(update_fields=["failures", "failed_at", "error", "due_at"])


def _pause(collection: Collection, error: Exception, at: datetime) -> timedelta:
    if not isinstance(error, Throttled):
        return _between_reads(collection, at)
    # Full jitter: all who were throttled together must not come back together.
    longest = min(LONGEST_BACK_OFF, BETWEEN_WATCHED_READS * (1 << min(collection.failures, 8)))
    return longest * random.random()  # noqa: S311 - not a secret


def _between_reads(collection: Collection, at: datetime) -> timedelta:
    return BETWEEN_WATCHED_READS if collection.is_watched(at) else BETWEEN_READS


def _minute(at: datetime) -> datetime:
    return at.replace(second=0, microsecond=0)


def _slot(at: datetime) -> datetime:
    """Return when the job's slot began: due times must not drift with its delays."""
    step = int(BETWEEN_WATCHED_READS.total_seconds())
    return at.replace(second=at.second // step * step, microsecond=0)
