"""The sources that NEWS_SOURCES names."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from news_api.canonical import BadUrl, canonical_url
from news_api.environment import BadConfiguration

KINDS = ("rss", "newsapi", "guardian")
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")


@dataclass(frozen=True)
class SourceEntry:
    """One source: a slug, its kind, where to fetch it, and the language of its articles."""

    name: str
    kind: str
    url: str
    language: str


def load(text: str) -> list[SourceEntry]:
    """Read NEWS_SOURCES: a JSON list, or the path of a JSON or YAML file that holds one.

    Raises BadConfiguration with the entry at fault.
    """
    listed = _read(text)
    if not isinstance(listed, list):
        raise BadConfiguration("NEWS_SOURCES must be a list of sources")
    entries = [_entry(item) for item in listed]
    if len({entry.name for entry in entries}) != len(entries):
        raise BadConfiguration("NEWS_SOURCES names a source twice")
    return entries


def _read(text: str) -> Any:
    if text.lstrip().startswith("["):
        return _parse(text, yaml=False)
    try:
        content = Path(text).read_text(encoding="utf-8")
    except OSError as error:
        raise BadConfiguration(f"NEWS_SOURCES: cannot read {text}: {error.strerror}") from error
    return _parse(content, yaml=not text.endswith(".json"))


def _parse(content: str, *, yaml: bool) -> Any:
    try:
        return _parse_yaml(content) if yaml else json.loads(content)
    except ValueError as error:
        raise BadConfiguration(f"NEWS_SOURCES: {error}") from error


def _parse_yaml(content: str) -> Any:
    import yaml

    try:
        return yaml.safe_load(content)
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error


def _entry(item: Any) -> SourceEntry:
    if not isinstance(item, dict):
        raise BadConfiguration(f"NEWS_SOURCES: {item!r} is not a source")
    entry = SourceEntry(
        name=str(item.get("name", "")),
        kind=str(item.get("kind", "rss")),
        url=str(item.get("url", "")),
        language=str(item.get("language", "en")),
    )
    _check(entry)
    return entry


def _check(entry: SourceEntry) -> None:
    if not _NAME.fullmatch(entry.name):
        raise BadConfiguration(f"NEWS_SOURCES: {entry.name!r} is not a name (a-z, 0-9, -)")
    if entry.kind not in KINDS:
        raise BadConfiguration(f"NEWS_SOURCES: {entry.name} must be one of {', '.join(KINDS)}")
    if not _LANGUAGE.fullmatch(entry.language) or len(entry.language) > 16:
        raise BadConfiguration(f"NEWS_SOURCES: {entry.name}: {entry.language!r} is no language")
    try:
        canonical_url(entry.url)
    except BadUrl as error:
        raise BadConfiguration(f"NEWS_SOURCES: {entry.name}: {error}") from error
