"""The functions of Insights on single values (user guide, "Boolean, comparison, numeric, datetime,
and other functions").
"""

from __future__ import annotations

import ipaddress
import json
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from sandbox.logs.insights.values import Timestamp, number, sort_key, text, truth


@dataclass(frozen=True)
class Function:
    """A function of `least` to `most` values (None: any number); it gets None for a missing one."""

    least: int
    most: int | None
    call: Callable[..., Any]


def _numeric(function: Callable[[float], float]) -> Function:
    """Of one number; what is no number, or has no result, is missing."""

    def call(value: Any) -> float | None:
        found = number(value)
        try:
            return None if found is None else function(found)
        except (ValueError, OverflowError):
            return None

    return Function(1, 1, call)


def _textual(function: Callable[..., Any], least: int = 1, most: int = 1) -> Function:
    """Of texts; missing when the first is missing."""

    def call(value: Any, *others: Any) -> Any:
        return None if value is None else function(text(value), *(text(other) for other in others))

    return Function(least, most, call)


def _largest(*values: Any) -> Any:
    found = [each for each in (number(value) for value in values) if each is not None]
    return max(found, key=sort_key) if len(found) == len(values) else None


def _smallest(*values: Any) -> Any:
    found = [each for each in (number(value) for value in values) if each is not None]
    return min(found, key=sort_key) if len(found) == len(values) else None


def _strip(side: str) -> Callable[..., str]:
    """Removes white space, or the characters of a second text, from one side or both."""

    def strip(value: str, characters: str | None = None) -> str:
        if side != "right":
            value = value.lstrip(characters)
        return value if side == "left" else value.rstrip(characters)

    return strip


def _substring(value: Any, start: Any, length: Any = math.inf) -> str | None:
    begin, count = number(start), number(length)
    if value is None or begin is None or count is None or begin < 0 or count < 0:
        return None
    end = None if math.isinf(count) else int(begin) + int(count)
    return text(value)[int(begin) : end]


def _timestamp(value: Any) -> Timestamp | None:
    found = number(value)
    return None if found is None or not math.isfinite(found) else Timestamp(found)


def _milliseconds(value: Any) -> int | None:
    found = number(value)
    return None if found is None or not math.isfinite(found) else int(found)


def _address(versions: Iterable[int]) -> Function:
    return _textual(lambda value: _version(value) in versions)


def _version(value: str) -> int:
    try:
        return ipaddress.ip_address(value).version
    except ValueError:
        return 0


def _in_subnet(versions: Iterable[int]) -> Function:
    def call(value: str, subnet: str) -> bool | None:
        try:
            network = ipaddress.ip_network(subnet, strict=False)
        except ValueError:
            return None
        if _version(value) != network.version or network.version not in versions:
            return False
        return ipaddress.ip_address(value) in network

    return _textual(call, 2, 2)


def _parsed(value: str) -> Any:
    try:
        return json.loads(value)
    except ValueError:
        return None


def _written(value: Any) -> str | None:
    return None if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _first(*values: Any) -> Any:
    return next((value for value in values if value is not None), None)


def _if(condition: Any, one: Any, other: Any) -> Any:
    return one if truth(condition) else other


FUNCTIONS: dict[str, Function] = {
    "abs": _numeric(abs),
    "ceil": _numeric(math.ceil),
    "floor": _numeric(math.floor),
    "log": _numeric(math.log),
    "sqrt": _numeric(math.sqrt),
    "greatest": Function(1, None, _largest),
    "least": Function(1, None, _smallest),
    "tonumber": Function(1, 1, number),
    "ispresent": Function(1, 1, lambda value: value is not None),
    "coalesce": Function(1, None, _first),
    "if": Function(3, 3, _if),
    "isempty": Function(1, 1, lambda value: text(value) == ""),
    "isblank": Function(1, 1, lambda value: text(value).strip() == ""),
    "concat": Function(1, None, lambda *values: "".join(text(value) for value in values)),
    "ltrim": _textual(_strip("left"), 1, 2),
    "rtrim": _textual(_strip("right"), 1, 2),
    "trim": _textual(_strip("both"), 1, 2),
    "strlen": _textual(len),
    "toupper": _textual(str.upper),
    "tolower": _textual(str.lower),
    "substr": Function(2, 3, _substring),
    "replace": _textual(lambda value, old, new: value.replace(old, new) if old else value, 3, 3),
    "strcontains": _textual(lambda value, part: int(part in value), 2, 2),
    "startswith": _textual(str.startswith, 2, 2),
    "endswith": _textual(str.endswith, 2, 2),
    "frommillis": Function(1, 1, _timestamp),
    "tomillis": Function(1, 1, _milliseconds),
    "jsonparse": _textual(_parsed),
    "jsonstringify": Function(1, 1, _written),
    "isvalidip": _address((4, 6)),
    "isvalidipv4": _address((4,)),
    "isvalidipv6": _address((6,)),
    "isipinsubnet": _in_subnet((4, 6)),
    "isipv4insubnet": _in_subnet((4,)),
    "isipv6insubnet": _in_subnet((6,)),
}
