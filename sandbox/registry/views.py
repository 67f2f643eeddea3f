"""Findings as ECR and Inspector show them."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox.names import ACCOUNT, REGION, REGISTRY
from sandbox.registry import catalogue
from sandbox.registry.catalogue import OS, Finding, Vulnerability
from sandbox.registry.scans import Scan, StoredImage

Answer = dict[str, Any]
_MANAGERS = {"OS": "OS", "PYTHON": "PYTHONPKG"}
# Who runs an image: its digest → (tasks, when one was seen last).
Use = dict[str, tuple[int, datetime]]


def finding_arn(image: StoredImage, finding: Finding) -> str:
    """Inspector's ARN of a finding, the same as long as image and CVE are."""
    name = f"{image.digest}/{finding.vulnerability.id}"
    digest = hashlib.blake2b(name.encode(), digest_size=16).hexdigest()
    return f"arn:aws:inspector2:{REGION}:{ACCOUNT}:finding/{digest}"


def image_arn(image: StoredImage) -> str:
    """The image as Inspector names a resource."""
    return f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{image.repository}/{image.digest}"


def severities(findings: Sequence[Finding]) -> dict[str, int]:
    """How many findings of each severity."""
    return dict(Counter(finding.vulnerability.severity for finding in findings))


def basic(finding: Finding) -> Answer:
    """One of `findings` of a basic scan."""
    found = finding.vulnerability
    attributes = {
        "package_name": found.package,
        "package_version": finding.version,
        "CVSS3_SCORE": str(found.score),
        "CVSS3_VECTOR": found.vector,
    }
    if found.fixed:
        attributes["fixed_in_versions"] = found.fixed
    return {
        "name": found.id,
        "description": found.title,
        "uri": source_url(found),
        "severity": found.severity,
        "attributes": [{"key": key, "value": value} for key, value in attributes.items()],
    }


def source_url(found: Vulnerability) -> str:
    """Where the vulnerability is described."""
    if found.manager == OS:
        return f"https://security-tracker.debian.org/tracker/{found.id}"
    return f"https://nvd.nist.gov/vuln/detail/{found.id}"


def enhanced(image: StoredImage, scan: Scan, finding: Finding, use: Use) -> Answer:
    """One of `enhancedFindings`."""
    found = finding.vulnerability
    shown = common(image, scan, finding)
    shown["packageVulnerabilityDetails"] = package_details(finding, _MANAGERS[found.manager])
    shown["resources"] = [_resource(image, use, platform_details(image, use))]
    shown["score"] = found.score
    shown["scoreDetails"] = {
        "cvss": {
            "score": found.score,
            "scoreSource": "NVD",
            "scoringVector": found.vector,
            "version": "3.1",
            "adjustments": [],
        }
    }
    return shown


def common(image: StoredImage, scan: Scan, finding: Finding) -> Answer:
    """What ECR and Inspector tell of a finding in the same words."""
    found = finding.vulnerability
    first = image.pushed + timedelta(minutes=2)
    return {
        "awsAccountId": ACCOUNT,
        "description": found.title,
        "findingArn": finding_arn(image, finding),
        "firstObservedAt": first,
        "lastObservedAt": scan.at or first,
        "updatedAt": scan.at or first,
        "remediation": {"recommendation": {"text": "None Provided"}},
        "severity": found.severity,
        "status": "ACTIVE",
        "title": f"{found.id} - {found.package}",
        "type": "PACKAGE_VULNERABILITY",
        "fixAvailable": "YES" if found.fixed else "NO",
        "exploitAvailable": "YES" if found.exploited else "NO",
    }


def package_details(finding: Finding, manager: str) -> Answer:
    """The vulnerable package and its scores."""
    found = finding.vulnerability
    package = {
        "name": found.package,
        "version": finding.version,
        "packageManager": manager,
        "arch": "X86_64",
        "epoch": 0,
        "sourceLayerHash": f"sha256:{hashlib.sha256(found.package.encode()).hexdigest()}",
        "fixedInVersion": found.fixed or "NotAvailable",
    }
    if manager != "OS":
        package["filePath"] = (
            f"usr/local/lib/python3.12/site-packages/{found.package}-{finding.version}.dist-info"
            "/METADATA"
        )
    cvss = {"baseScore": found.score, "scoringVector": found.vector, "version": "3.1"}
    return {
        "cvss": [cvss | {"source": "NVD"}],
        "referenceUrls": [source_url(found)],
        "relatedVulnerabilities": [],
        "source": "DEBIAN_CVE" if found.manager == OS else "NVD",
        "sourceUrl": source_url(found),
        "vendorSeverity": found.severity.lower(),
        "vulnerabilityId": found.id,
        "vulnerablePackages": [package],
    }


def platform_details(image: StoredImage, use: Use) -> Answer:
    """The image a finding is in; in use only when tasks run it."""
    shown: Answer = {
        "architecture": "amd64",
        "imageHash": image.digest,
        "imageTags": list(image.tags),
        "platform": catalogue.platform(image.tag),
        "pushedAt": image.pushed,
        "registry": REGISTRY.partition(".")[0],
        "repositoryName": image.repository,
        "inUseCount": use.get(image.digest, (0, None))[0],
    }
    return shown | ({"lastInUseAt": use[image.digest][1]} if image.digest in use else {})


def _resource(image: StoredImage, use: Use, details: Answer) -> Answer:
    return {
        "details": {"awsEcrContainerImage": details},
        "id": image_arn(image),
        "tags": {},
        "type": "AWS_ECR_CONTAINER_IMAGE",
    }


def inspector(image: StoredImage, scan: Scan, finding: Finding, use: Use) -> Answer:
    """One of ListFindings' findings."""
    found = finding.vulnerability
    shown = common(image, scan, finding)
    shown["packageVulnerabilityDetails"] = package_details(finding, _MANAGERS[found.manager])
    resource = _resource(image, use, platform_details(image, use))
    shown["resources"] = [resource | {"partition": "aws", "region": REGION}]
    shown["inspectorScore"] = found.score
    shown["inspectorScoreDetails"] = {
        "adjustedCvss": {
            "scoreSource": "NVD",
            "cvssSource": "NVD",
            "version": "3.1",
            "score": found.score,
            "scoringVector": found.vector,
            "adjustments": [],
        }
    }
    shown["epss"] = {"score": found.epss}
    return shown
