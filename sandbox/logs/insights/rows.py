"""One record on its way through a query."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

from sandbox.logs.insights.values import Timestamp
from sandbox.logs.store import Event
from sandbox.names import ACCOUNT

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
    """The JSON object that a message is; empty when it is none."""
    if not message.startswith("{"):
        message = message.lstrip()
    try:
        found, end = _scan(message, 0)
    except (ValueError, RecursionError, StopIteration):
        return {}
    whole = end == len(message) or not message[end:].strip()
    return found if whole and isinstance(found, dict) else {}


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
