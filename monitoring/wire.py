"""The series of a board as a browser reads them: a few headers, then float32.

`X-Series-Keys` names the lines in their order; the body holds one after the other, little-endian,
`X-Series-Length` values each, every `X-Series-Step` seconds from second `X-Series-Start` on. NaN is
a gap. Values before second `X-Series-Settled` are final.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from django.http import HttpResponse

from catalog.models import Service
from monitoring import charts, timeseries
from monitoring.blocks import MINUTES_PER_DAY, pack
from monitoring.queries import board_series
from monitoring.ranges import Range
from monitoring.resources import layout_for

CACHE_CONTROL = "private, max-age=15"


def etag(service: Service, range_: Range, content: str) -> str:
    """Return a tag that changes with the window, with its content and with the service's layout."""
    changed = timeseries.version(resource_id=service.pk, start=range_.start, end=range_.end)
    layout = timeseries.layout_id(layout_for(service))
    parts = (service.pk, range_.start, range_.end, changed, layout, content)
    return f'"{hashlib.blake2b(repr(parts).encode(), digest_size=12).hexdigest()}"'


def lines(service: Service, range_: Range, *, at: datetime) -> HttpResponse:
    """Return every line that a panel of the board draws."""
    series = board_series(service, range_, at=at)
    keys = charts.keys(layout_for(service))
    response = HttpResponse(pack(series.stacked(keys)), content_type="application/octet-stream")
    response["X-Series-Keys"] = ",".join(keys)
    response["X-Series-Start"] = str(series.start)
    response["X-Series-Step"] = str(series.step)
    response["X-Series-Length"] = str(len(series))
    response["X-Series-Settled"] = str(series.settled_until)
    return response


def raw_day(service: Service, range_: Range) -> HttpResponse | None:
    """Return a closed UTC day's minutes of all raw series as they are stored, or None.

    The body is gzip as stored: the bytes of all numbers of all series, series by series, sorted
    by significance (`monitoring.blocks.unshuffled` undoes it).
    """
    is_day = range_.end - range_.start == timedelta(days=1) and not (
        range_.start.hour or range_.start.minute
    )
    if not is_day:
        return None
    layout = layout_for(service)
    number = timeseries.layout_id(layout)
    stored = timeseries.stored_day(
        resource_id=service.pk, day=range_.start.date(), layout_id=number
    )
    if stored is None:
        return None
    response = HttpResponse(stored, content_type="application/octet-stream")
    response["Content-Encoding"] = "gzip"
    response["X-Series-Layout"] = str(number)
    response["X-Series-Keys"] = str(len(layout.series))
    response["X-Series-Start"] = str(int(range_.start.timestamp()))
    response["X-Series-Step"] = "60"
    response["X-Series-Length"] = str(MINUTES_PER_DAY)
    return response
