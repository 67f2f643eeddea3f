"""Reads `services.yaml`: what ECS and tags cannot say about a service.

A mistake is reported with its line and reason, and the last good contents stay in force.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1_000_000


class Malformed(Exception):
    """The file says something that cannot be meant; the text names the line and the reason."""


@dataclass(frozen=True, slots=True)
class ServiceEntry:
    """One entry: which service, and the fields of `catalog.Service` to fill in."""

    cluster: str
    name: str
    fields: dict[str, Any]


def read(path: Path) -> list[ServiceEntry]:
    """Return the entries of the file; a missing file has none.

    :raises Malformed: if the file cannot be understood.
    """
    if not path.exists():
        return []
    if path.stat().st_size > MAX_BYTES:
        raise Malformed(f"{path.name}: larger than {MAX_BYTES} bytes")
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Malformed(f"{path.name}: cannot be read as UTF-8 text ({error})") from error
    return parse(text, name=path.name)


def parse(text: str, *, name: str = "services.yaml") -> list[ServiceEntry]:
    """Return the entries of the text.

    :raises Malformed: with line and reason.
    """
    try:
        root = yaml.compose(text, Loader=yaml.SafeLoader)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise Malformed(f"{name} line {line}: {error.problem or error.context}") from error
    except yaml.YAMLError as error:
        raise Malformed(f"{name}: {error}") from error
    if root is None:
        return []
    return _Reader(name).entries(root)


class _Reader:
    """Walks the YAML nodes, which know their lines."""

    def __init__(self, name: str) -> None:
        self.name = name

    def entries(self, root: yaml.Node) -> list[ServiceEntry]:
        top = self.mapping(root, "the file")
        for key, (key_node, _) in top.items():
            if key != "services":
                raise self.wrong(key_node, f"unknown key “{key}”; only “services” is known here")
        if "services" not in top:
            raise self.wrong(root, "“services” is missing")
        listed = top["services"][1]
        if not isinstance(listed, yaml.SequenceNode):
            raise self.wrong(listed, "“services” must be a list")
        return self.unique([(self.entry(node), node) for node in listed.value])

    def unique(self, pairs: list[tuple[ServiceEntry, yaml.Node]]) -> list[ServiceEntry]:
        seen: set[tuple[str, str]] = set()
        for entry, node in pairs:
            if (entry.cluster, entry.name) in seen:
                raise self.wrong(node, f"{entry.cluster}/{entry.name} is listed twice")
            seen.add((entry.cluster, entry.name))
        return [entry for entry, _ in pairs]

    def entry(self, node: yaml.Node) -> ServiceEntry:
        given = self.mapping(node, "a service")
        fields: dict[str, Any] = {}
        for key, (key_node, value) in given.items():
            if key not in _FIELDS:
                known = ", ".join(_FIELDS)
                raise self.wrong(key_node, f"unknown key “{key}”; known are {known}")
            fields[key] = self.value(key, value)
        for key in ("cluster", "name"):
            if not fields.get(key):
                raise self.wrong(node, f"“{key}” is missing")
        return ServiceEntry(fields.pop("cluster"), fields.pop("name"), fields)

    def value(self, key: str, node: yaml.Node) -> Any:
        if not isinstance(node, yaml.ScalarNode):
            raise self.wrong(node, f"“{key}” must be a single value")
        try:
            return _FIELDS[key](node.value)
        except ValueError as error:
            raise self.wrong(node, f"“{key}”: {error}") from error

    def mapping(self, node: yaml.Node, what: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        if not isinstance(node, yaml.MappingNode):
            raise self.wrong(node, f"{what} must be a mapping of keys to values")
        return {str(key.value): (key, value) for key, value in node.value}

    def wrong(self, node: yaml.Node, reason: str) -> Malformed:
        return Malformed(f"{self.name} line {node.start_mark.line + 1}: {reason}")


def _text(most: int) -> Callable[[str], str]:
    def check(value: str) -> str:
        if len(value) > most:
            raise ValueError(f"longer than {most} characters")
        return value

    return check


def _tier(value: str) -> int:
    if value not in {"1", "2", "3", "4", "5"}:
        raise ValueError("must be a whole number from 1 (most important) to 5")
    return int(value)


def _percent(value: str) -> Decimal:
    try:
        number = Decimal(value)
    except InvalidOperation:
        number = Decimal(-1)
    if not 0 < number < 100:
        raise ValueError("must be a percentage between 0 and 100, such as 99.9")
    return number


def _milliseconds(value: str) -> int:
    if not value.isdecimal() or not 1 <= int(value) <= 600_000:
        raise ValueError("must be a whole number of milliseconds from 1 to 600000")
    return int(value)


_FIELDS: dict[str, Callable[[str], Any]] = {
    "cluster": _text(255),
    "name": _text(255),
    "title": _text(120),
    "environment": _text(64),
    "owner": _text(120),
    "tier": _tier,
    "description": _text(2000),
    "availability_objective": _percent,
    "latency_objective_ms": _milliseconds,
    "db_instance": _text(120),
    "cache_cluster": _text(120),
    "log_group": _text(512),
}
