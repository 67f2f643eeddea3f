"""`python -m sandbox.overview.moto [SERVICE …]`: the operations moto implements, as JSON.

{"moto": {service: [operation]}, "known": {service: [operation]}}; `known` are all operations that
botocore knows of the given services.

Read from the source texts of moto and botocore without importing or parsing them whole: a service's
response class names the service and has a method per operation. A process of its own, because the
models of some 160 services are 60 MB of text.
"""

from __future__ import annotations

import gzip
import importlib.util
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path

_SERVICE = re.compile(r"service_name=\"([\w.-]+)\"")
_METHOD = re.compile(r"^    def (?!_)(\w+)\(", re.MULTILINE)
# The end of a method, perhaps with the decorators of the next.
_NOTHING = re.compile(r"raise NotImplementedError(\([^()]*\))?\s*(@[\w.]+\s*)*\Z")
# botocore writes most models with "Operation":{"name": …, "http": …}.
_OPERATION = re.compile(rb'"(\w+)":\{"name":"\w+","http":')


def implemented() -> dict[str, list[str]]:
    """Operations in the model's spelling by botocore's service name."""
    from botocore import xform_name

    found: dict[str, set[str]] = {}
    for service, methods in _methods():
        names = {name for name in operations(service) if xform_name(name) in methods}
        found.setdefault(service, set()).update(names)
    return {service: sorted(names) for service, names in sorted(found.items()) if names}


def services() -> set[str]:
    """botocore's names of the services that moto answers, some of which botocore may not have."""
    return {service for service, _ in _methods()}


def operations(service: str) -> set[str]:
    """Every operation of the newest API of a service; none where botocore has no such service."""
    models = sorted(_package("botocore").glob(f"data/{service}/*/service-2.json.gz"))
    text = gzip.decompress(models[-1].read_bytes()) if models else b'{"operations": {}}'
    written = {name.decode() for name in _OPERATION.findall(text)}
    return written or set(json.loads(text)["operations"])


def _methods() -> Iterator[tuple[str, set[str]]]:
    """Each response class's service and the methods beside it."""
    for path in sorted(_package("moto").glob("*/responses*")):
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path]
        text = "\n".join(file.read_text() for file in files)
        methods = set(_written(text))
        for service in set(_SERVICE.findall(text)):
            yield service, methods


def _written(text: str) -> Iterator[str]:
    """Methods that do something: some only raise NotImplementedError."""
    _, *pieces = _METHOD.split(text)
    for name, body in zip(pieces[::2], pieces[1::2], strict=True):
        if not _NOTHING.search(body):
            yield name


def _package(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(name)
    return Path(spec.origin).parent


if __name__ == "__main__":
    known = {service: sorted(operations(service)) for service in sys.argv[1:]}
    json.dump({"moto": implemented(), "known": known}, sys.stdout)
