"""Pages as RDS and ElastiCache give them: Marker and MaxRecords."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError

Answer = dict[str, Any]
InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_MOST = 100


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
