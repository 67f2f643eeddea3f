"""YAML whose every value knows its line, so that a mistake in a file can be named by line."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml


class NotYaml(ValueError):
    """The text is no YAML at all; `line` is where reading stopped."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(message)
        self.line = line


@dataclass(frozen=True)
class Located:
    """A value and its line; mappings and lists hold Located values inside."""

    value: Any
    line: int

    def plain(self) -> Any:
        """The value without lines, all the way down."""
        if isinstance(self.value, dict):
            return {key: inner.plain() for key, inner in self.value.items()}
        if isinstance(self.value, list):
            return [inner.plain() for inner in self.value]
        return self.value


def read(text: str) -> Located:
    """The document. Raises NotYaml."""
    loader = yaml.SafeLoader(text)
    try:
        node = loader.get_single_node()
        if node is None:
            raise NotYaml(1, "the file is empty")
        return _located(node, loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise NotYaml(mark.line + 1 if mark else 1, error.problem or "no YAML") from error
    finally:
        loader.dispose()


def _located(node: Any, loader: yaml.SafeLoader) -> Located:
    line = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        found: dict[str, Located] = {}
        for key, value in node.value:
            name = str(key.value)
            if name in found:
                raise NotYaml(key.start_mark.line + 1, f"{name} is there twice")
            found[name] = _located(value, loader)
        return Located(found, line)
    if isinstance(node, yaml.SequenceNode):
        return Located([_located(inner, loader) for inner in node.value], line)
    return Located(loader.construct_object(node, deep=True), line)
