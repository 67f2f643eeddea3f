"""metric_day: closed days, written by the compactor and by the backfill."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import numpy as np
from django.db import connection

from monitoring.blocks import (
    COARSE,
    MINUTES_PER_DAY,
    Floats,
    bucketed,
    compress,
    decompress,
    empty,
    merged,
    unpack,
)
from monitoring.timeseries.layouts import layout_with

_SELECT = "select m1 from metric_day where resource_id = %s and day = %s and layout_id = %s"
_UPSERT = """
    insert into metric_day (resource_id, day, layout_id, m1, m5, m30)
    values (%s, %s, %s, %s, %s, %s)
    on conflict (resource_id, day, layout_id)
    do update set m1 = excluded.m1, m5 = excluded.m5, m30 = excluded.m30,
                  changed_at = clock_timestamp()
"""
_LATE = """
    select h.resource_id, (h.hour at time zone 'UTC')::date as day, h.layout_id
    from metric_hour h
    left join metric_day d
      on d.resource_id = h.resource_id and d.layout_id = h.layout_id
     and d.day = (h.hour at time zone 'UTC')::date
    where h.hour < %s
    group by 1, 2, 3
    having max(h.changed_at) > coalesce(max(d.changed_at), '-infinity')
    order by 2 desc, 1
    limit %s
"""
_HOURS = """
    select extract(epoch from hour)::bigint, data from metric_hour
    where resource_id = %s and layout_id = %s and hour >= %s and hour < %s
"""


class DayKey(NamedTuple):
    resource_id: int
    day: date
    layout_id: int


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def late_days(*, before: datetime, limit: int) -> list[DayKey]:
    """Days that ended before `before` and whose hours changed since they were compacted."""
    with connection.cursor() as cursor:
        cursor.execute(_LATE, [before, limit])
        return [DayKey(*row) for row in cursor]


def compact(key: DayKey) -> None:
    """Write the closed day from its hours. The caller holds `one_writer`."""
    put_day(key, _from_hours(key))


def load_day(key: DayKey) -> Floats | None:
    """Return the stored [1440][n] of a closed day, or None."""
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, [key.resource_id, key.day, key.layout_id])
        found = cursor.fetchone()
    columns = len(layout_with(key.layout_id).series)
    return decompress(found[0], columns) if found else None


def put_day(key: DayKey, block: Floats) -> None:
    """Lay [1440][n] over the stored day, at three resolutions. The caller holds `one_writer`."""
    old = load_day(key)
    whole = block if old is None else merged(old, block)
    additive = layout_with(key.layout_id).additive
    summaries = [bucketed(whole, minutes, additive).pack() for minutes in COARSE]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [*key, compress(whole), *summaries])


def _from_hours(key: DayKey) -> Floats:
    columns = len(layout_with(key.layout_id).series)
    day, start = empty(MINUTES_PER_DAY, columns), midnight(key.day)
    span = [start, start + timedelta(days=1)]
    with connection.cursor() as cursor:
        cursor.execute(_HOURS, [key.resource_id, key.layout_id, *span])
        for hour, data in cursor:
            row = (hour - int(start.timestamp())) // 60
            day[row : row + 60] = unpack(data, columns)
    return np.ascontiguousarray(day)
