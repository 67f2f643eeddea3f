"""Minutes go into hours while they are young and into their day afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from django.db import connection, transaction

from monitoring.blocks import MINUTES_PER_DAY, Floats, empty
from monitoring.timeseries.days import DayKey, put_day
from monitoring.timeseries.hours import HourKey, merge_hours, split_into_hours
from monitoring.timeseries.retention import HOURS_KEPT

_LOCK = 7_071_002


@dataclass(frozen=True, slots=True)
class Block:
    """`values` is [minutes][n] from second `start` (a whole minute since 1970) on."""

    resource_id: int
    layout_id: int
    start: int
    values: Floats


@contextmanager
def one_writer() -> Iterator[None]:
    """Merging reads, lays over and writes back: two at a time would lose minutes."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
        yield


def write(blocks: Iterable[Block], *, at: datetime) -> None:
    """Merge blocks into the store in one transaction. Writing them again changes nothing."""
    oldest = int(at.replace(hour=0, minute=0, second=0, microsecond=0).timestamp())
    oldest -= int(HOURS_KEPT.total_seconds())
    hours: dict[HourKey, Floats] = {}
    days: dict[DayKey, Floats] = {}
    for block in blocks:
        for start, values in split_into_hours(block.start, block.values).items():
            if start >= oldest:
                hours[block.resource_id, start, block.layout_id] = values
            else:
                _lay_into_day(days, block, start, values)
    with one_writer():
        merge_hours(hours)
        for key, values in days.items():
            put_day(key, values)


def _lay_into_day(days: dict[DayKey, Floats], block: Block, start: int, values: Floats) -> None:
    key = DayKey(block.resource_id, datetime.fromtimestamp(start, UTC).date(), block.layout_id)
    day = days.setdefault(key, empty(MINUTES_PER_DAY, values.shape[1]))
    row = start % 86400 // 60
    day[row : row + 60] = values
