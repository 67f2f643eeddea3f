"""What may be forgotten."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db import connection

# CloudWatch keeps hours for 455 days; the store keeps the minutes of as many.
DAYS_KEPT = timedelta(days=455)
# Whole UTC days of hours beside the open one.
HOURS_KEPT = timedelta(days=2)

_OLD_HOURS = """
    delete from metric_hour h
    using metric_day d
    where h.hour < %s and d.resource_id = h.resource_id and d.layout_id = h.layout_id
      and d.day = (h.hour at time zone 'UTC')::date and d.changed_at >= h.changed_at
"""
_OLD_DAYS = "delete from metric_day where day < %s"
_ORPHANS = """
    delete from {table} m
    where not exists (select 1 from catalog_service s where s.id = m.resource_id)
"""


def forget(*, at: datetime) -> None:
    """Drop compacted hours, days past their retention, and what belongs to no service."""
    midnight = at.replace(hour=0, minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        cursor.execute(_OLD_HOURS, [midnight - HOURS_KEPT])
        cursor.execute(_OLD_DAYS, [(at - DAYS_KEPT).date()])
        for table in ("metric_hour", "metric_day", "metric_now"):
            cursor.execute(_ORPHANS.format(table=table))
