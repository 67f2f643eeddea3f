"""Whether a JSON body has the types of a service's model, refused in the words of AWS's parsers.

AWS ignores members that it does not know and takes null for absent, and so does this.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

_BEGIN: dict[type, str] = {dict: "Start of structure or map", list: "Start of list"}
_KINDS: dict[str, type] = {"structure": dict, "map": dict, "list": list}
_SCALARS = {
    "string": "a String",
    "blob": "a String",
    "boolean": "a Boolean",
    "integer": "an Integer",
    "long": "a Long",
    "float": "a Float",
    "double": "a Double",
    "timestamp": "milliseconds since epoch",
}
_WIDTHS = {"integer": 31, "long": 63}
_REAL = ("float", "double")
# JSON has no numbers for these, and AWS's protocols write them as texts.
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")


def mismatch(value: Any, shape: Any) -> str | None:
    """What is wrong with the first value that is not of its type, None when all are.

    `shape` is a shape of botocore's model; `value` is what json.loads made of the body.
    """
    if value is None or getattr(shape, "is_document_type", False):
        return None
    kind: Any = _KINDS.get(shape.type_name)
    if kind is None:
        return _scalar(value, shape)
    if not isinstance(value, kind):
        begin = _BEGIN.get(type(value))
        return f"{begin} found where not expected" if begin else f"Expected {shape.type_name}"
    if shape.type_name == "structure":
        return _of_members(value, _names(shape))
    return _of_items(value if kind is list else value.values(), shape)


def _of_members(value: Mapping[str, Any], names: Mapping[str, Any]) -> str | None:
    for name, item in value.items():
        member = names.get(name)
        if member is not None and (found := mismatch(item, member)):
            return found
    return None


def _of_items(items: Iterable[Any], shape: Any) -> str | None:
    """Of a list's or a map's items; a hundred thousand numbers are looked at in one go."""
    member = shape.member if shape.type_name == "list" else shape.value
    if member.type_name in _REAL and set(map(type, items)) <= {int, float}:
        return None
    return next((found for item in items if (found := mismatch(item, member))), None)


@cache
def _names(shape: Any) -> dict[str, Any]:
    """A structure's members by their names on the wire."""
    return {m.serialization.get("name", name): m for name, m in shape.members.items()}


def _scalar(value: Any, shape: Any) -> str | None:
    if isinstance(value, dict | list):
        return f"{_BEGIN[type(value)]} found where not expected"
    if shape.type_name in _REAL and value in _NOT_FINITE:
        return None
    token = _token(value)
    if token in _accepted(shape) and _fits(value, shape.type_name):
        return None
    return f"{token} can not be converted to {_SCALARS.get(shape.type_name, shape.type_name)}"


def _token(value: Any) -> str:
    if isinstance(value, bool):
        return "TRUE_VALUE" if value else "FALSE_VALUE"
    return "STRING_VALUE" if isinstance(value, str) else "NUMBER_VALUE"


def _accepted(shape: Any) -> tuple[str, ...]:
    if shape.type_name in ("string", "blob"):
        return ("STRING_VALUE",)
    if shape.type_name == "boolean":
        return ("TRUE_VALUE", "FALSE_VALUE")
    written = shape.serialization.get("timestampFormat", "unixTimestamp")
    if shape.type_name == "timestamp" and written != "unixTimestamp":
        return ("STRING_VALUE",)
    return ("NUMBER_VALUE",)


def _fits(value: Any, type_name: str) -> bool:
    """Whether a text is Unicode and a whole number no wider than its type."""
    if isinstance(value, str):
        return value.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in value)
    width = _WIDTHS.get(type_name)
    return width is None or -(2**width) <= value < 2**width
