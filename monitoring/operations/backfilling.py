"""Reads the past of every service, newest day first."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta

from django.db.models import F

from aws.errors import AwsError, Throttled
from catalog.schedule import PartlyDone
from monitoring import timeseries
from monitoring.models import Collection
from monitoring.operations.reading import in_words, read_minutes
from monitoring.timeseries.days import midnight

# A day of one service is one request and about a second of work.
DAYS_A_TICK = 8
# What was not read wholly is asked for again, and charged again, only so often.
PAUSE_AFTER_FAILURE = timedelta(minutes=2)

log = logging.getLogger(__name__)


class AnsweredInPart(AwsError):
    """CloudWatch has more of a day than it told."""


def backfill(*, at: datetime) -> int:
    """Read a few more days of history, and return how many. Where it stopped is in the rows.

    A day counts as read once CloudWatch has answered every series of it wholly.

    :raises PartlyDone: naming the services whose day will be read again; others went on.
    """
    read, unread = 0, list[str]()
    for _ in range(DAYS_A_TICK):
        collection = _next(at)
        if not collection:
            break
        try:
            _read_day(collection, _day(collection, at), at)
            read += 1
        except Exception as error:
            unread.append(_postponed(collection, error, at))
            if isinstance(error, Throttled):
                break
    if unread:
        raise PartlyDone(unread)
    return read


def _next(at: datetime) -> Collection | None:
    newest_first = F("backfilled_to").desc(nulls_first=True)
    waiting = Collection.objects.awaiting_history(at).select_related("service")
    return waiting.order_by(newest_first, "pk").first()


def _postponed(collection: Collection, error: Exception, at: datetime) -> str:
    """Put the day off, write down why, and return it with the service's name."""
    slug, words = collection.service.slug, in_words(error)
    log.warning("history of %s: %s", slug, words, exc_info=not isinstance(error, AwsError))
    Collection.objects.filter(pk=collection.pk).update(
        backfill_error=words, backfill_due_at=at + PAUSE_AFTER_FAILURE
    )
    return f"{slug}: {words}"


def _day(collection: Collection, at: datetime) -> date:
    if collection.backfilled_to is None:
        return at.date()
    return collection.backfilled_to - timedelta(days=1)


def _read_day(collection: Collection, day: date, at: datetime) -> None:
    start = midnight(day)
    end = min(start + timedelta(days=1), at.replace(second=0, microsecond=0))
    if start < end:
        [reading] = read_minutes([collection.service], start=start, end=end)
        # What did come is right; the next reading lays the rest over it.
        timeseries.write([reading.block], at=at)
        if reading.incomplete:
            raise AnsweredInPart(f"{day}: {reading.problem}")
    # If history was reopened meanwhile, this day is read again with the others.
    unchanged = Collection.objects.filter(
        pk=collection.pk,
        backfilled_to=collection.backfilled_to,
        backfill_floor=collection.backfill_floor,
    )
    unchanged.update(backfilled_to=day, backfill_error="", backfill_due_at=None)
