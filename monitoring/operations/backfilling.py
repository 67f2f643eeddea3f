"""Reads the past of every service, newest day first."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from django.db.models import F

from monitoring import timeseries
from monitoring.models import Collection
from monitoring.operations.reading import read_minutes
from monitoring.timeseries.days import midnight

# A day of one service is one request and about a second of work.
DAYS_A_TICK = 8


def backfill(*, at: datetime) -> int:
    """Read a few more days of history, and return how many. Where it stopped is in the rows.

    :raises AwsError: if CloudWatch did not answer; the next run repeats that day.
    """
    for done in range(DAYS_A_TICK):
        collection = _next()
        if not collection:
            return done
        _read_day(collection, _day(collection, at), at)
    return DAYS_A_TICK


def _next() -> Collection | None:
    newest_first = F("backfilled_to").desc(nulls_first=True)
    waiting = Collection.objects.awaiting_history().select_related("service")
    return waiting.order_by(newest_first, "pk").first()


def _day(collection: Collection, at: datetime) -> date:
    if collection.backfilled_to is None:
        return at.date()
    return collection.backfilled_to - timedelta(days=1)


def _read_day(collection: Collection, day: date, at: datetime) -> None:
    start = midnight(day)
    end = min(start + timedelta(days=1), at.replace(second=0, microsecond=0))
    if start < end:
        [reading] = read_minutes([collection.service], start=start, end=end)
        timeseries.write([reading.block], at=at)
    # If history was reopened meanwhile, this day is read again with the others.
    unchanged = Collection.objects.filter(
        pk=collection.pk,
        backfilled_to=collection.backfilled_to,
        backfill_floor=collection.backfill_floor,
    )
    unchanged.update(backfilled_to=day)
