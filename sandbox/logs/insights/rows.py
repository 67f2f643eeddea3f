"""One record on its way through a query."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from sandbox.logs.insights.values import Timestamp
from sandbox.logs.store import Event
from sandbox.names import ACCOUNT

# Fields that Insights discovers in a JSON message; the others only `parse` finds.
MAX_FIELDS = 200
# A message nested deeper than this is text, far before Python itself gives up.
MAX_DEPTH = 200
_NOT_YET: Any = object()
# json.loads without what it does around this call: a third of the time of most queries.
_scan = json.JSONDecoder().scan_once  # type: ignore[attr-defined]


class Row:
    """A log event with the fields that the query made; behind `stats` there is no event."""

    __slots__ = ("_body", "event", "made")

    def __init__(self, event: Event | None, made: dict[str, Any]) -> None:
        self.event = event
        self.made = made
        self._body = _NOT_YET

    @property
    def body(self) -> dict[str, Any]:
        """The fields discovered in a JSON message, read when first needed."""
        if self._body is _NOT_YET:
            self._body = discovered(self.event.message) if self.event else {}
        found: dict[str, Any] = self._body
        return found


def discovered(message: str) -> dict[str, Any]:
    """The first 200 fields of the JSON object that a message is; empty when it is none."""
    if not message.startswith("{"):
        message = message.lstrip()
    try:
        found, end = _scan(message, 0)
        if not isinstance(found, dict) or message[end:].strip() or _deep(message, found):
            return {}
        # Each field but the first comes behind a comma: most messages need not be looked through.
        return found if message.count(",") < MAX_FIELDS else pruned(found, MAX_FIELDS)
    except (ValueError, RecursionError, StopIteration):
        return {}


def _deep(message: str, value: Any) -> bool:
    """Whether it is nested too deeply for what looks into it; few messages need to be looked at."""
    if message.count("{") + message.count("[") <= MAX_DEPTH:
        return False
    level = [value]
    for _ in range(MAX_DEPTH):
        inner = (each.values() if isinstance(each, dict) else each for each in level)
        level = [each for every in inner for each in every if isinstance(each, dict | list)]
    return bool(level)


def pruned(value: dict[str, Any], room: int) -> dict[str, Any]:
    """The object with its first `room` fields, in the order in which they stand there."""
    left = [room]

    def take(inner: Any) -> Any:
        if not isinstance(inner, dict | list) or not inner:
            left[0] -= 1
            return inner
        if isinstance(inner, list):
            return [take(each) for each in inner if left[0] > 0]
        return {key: take(each) for key, each in inner.items() if left[0] > 0}

    found: dict[str, Any] = take(value)
    return found


def walk(value: Any, path: tuple[str, ...]) -> Any:
    """What a path leads to in nested objects and arrays; None when it leads nowhere."""
    for step in path:
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def pointer(event: Event) -> str:
    """The @ptr of an event."""
    return base64.b64encode(json.dumps([event.group, event.number]).encode()).decode()


SYSTEM: dict[str, Callable[[Event], Any]] = {
    "@timestamp": lambda event: Timestamp(event.time),
    "@ingestionTime": lambda event: Timestamp(event.ingested),
    "@message": lambda event: event.message,
    "@logStream": lambda event: event.stream,
    "@log": lambda event: f"{ACCOUNT}:{event.group}",
}


def flat(value: Any, prefix: str = "") -> dict[str, Any]:
    """Nested objects and arrays as `a.b.0` → value; a field's leading @ is doubled."""
    if not isinstance(value, dict | list):
        return {prefix: value}
    found: dict[str, Any] = {}
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    for key, inner in pairs:
        name = f"{prefix}.{key}" if prefix else ("@" * str(key).startswith("@")) + str(key)
        found |= flat(inner, name)
    return found
