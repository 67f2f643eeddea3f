"""Take JSON answers apart without trusting their shape."""

from __future__ import annotations

import json
from typing import Any

from news_api.sources.article import SourceFailed


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object in ``body``. Raises SourceFailed."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise SourceFailed("the source did not send JSON") from error
    if not isinstance(document, dict):
        raise SourceFailed("the source did not send a JSON object")
    return document


def records(document: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Return the objects in the list ``name``. Raises SourceFailed if there is no list."""
    listed = document.get(name)
    if not isinstance(listed, list):
        raise SourceFailed(f"the source's answer holds no {name}")
    return [entry for entry in listed if isinstance(entry, dict)]


def text(record: dict[str, Any], name: str) -> str:
    """Return the text under ``name``, or nothing."""
    value = record.get(name)
    return value if isinstance(value, str) else ""
