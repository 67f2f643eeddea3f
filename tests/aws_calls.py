"""Which AWS operations the portal calls, read from the source of aws/."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import botocore.session
from botocore import xform_name

ROOT = Path(__file__).resolve().parents[1]
MODELS = botocore.session.get_session()


def used() -> set[tuple[str, str]]:
    """(service, operation) of every call found in aws/: called methods and quoted names."""
    found = set()
    for path in (ROOT / "aws").rglob("*.py"):
        tree = ast.parse(path.read_text())
        words = set(_words(tree))
        for service in _services(path, tree):
            operations = MODELS.get_service_model(service).operation_names
            found |= {(service, name) for name in operations if xform_name(name) in words}
    return found


def _services(path: Path, tree: ast.Module) -> Iterator[str]:
    """The services a module makes clients of, or whose package it belongs to."""
    if path.parent.name != "aws":
        yield path.parent.name
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr.startswith("make")
            and node.args
            and isinstance(node.args[0], ast.Constant)
        ):
            yield node.args[0].value


def _words(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node.func.attr
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
