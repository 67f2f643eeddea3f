"""Every check of the security catalogue finds in a fresh account what FAULTS.md says, no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.account import FAST, Account
from tests.sandbox.security.evidence import CHECKS, Evidence

FAULTS = Path(__file__).resolve().parents[3] / "sandbox/estate/FAULTS.md"
# The checks that are shipped first: reference/security.md A3, those with a dot.
CORE = {
    *(f"ECS-{n:02}" for n in (1, 2, 3, 4, 5, 7, 8, 9, 11, 12)),
    *(f"ECR-{n:02}" for n in (1, 2, 3, 4, 5)),
    *(f"ALB-{n:02}" for n in (1, 2, 3, 5, 6)),
    *(f"RDS-{n:02}" for n in (1, 2, 3, 4, 5, 6)),
    *(f"RED-{n:02}" for n in (1, 2, 3)),
    *(f"SEC-{n:02}" for n in (1, 2, 3, 4)),
    *(f"NET-{n:02}" for n in (1, 2, 3, 4, 5, 6, 7)),
    *(f"IAM-{n:02}" for n in (1, 2, 3, 4, 5, 6, 7)),
    *(f"OBS-{n:02}" for n in (1, 2, 4)),
}


def documented():
    """What must fail by check, as FAULTS.md lists it."""
    rows = [line.split("|") for line in FAULTS.read_text().splitlines() if line.startswith("| ")]
    cells = [(row[1].strip(), row[2].strip()) for row in rows if "-" in row[1]]
    return {name: set() if found == "-" else set(found.split(", ")) for name, found in cells}


@pytest.fixture
def evidence(tmp_path):
    """What an account that nobody has touched says; its clock runs fast enough for reports."""
    account = Account(tmp_path / "home", environment=FAST | {"SANDBOX_CLOCK_RATE": "5"}).ready()
    yield Evidence(account)
    account.stop()


def test_every_core_check_has_its_evidence():
    assert len(CORE) == 50
    assert documented().keys() >= CORE
    assert documented().keys() == CHECKS.keys()


def test_checks_find_what_is_wrong_on_purpose_and_nothing_else(evidence):
    found = {name: CHECKS[name](evidence) for name in documented()}

    assert found == documented()
