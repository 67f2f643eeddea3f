"""The point store: all hand-written SQL of monitoring."""

from monitoring.timeseries.days import compact, late_days, load_day, put_day
from monitoring.timeseries.hours import merge_hours
from monitoring.timeseries.layouts import layout_id, layout_with
from monitoring.timeseries.now import MINUTES, Now, newest, put_now
from monitoring.timeseries.reading import Window, read, stored_day, version
from monitoring.timeseries.retention import forget
from monitoring.timeseries.writing import Block, one_writer, write

__all__ = [
    "MINUTES",
    "Block",
    "Now",
    "Window",
    "compact",
    "forget",
    "late_days",
    "layout_id",
    "layout_with",
    "load_day",
    "merge_hours",
    "newest",
    "one_writer",
    "put_day",
    "put_now",
    "read",
    "stored_day",
    "version",
    "write",
]
