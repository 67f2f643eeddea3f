"""`python -m sandbox.overview.moto`: the operations moto implements, as JSON.

Read from moto's source without importing it: a service's response class names the service and has
a method per operation. A process of its own, because botocore's models of some 170 services take
seconds and memory to read, once.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_SERVICE = re.compile(r"service_name=\"([\w.-]+)\"")


def implemented() -> dict[str, list[str]]:
    """Operations in the model's spelling by botocore's service name."""
    import botocore.session
    from botocore import xform_name

    session = botocore.session.get_session()
    known = set(session.get_available_services())
    found: dict[str, list[str]] = {}
    for service, methods in _methods():
        if service in known:
            names = session.get_service_model(service).operation_names
            listed = {name for name in names if xform_name(name) in methods}
            found[service] = sorted(listed.union(found.get(service, ())))
    return {service: names for service, names in sorted(found.items()) if names}


def _methods() -> Iterator[tuple[str, set[str]]]:
    """Each response class's service and the methods beside it."""
    spec = importlib.util.find_spec("moto")
    for folder in (spec and spec.submodule_search_locations) or ():
        for path in sorted(Path(folder).glob("*/responses*")):
            files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
            texts = [file.read_text() for file in files]
            methods = {name for text in texts for name in _written(text)}
            for service in {name for text in texts for name in _SERVICE.findall(text)}:
                yield service, methods


def _written(text: str) -> Iterator[str]:
    """Methods that do something: some only raise NotImplementedError."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and "NotImplementedError" not in ast.dump(
            node.body[-1]
        ):
            yield node.name


if __name__ == "__main__":
    json.dump(implemented(), sys.stdout)
