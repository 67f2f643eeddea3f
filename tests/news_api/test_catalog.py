from __future__ import annotations

import json
from pathlib import Path

import pytest

from news_api.environment import BadConfiguration
from news_api.sources.catalog import SourceEntry, load

WIRE = {"name": "wire", "kind": "rss", "url": "https://wire.example/feed.xml", "language": "de"}
ENTRY = SourceEntry("wire", "rss", "https://wire.example/feed.xml", "de")


def test_sources_are_read_from_a_json_list() -> None:
    assert load(json.dumps([WIRE])) == [ENTRY]


@pytest.mark.parametrize("suffix", [".json", ".yaml"])
def test_sources_are_read_from_a_file(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"sources{suffix}"
    file.write_text(json.dumps([WIRE]) if suffix == ".json" else YAML)

    assert load(str(file)) == [ENTRY]


YAML = """
- name: wire
  kind: rss
  url: https://wire.example/feed.xml
  language: de
"""


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("[", "NEWS_SOURCES"),
        ('["wire"]', "is not a source"),
        (json.dumps([{**WIRE, "name": "Not a slug"}]), "is not a name"),
        (json.dumps([{**WIRE, "kind": "gopher"}]), "rss, newsapi, guardian"),
        (json.dumps([{**WIRE, "url": "file:///etc/passwd"}]), "wire: only http"),
        (json.dumps([{**WIRE, "language": "x; drop"}]), "no language"),
        (json.dumps([WIRE, WIRE]), "twice"),
        ("/nowhere/sources.yaml", "cannot read"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    with pytest.raises(BadConfiguration, match=complaint):
        load(text)


def test_a_yaml_file_cannot_run_code(tmp_path: Path) -> None:
    file = tmp_path / "sources.yaml"
    file.write_text("!!python/object/apply:os.getcwd []")

    with pytest.raises(BadConfiguration):
        load(str(file))
