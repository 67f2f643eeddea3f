"""metric_hour: the hours that are still being corrected."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import connection

from monitoring.blocks import Floats, empty, merged, pack, unpack

# Resource, first second of the hour since 1970, layout.
HourKey = tuple[int, int, int]

_SELECT = """
    select h.resource_id, extract(epoch from h.hour)::bigint, h.layout_id, h.data
    from metric_hour h
    join unnest(%s::bigint[], %s::timestamptz[], %s::smallint[]) as k (resource_id, hour, layout_id)
    using (resource_id, hour, layout_id)
"""
_UPSERT = """
    insert into metric_hour (resource_id, hour, layout_id, data)
    select * from unnest(%s::bigint[], %s::timestamptz[], %s::smallint[], %s::bytea[])
    on conflict (resource_id, hour, layout_id)
    do update set data = excluded.data, changed_at = clock_timestamp()
"""


def merge_hours(blocks: Mapping[HourKey, Floats]) -> int:
    """Lay [60][n] blocks over what is stored, and return how many hours changed.

    The caller holds `one_writer`. Merging the same block twice changes nothing the second time.
    """
    stored = _stored(blocks)
    changed = {}
    for key, block in blocks.items():
        old = stored.get(key)
        data = pack(merged(unpack(old, block.shape[1]), block) if old else block)
        if data != old:
            changed[key] = data
    if changed:
        with connection.cursor() as cursor:
            cursor.execute(_UPSERT, [*_columns(changed), list(changed.values())])
    return len(changed)


def _stored(keys: Mapping[HourKey, Floats]) -> dict[HourKey, bytes]:
    with connection.cursor() as cursor:
        cursor.execute(_SELECT, _columns(keys))
        return {(resource, hour, layout): data for resource, hour, layout, data in cursor}


def _columns(keys: Mapping[HourKey, object]) -> list[list[object]]:
    return [
        [resource for resource, _, _ in keys],
        [datetime.fromtimestamp(hour, UTC) for _, hour, _ in keys],
        [layout for _, _, layout in keys],
    ]


def split_into_hours(start: int, block: Floats) -> dict[int, Floats]:
    """Cut [minutes][n] from second `start` on into whole hours, NaN around the edges."""
    first = start // 3600 * 3600
    lead = (start - first) // 60
    rows = -(-(lead + len(block)) // 60) * 60
    whole = empty(rows, block.shape[1])
    whole[lead : lead + len(block)] = block
    return {first + 60 * row: whole[row : row + 60] for row in range(0, rows, 60)}
