from __future__ import annotations

from datetime import datetime, timedelta

from monitoring import timeseries

# Yesterday's last minutes may still change.
SETTLED_AFTER = timedelta(minutes=15)
DAYS_A_RUN = 500


def compact(*, at: datetime) -> int:
    """Close the days whose hours changed, forget what is old, and return how many were closed."""
    midnight = (at - SETTLED_AFTER).replace(hour=0, minute=0, second=0, microsecond=0)
    late = timeseries.late_days(before=midnight, limit=DAYS_A_RUN)
    for key in late:
        with timeseries.one_writer():
            timeseries.compact(key)
    timeseries.forget(at=at)
    return len(late)
