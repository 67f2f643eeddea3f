from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from catalog import services_file
from catalog.services_file import Malformed

ROOT = Path(__file__).resolve().parents[2]


def test_the_file_we_ship_is_well_formed():
    entries = services_file.read(ROOT / "services.yaml")

    assert ("production", "news-api") in {(entry.cluster, entry.name) for entry in entries}


def test_values_have_their_types():
    [entry] = services_file.parse(
        "services:\n"
        "  - {cluster: production, name: api, tier: 2, availability_objective: 99.95,"
        " latency_objective_ms: 300}\n"
    )

    assert entry.fields == {
        "tier": 2,
        "availability_objective": Decimal("99.95"),
        "latency_objective_ms": 300,
    }


def test_an_empty_or_missing_file_has_no_entries(tmp_path):
    assert services_file.parse("") == []
    assert services_file.read(tmp_path / "services.yaml") == []


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        ("services:\n  - {cluster: a, name: b, colour: red}\n", 2, "unknown key “colour”"),
        ("services:\n  - cluster: a\n", 2, "“name” is missing"),
        ("services:\n  - {cluster: a, name: b}\n  - {cluster: a, name: b}\n", 3, "listed twice"),
        ("services:\n  - cluster: a\n    name: b\n    tier: 9\n", 4, "from 1"),
        ("services:\n  - cluster: a\n    name: b\n    tier: [1]\n", 4, "single value"),
        ("services: nothing\n", 1, "must be a list"),
        ("- a\n", 1, "must be a mapping"),
        ("teams: []\n", 1, "unknown key “teams”"),
        ("services:\n  - cluster: 'a\n", 3, "unexpected end"),
        ("services:\n  - {cluster: a, name: b, availability_objective: 100}\n", 2, "percentage"),
        ("services:\n  - {cluster: a, name: b, latency_objective_ms: fast}\n", 2, "milliseconds"),
        ("services:\n  - {cluster: a, name: b, owner: " + "x" * 121 + "}\n", 2, "longer than 120"),
        (
            "services:\n  - !!python/object/apply:os.system {cluster: a, name: b, env: c}\n",
            2,
            "env",
        ),
    ],
)
def test_a_mistake_names_its_line_and_reason(text, line, reason):
    with pytest.raises(Malformed) as mistake:
        services_file.parse(text)

    assert f"line {line}:" in str(mistake.value)
    assert reason in str(mistake.value)


def test_a_huge_file_is_refused(tmp_path):
    path = tmp_path / "services.yaml"
    path.write_text("#" * (services_file.MAX_BYTES + 1))

    with pytest.raises(Malformed, match="larger than"):
        services_file.read(path)
