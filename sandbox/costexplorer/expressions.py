"""Cost Explorer's filter expressions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.costexplorer.lines import Line
from sandbox.errors import AwsError

DIMENSIONS = ("SERVICE", "USAGE_TYPE", "OPERATION", "RECORD_TYPE", "REGION", "LINKED_ACCOUNT")
Test = Callable[[Line], bool]


def refuse(message: str) -> AwsError:
    """Cost Explorer's error for a request that makes no sense."""
    return AwsError("ValidationException", message)


def parse(expression: Mapping[str, Any]) -> Test:
    """The test that an expression describes; raises AwsError if it is not a valid one."""
    if len(expression) != 1:
        raise refuse(
            "Expression must have exactly one of And, Or, Not, Dimensions, Tags; "
            f"it has {sorted(expression) or 'none'}."
        )
    ((kind, value),) = expression.items()
    match kind:
        case "And" | "Or":
            return _combined(kind, [parse(operand) for operand in value])
        case "Not":
            test = parse(value)
            return lambda line: not test(line)
        case "Dimensions":
            return _dimension(value)
        case "Tags":
            return _tag(value)
    raise refuse(f"The sandbox does not filter by {kind}.")


def _combined(kind: str, tests: list[Test]) -> Test:
    if len(tests) < 2:
        raise refuse(f"{kind} needs at least two expressions.")
    if kind == "And":
        return lambda line: all(test(line) for test in tests)
    return lambda line: any(test(line) for test in tests)


def _dimension(value: Mapping[str, Any]) -> Test:
    key = value.get("Key", "")
    if key not in DIMENSIONS:
        raise refuse(f"Dimension {key or '(none)'} is not supported; use {', '.join(DIMENSIONS)}.")
    _options(value, {"EQUALS", "CASE_SENSITIVE"})
    wanted = _values(value)
    return lambda line: line.dimension(key) in wanted


def _tag(value: Mapping[str, Any]) -> Test:
    key = value.get("Key", "")
    if not key:
        raise refuse("Tags needs a Key.")
    if "ABSENT" in _options(value, {"EQUALS", "CASE_SENSITIVE", "ABSENT"}):
        return lambda line: not line.tag(key)
    wanted = _values(value)
    return lambda line: line.tag(key) in wanted


def _values(value: Mapping[str, Any]) -> frozenset[str]:
    values = value.get("Values") or []
    if not values:
        raise refuse("Values must not be empty.")
    return frozenset(values)


def _options(value: Mapping[str, Any], allowed: set[str]) -> set[str]:
    options = set(value.get("MatchOptions") or [])
    if not options <= allowed:
        raise refuse(f"MatchOptions {sorted(options - allowed)} are not supported here.")
    return options
