"""How the parameters of faults are read: text from a command line, values from JSON or YAML.

Every reader returns the value or raises ValueError with the rest of a sentence ("must be …").
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any

from sandbox.chaos import operations

Reader = Callable[[Any], Any]

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|m|h|d|)", re.IGNORECASE)
_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_OPERATION = re.compile(r"((?P<service>[a-z0-9-]+)[.:])?(?P<name>[A-Z]\w+|\*)")
# Where IAM's name of a service is not botocore's.
_SERVICES_OF_IAM = {"elasticloadbalancing": "elbv2"}
MAX_DURATION = 7 * 86400.0


def duration(value: Any) -> float:
    """Seconds of sandbox time from `90`, `"90s"`, `"1.5m"`, `"2h"` or `"1d"`; at most 7 days."""
    found = None if isinstance(value, bool) else _DURATION.fullmatch(str(value).strip())
    seconds = float(found[1]) * _UNITS[found[2].lower()] if found else -1.0
    if not 0 < seconds <= MAX_DURATION:
        raise ValueError("must be a time like 90s, 5m or 2h, at most 7d")
    return seconds


def number(low: float, high: float) -> Reader:
    """A number from `low` to `high`."""

    def read(value: Any) -> float:
        try:
            found = float("nan") if isinstance(value, bool) else float(value)
        except (TypeError, ValueError):
            found = float("nan")
        if not low <= found <= high:
            raise ValueError(f"must be a number from {low:g} to {high:g}")
        return found

    return read


def whole(low: int, high: int) -> Reader:
    """A whole number from `low` to `high`."""

    def read(value: Any) -> int:
        try:
            found = number(low, high)(value)
        except ValueError:
            found = 0.5
        if found != int(found):
            raise ValueError(f"must be a whole number from {low} to {high}")
        return int(found)

    return read


def choice(*words: str) -> Reader:
    """One of these words."""

    def read(value: Any) -> str:
        if value not in words:
            raise ValueError(f"must be one of {', '.join(words)}")
        return str(value)

    return read


def status(*codes: int) -> Reader:
    """One of these HTTP status codes."""

    def read(value: Any) -> int:
        if str(value) not in {str(code) for code in codes}:
            raise ValueError(f"must be one of {', '.join(map(str, codes))}")
        return int(value)

    return read


def text(pattern: str, like: str) -> Reader:
    """Text of this form; `like` is an example for the sentence that refuses another."""

    def read(value: Any) -> str:
        if not isinstance(value, str) or not re.fullmatch(pattern, value):
            raise ValueError(f"must look like {like}")
        return value

    return read


def operation(value: Any) -> str:
    """`UpdateService`, `ecs.UpdateService`, `ecs.*` or `*`; IAM's `ecs:UpdateService` too.

    A name that AWS does not have is refused: such a fault could never hit, like one that works.
    """
    found = _OPERATION.fullmatch(value) if isinstance(value, str) else None
    if not found:
        raise ValueError("must look like UpdateService, ecs.UpdateService, ecs.* or *")
    service = _SERVICES_OF_IAM.get(found["service"] or "", found["service"])
    operations.check(service, found["name"])
    return f"{service}.{found['name']}" if service else found["name"]


def sentence(names: Sequence[str]) -> str:
    """`a, b and c`."""
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else "".join(names)
