"""What changes between two task definitions, in the words of ECS. Pure.

Containers are matched by name, and so are their environment variables and secrets; the order of
lists does not matter.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_SECRET = re.compile(r"pass(word|wd)?|secret|token|api_?key|credential|private", re.IGNORECASE)
_NAMED = {"environment": "value", "secrets": "valueFrom"}
HIDDEN = "(hidden)"


@dataclass(frozen=True, slots=True)
class Difference:
    """One value that changes; "" is absent."""

    path: str
    before: str
    after: str

    def as_dict(self) -> dict[str, str]:
        return {"path": self.path, "before": self.before, "after": self.after}


def between(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[Difference]:
    """Return the differences, ordered by path. Values that look secret are hidden."""
    old, new = _flat(before), _flat(after)
    return [
        _difference(path, old.get(path, ""), new.get(path, ""))
        for path in sorted(old.keys() | new.keys())
        if old.get(path, "") != new.get(path, "")
    ]


def _difference(path: str, before: str, after: str) -> Difference:
    if " environment " in path and _SECRET.search(path.rpartition(" ")[2]):
        return Difference(path, before and HIDDEN, after and HIDDEN)
    return Difference(path, before, after)


def _flat(content: Mapping[str, Any]) -> dict[str, str]:
    flat = {key: _text(value) for key, value in content.items() if key != "containerDefinitions"}
    for container in content.get("containerDefinitions", []):
        flat |= _flat_container(container)
    return flat


def _flat_container(container: Mapping[str, Any]) -> dict[str, str]:
    name = container.get("name", "")
    flat: dict[str, str] = {}
    for key, value in container.items():
        if key in _NAMED:
            flat |= {f"{name} {key} {each['name']}": each.get(_NAMED[key], "") for each in value}
        elif key != "name":
            flat[f"{name} {key}"] = _text(value)
    return flat


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)
