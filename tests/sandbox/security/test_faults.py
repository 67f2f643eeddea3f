"""Every check of the security catalogue finds in a fresh account what FAULTS.md says, no more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.account import FAST, Account, wait_until
from tests.sandbox.contract import checked
from tests.sandbox.security.checks import CHECKS
from tests.sandbox.security.evidence import Evidence

NEWS = {"repositoryName": "news-api"}
TAG = {"imageId": {"imageTag": "1.4.0"}}
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


@pytest.fixture(scope="module")
def untouched(tmp_path_factory):
    """An account that nobody has touched; its clock runs fast enough for reports and scans."""
    home = tmp_path_factory.mktemp("untouched") / "home"
    account = Account(home, environment=FAST | {"SANDBOX_CLOCK_RATE": "5"}).ready()
    yield account
    account.stop()


def test_every_core_check_has_its_evidence():
    assert len(CORE) == 50
    assert documented().keys() >= CORE
    assert documented().keys() == CHECKS.keys()


def test_checks_find_what_is_wrong_on_purpose_and_nothing_else(untouched):
    evidence = Evidence(untouched)

    found = {name: CHECKS[name](evidence) for name in documented()}

    assert found == documented()
    secrets = untouched.client("secretsmanager")
    version = secrets.rotate_secret(SecretId="news-api/database")["VersionId"]
    wait_until(lambda: "AWSCURRENT" in stages(secrets, version))
    stale = CHECKS["SEC-03"](Evidence(untouched))
    assert {arn.rpartition(":")[2].rpartition("-")[0] for arn in stale} == {"news-api/database"}


def stages(secrets, version):
    """The labels of a version of the database's secret."""
    described = secrets.describe_secret(SecretId="news-api/database")
    return described["VersionIdsToStages"].get(version, ())


def test_the_registry_switches_between_basic_and_enhanced(untouched):
    ecr = untouched.client("ecr")
    before = ecr.get_registry_scanning_configuration()["scanningConfiguration"]
    rule = {"scanFrequency": "MANUAL", "repositoryFilters": before["rules"][0]["repositoryFilters"]}
    try:
        checked(ecr, "PutRegistryScanningConfiguration", scanType="BASIC", rules=[rule])
        started = checked(ecr, "StartImageScan", **NEWS, **TAG)
        step(untouched, -3600)
        scanning = checked(ecr, "DescribeImageScanFindings", **NEWS, **TAG)
        step(untouched, 3600)
    finally:
        ecr.put_registry_scanning_configuration(**before)
        wait_until(lambda: status(ecr) == "ACTIVE")

    assert started["imageScanStatus"]["status"] == "IN_PROGRESS"
    assert scanning["imageScanStatus"]["status"] == "IN_PROGRESS"
    assert "imageScanFindings" not in scanning


def step(account, seconds):
    """Move sandbox time: a scan of five seconds cannot end meanwhile."""
    account.control("POST", "faults", {"fault": "clock-step", "seconds": seconds})


def status(ecr):
    """What the scan of the running image says now."""
    return ecr.describe_image_scan_findings(**NEWS, **TAG)["imageScanStatus"]["status"]
