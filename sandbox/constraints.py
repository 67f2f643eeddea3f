"""What of a request breaks its service's model: AWS's front ends check this before anything else.

botocore's models hold what is required, lengths, ranges and enumerations. They hold no patterns,
so a pattern is checked by the operation itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from sandbox.errors import AwsError

# ECS words what it refuses by itself, and its model has no limits and an enumeration that lacks a
# lifecycle stage: only what is required is checked here.
_ONLY_REQUIRED = ("ecs",)
_CODES = {
    "budgets": "InvalidParameterException",
    "cloudwatch": "ValidationError",
    "compute-optimizer": "InvalidParameterValueException",
    "ecr": "InvalidParameterException",
    "ecs": "InvalidParameterException",
    "logs": "InvalidParameterException",
    "secretsmanager": "InvalidParameterException",
    "elasticache": "InvalidParameterValue",
    "rds": "InvalidParameterValue",
}
_REQUIRED = "Member must not be null"


@dataclass(frozen=True)
class Violation:
    """A value, where it stands (`filters.1.member.key`), and the constraint it breaks."""

    path: str
    value: str
    constraint: str


def check(service: str, protocol: str, values: Any, shape: Any) -> None:
    """Raise the error with which `service` refuses `values`, if they break `shape`."""
    found = list(violations(values, shape))
    if service in _ONLY_REQUIRED:
        found = [one for one in found if one.constraint == _REQUIRED]
    if found:
        raise _refusal(service, protocol, found)


def unsupported(service: str, protocol: str, names: Iterable[str]) -> AwsError:
    """The error for parameters that AWS knows and the sandbox's operation does not take."""
    code = _code(service, protocol)
    return AwsError(code, f"The sandbox does not support {', '.join(sorted(names))}.")


def violations(value: Any, shape: Any, path: str = "") -> Iterator[Violation]:
    """Every constraint of the model that `value` breaks, outermost first."""
    constraint = _broken(value, shape)
    if constraint:
        yield Violation(path, _shown(value, shape), constraint)
        return
    if shape.type_name == "structure":
        yield from _of_members(value, shape, f"{path}." if path else "")
    elif shape.type_name == "list":
        if _takes_any(shape.member) and None not in value:
            return
        for number, item in enumerate(value, 1):
            yield from violations(item, shape.member, f"{path}.{number}.member")
    elif shape.type_name == "map":
        for key, item in value.items():
            yield from violations(key, shape.key, path)
            yield from violations(item, shape.value, f"{path}.{key}.member")


def _of_members(value: Any, shape: Any, prefix: str) -> Iterator[Violation]:
    if shape.is_document_type:
        return
    for name, shown, member, required in _members(shape):
        item = value.get(name)
        if item is None:
            if required:
                yield Violation(f"{prefix}{shown}", "null", _REQUIRED)
        elif not _takes_any(member):
            yield from violations(item, member, f"{prefix}{shown}")


@cache
def _members(shape: Any) -> list[tuple[str, str, Any, bool]]:
    """A structure's members: name, the name in messages, shape, and whether it is required."""
    return [
        (name, f"{name[0].lower()}{name[1:]}", member, name in shape.required_members)
        for name, member in shape.members.items()
    ]


@cache
def _takes_any(shape: Any) -> bool:
    """Whether nothing can be wrong with a scalar: it is neither enumerated nor limited."""
    if shape.type_name in ("structure", "list", "map") or getattr(shape, "enum", None):
        return False
    return not shape.metadata.keys() & {"min", "max"}


def _broken(value: Any, shape: Any) -> str | None:
    if value is None:
        return _REQUIRED
    choices = getattr(shape, "enum", None)
    if choices and value not in choices:
        return f"Member must satisfy enum value set: [{', '.join(choices)}]"
    measured = _measure(value, shape.type_name)
    if measured is None:
        return None
    size, what = measured
    if size < shape.metadata.get("min", size):
        return f"Member must have {what} greater than or equal to {shape.metadata['min']}"
    if size > shape.metadata.get("max", size):
        return f"Member must have {what} less than or equal to {shape.metadata['max']}"
    return None


def _measure(value: Any, type_name: str) -> tuple[float, str] | None:
    if type_name in ("integer", "long", "float", "double"):
        return value, "value"
    return (len(value), "length") if type_name in ("string", "list", "map", "blob") else None


def _shown(value: Any, shape: Any) -> str:
    if shape.metadata.get("sensitive"):
        return "'***Sensitive Data Redacted***'"
    if isinstance(value, list):
        return f"'[{', '.join(map(str, value))}]'"
    return "null" if value is None else f"'{value}'"


def _refusal(service: str, protocol: str, found: list[Violation]) -> AwsError:
    first = found[0]
    missing = first.constraint == _REQUIRED
    code = _code(service, protocol)
    if service == "ecs":
        return AwsError(code, f"{first.path} can not be blank.")
    if missing and service in ("rds", "elasticache", "ec2"):
        name = first.path[0].upper() + first.path[1:]
        return AwsError("MissingParameter", f"The request must contain the parameter {name}")
    if service == "ecr":
        text = f"Invalid parameter at '{first.path}' failed to satisfy constraint: "
        return AwsError(code, f"{text}'{first.constraint}'")
    return AwsError(code, _listed(found))


def _code(service: str, protocol: str) -> str:
    query = protocol in ("query", "ec2")
    return _CODES.get(service, "ValidationError" if query else "ValidationException")


def _listed(found: list[Violation]) -> str:
    errors = "error" if len(found) == 1 else "errors"
    told = "; ".join(
        f"Value {one.value} at '{one.path}' failed to satisfy constraint: {one.constraint}"
        for one in found
    )
    return f"{len(found)} validation {errors} detected: {told}"
