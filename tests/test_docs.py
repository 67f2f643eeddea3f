"""What the documents say is there, is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
_READ = re.compile(r"(?:environ\.get|environ\[|listed|secret)\(?\s*\(?\"([A-Z_]+)\"")
_LINK = re.compile(r"\]\((?!https?:|#|mailto:)([^)#]+)")


def test_every_setting_is_documented():
    read = set(_READ.findall((ROOT / "portal" / "settings.py").read_text())) - {"DEBUG"}
    told = (ROOT / "docs" / "architecture.md").read_text()

    assert {name for name in read if f"`{name}" not in told} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_relative_link_leads_somewhere(document):
    missing = [
        link
        for link in _LINK.findall(document.read_text())
        if not (document.parent / link).exists()
    ]

    assert missing == []


def test_the_decisions_are_numbered_without_a_gap():
    numbers = [int(path.name[:4]) for path in sorted((ROOT / "docs" / "adr").glob("*.md"))]

    assert numbers == list(range(1, len(numbers) + 1))
