"""metric_now: the last hour of the golden signals, one row per service."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.db import connection

from monitoring.blocks import Floats, pack, unpack

MINUTES = 60

_UPSERT = """
    insert into metric_now (resource_id, start, golden)
    select * from unnest(%s::bigint[], %s::timestamptz[], %s::bytea[])
    on conflict (resource_id)
    do update set start = excluded.start, golden = excluded.golden, changed_at = clock_timestamp()
    where (metric_now.start, metric_now.golden) is distinct from (excluded.start, excluded.golden)
"""
_SELECT = "select resource_id, start, golden, changed_at from metric_now"
_ONE = f"{_SELECT} where resource_id = %s"


@dataclass(frozen=True, slots=True)
class Now:
    """`golden` has a row for each of 60 minutes from `start` and a column per golden signal."""

    start: datetime
    golden: Floats
    changed_at: datetime


def put_now(start: datetime, golden: Mapping[int, Floats]) -> None:
    """Set the last hour of each service to [60][signals]; unchanged rows are left alone."""
    blocks = [pack(block) for block in golden.values()]
    with connection.cursor() as cursor:
        cursor.execute(_UPSERT, [list(golden), [start] * len(blocks), blocks])


def newest(resource_id: int | None = None) -> dict[int, Now]:
    """Return the last hour of one service, or of all."""
    with connection.cursor() as cursor:
        if resource_id is None:
            cursor.execute(_SELECT)
        else:
            cursor.execute(_ONE, [resource_id])
        return {
            resource: Now(start, unpack(data, len(data) // (4 * MINUTES)), changed_at)
            for resource, start, data, changed_at in cursor
        }
