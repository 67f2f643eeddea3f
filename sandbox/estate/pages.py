"""Pages as RDS and ElastiCache give them: Marker and MaxRecords."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox import clock, tokens
from sandbox.errors import AwsError

Answer = dict[str, Any]
InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_MOST = 100
_KEPT = 14 * 24 * 60  # minutes, how long RDS and ElastiCache keep their events


def window(start: datetime | None, end: datetime | None, minutes: int) -> tuple[datetime, datetime]:
    """The window of a question about events: to `end` or now, from `start` or `minutes` before.

    Raises AwsError InvalidParameterValue for more minutes than events are kept.
    """
    if not 0 < minutes <= _KEPT:
        message = f"Invalid value {minutes} for Duration. Must be between 1 and {_KEPT}"
        raise AwsError("InvalidParameterValue", message)
    to = end or clock.now()
    try:
        return start or to - timedelta(minutes=minutes), to
    except OverflowError as error:
        raise AwsError("InvalidParameterValue", f"Invalid value {end} for EndTime.") from error


def marker_page(
    key: str, found: Sequence[Any], question: Mapping[str, Any], page: Mapping[str, Any]
) -> Answer:
    """At most MaxRecords (20 to 100) of `found` under `key`, and the Marker of what follows.

    Raises AwsError InvalidParameterValue for a size out of range and for a Marker that was given
    out for another `question`.
    """
    size = page.get("MaxRecords") or _MOST
    if not 20 <= size <= _MOST:
        message = f"Invalid value {size} for MaxRecords. Must be between 20 and {_MOST}"
        raise AwsError("InvalidParameterValue", message)
    try:
        begin = tokens.read(page["Marker"], question)[0] if page.get("Marker") else 0
    except tokens.WrongToken as error:
        raise AwsError("InvalidParameterValue", "The marker is invalid.") from error
    end = begin + size
    more = {"Marker": tokens.write([end], question)} if end < len(found) else {}
    return {key: list(found[begin:end])} | more
