"""Inspector's findings counted by what they have in common."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.errors import AwsError
from sandbox.names import ACCOUNT

Answer = dict[str, Any]


def aggregated(kind: str, findings: Sequence[Answer]) -> list[Answer]:
    """The responses of ListFindingAggregations, the worst first.

    Raises AwsError ValidationException for a kind that container images do not have.
    """
    if kind not in _KINDS:
        raise AwsError("ValidationException", f"The sandbox cannot aggregate by {kind}.")
    key, shown = _KINDS[kind]
    groups: dict[str, list[Answer]] = {}
    for finding in findings:
        groups.setdefault(key(finding), []).append(finding)
    found = [shown(group) for group in groups.values()]
    return sorted(found, key=_worst, reverse=True)


def _worst(response: Answer) -> tuple[int, int, int]:
    (inner,) = response.values()
    counts = inner["severityCounts"]
    return counts["critical"], counts["high"], counts["all"]


def _counts(group: Sequence[Answer]) -> dict[str, int]:
    severities = [finding["severity"] for finding in group]
    words = ("critical", "high", "medium")
    return {"all": len(group), **{word: severities.count(word.upper()) for word in words}}


def _available(group: Sequence[Answer]) -> dict[str, int]:
    return {
        "exploitAvailableCount": sum(f["exploitAvailable"] == "YES" for f in group),
        "fixAvailableCount": sum(f["fixAvailable"] == "YES" for f in group),
    }


def _image(finding: Answer) -> Answer:
    details: Answer = finding["resources"][0]["details"]["awsEcrContainerImage"]
    return details


def _package(finding: Answer) -> str:
    return str(finding["packageVulnerabilityDetails"]["vulnerablePackages"][0]["name"])


def _base(group: Sequence[Answer]) -> Answer:
    return {"accountId": ACCOUNT, "severityCounts": _counts(group)}


def _by_account(group: Sequence[Answer]) -> Answer:
    return {"accountAggregation": _base(group) | _available(group)}


def _by_type(group: Sequence[Answer]) -> Answer:
    return {"findingTypeAggregation": _base(group) | _available(group)}


def _by_package(group: Sequence[Answer]) -> Answer:
    return {"packageAggregation": _base(group) | {"packageName": _package(group[0])}}


def _by_title(group: Sequence[Answer]) -> Answer:
    vulnerability = group[0]["packageVulnerabilityDetails"]["vulnerabilityId"]
    named = {"title": group[0]["title"], "vulnerabilityId": vulnerability}
    return {"titleAggregation": _base(group) | named}


def _by_repository(group: Sequence[Answer]) -> Answer:
    named = {
        "repository": _image(group[0])["repositoryName"],
        "affectedImages": len({_image(finding)["imageHash"] for finding in group}),
    }
    return {"repositoryAggregation": _base(group) | named}


def _by_image(group: Sequence[Answer]) -> Answer:
    image = _image(group[0])
    named = {
        "resourceId": group[0]["resources"][0]["id"],
        "imageSha": image["imageHash"],
        "repository": image["repositoryName"],
        "architecture": image["architecture"],
        "imageTags": image["imageTags"],
        "inUseCount": image["inUseCount"],
    }
    return {"awsEcrContainerAggregation": _base(group) | named}


_KINDS: Mapping[str, tuple[Callable[[Answer], str], Callable[[Sequence[Answer]], Answer]]] = {
    "ACCOUNT": (lambda f: f["awsAccountId"], _by_account),
    "FINDING_TYPE": (lambda f: f["type"], _by_type),
    "PACKAGE": (_package, _by_package),
    "TITLE": (lambda f: f["title"], _by_title),
    "REPOSITORY": (lambda f: _image(f)["repositoryName"], _by_repository),
    "AWS_ECR_CONTAINER": (lambda f: _image(f)["imageHash"], _by_image),
}
