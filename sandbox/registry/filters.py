"""Inspector's filter and sort criteria. A criterion that is not known is refused, not ignored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sandbox.errors import AwsError

Answer = dict[str, Any]
Read = Callable[[Answer], list[str]]
_SEVERITIES = ("UNTRIAGED", "INFORMATIONAL", "LOW", "MEDIUM", "HIGH", "CRITICAL")


def _image(finding: Answer) -> Answer:
    details: Answer = finding["resources"][0]["details"]["awsEcrContainerImage"]
    return details


def _package(finding: Answer) -> Answer:
    details: Answer = finding["packageVulnerabilityDetails"]
    return details


_WORDS: Mapping[str, Read] = {
    "findingArn": lambda f: [f["findingArn"]],
    "awsAccountId": lambda f: [f["awsAccountId"]],
    "findingType": lambda f: [f["type"]],
    "findingStatus": lambda f: [f["status"]],
    "severity": lambda f: [f["severity"]],
    "title": lambda f: [f["title"]],
    "fixAvailable": lambda f: [f["fixAvailable"]],
    "exploitAvailable": lambda f: [f["exploitAvailable"]],
    "vulnerabilityId": lambda f: [_package(f)["vulnerabilityId"]],
    "vulnerabilitySource": lambda f: [_package(f)["source"]],
    "resourceType": lambda f: [f["resources"][0]["type"]],
    "resourceId": lambda f: [f["resources"][0]["id"]],
    "ecrImageRepositoryName": lambda f: [_image(f)["repositoryName"]],
    "ecrImageRegistry": lambda f: [_image(f)["registry"]],
    "ecrImageArchitecture": lambda f: [_image(f)["architecture"]],
    "ecrImageHash": lambda f: [_image(f)["imageHash"]],
    "ecrImageTags": lambda f: list(_image(f)["imageTags"]),
}
_NUMBERS: Mapping[str, Callable[[Answer], float]] = {
    "inspectorScore": lambda f: float(f["inspectorScore"]),
    "epssScore": lambda f: float(f["epss"]["score"]),
    "ecrImageInUseCount": lambda f: float(_image(f)["inUseCount"]),
}
_DATES: Mapping[str, Callable[[Answer], Any]] = {
    "firstObservedAt": lambda f: f["firstObservedAt"],
    "lastObservedAt": lambda f: f["lastObservedAt"],
    "updatedAt": lambda f: f["updatedAt"],
    "ecrImagePushedAt": lambda f: _image(f)["pushedAt"],
}
_COVERAGE: Mapping[str, Read] = {
    "accountId": lambda c: [c["accountId"]],
    "resourceId": lambda c: [c["resourceId"]],
    "resourceType": lambda c: [c["resourceType"]],
    "scanType": lambda c: [c["scanType"]],
    "scanStatusCode": lambda c: [c["scanStatus"]["statusCode"]],
    "scanStatusReason": lambda c: [c["scanStatus"]["reason"]],
    "ecrRepositoryName": lambda c: [c["resourceId"].split("/")[1]],
    "ecrImageTags": lambda c: list(c["resourceMetadata"]["ecrImage"]["tags"]),
}
_SORTS: Mapping[str, Callable[[Answer], Any]] = {
    "SEVERITY": lambda f: _SEVERITIES.index(f["severity"]),
    "INSPECTOR_SCORE": lambda f: f["inspectorScore"],
    "EPSS_SCORE": lambda f: f["epss"]["score"],
    "FIRST_OBSERVED_AT": lambda f: f["firstObservedAt"],
    "LAST_OBSERVED_AT": lambda f: f["lastObservedAt"],
    "FINDING_STATUS": lambda f: f["status"],
    "FINDING_TYPE": lambda f: f["type"],
    "VULNERABILITY_ID": lambda f: _package(f)["vulnerabilityId"],
    "ECR_IMAGE_PUSHED_AT": lambda f: _image(f)["pushedAt"],
    "ECR_IMAGE_REPOSITORY_NAME": lambda f: _image(f)["repositoryName"],
}


def matches(finding: Answer, criteria: Mapping[str, Any]) -> bool:
    """Whether a finding fits every criterion; raises AwsError ValidationException."""
    return all(_one(finding, name, wanted) for name, wanted in criteria.items())


def covers(resource: Answer, criteria: Mapping[str, Any]) -> bool:
    """Whether a covered resource fits; raises AwsError ValidationException."""
    for name, wanted in criteria.items():
        if name not in _COVERAGE:
            raise _unknown(name)
        if not _word(_COVERAGE[name](resource), wanted):
            return False
    return True


def sort(findings: list[Answer], criteria: Mapping[str, str]) -> None:
    """Sort in place, the worst first unless said otherwise; raises ValidationException."""
    name = criteria.get("field", "SEVERITY")
    if name not in _SORTS:
        raise _unknown(name)
    findings.sort(key=_SORTS[name], reverse=criteria.get("sortOrder", "DESC") == "DESC")


def _one(finding: Answer, name: str, wanted: Sequence[Mapping[str, Any]]) -> bool:
    if name in _WORDS:
        return _word(_WORDS[name](finding), wanted)
    if name in _NUMBERS:
        value = _NUMBERS[name](finding)
        return any(
            one.get("lowerInclusive", value) <= value <= one.get("upperInclusive", value)
            for one in wanted
        )
    if name in _DATES:
        at = _DATES[name](finding)
        return any(
            one.get("startInclusive", at) <= at <= one.get("endInclusive", at) for one in wanted
        )
    raise _unknown(name)


def _word(words: Sequence[str], wanted: Sequence[Mapping[str, str]]) -> bool:
    """Any of the wanted values, and none of the unwanted."""
    unwanted = {one["value"] for one in wanted if one["comparison"] == "NOT_EQUALS"}
    rest = [one for one in wanted if one["comparison"] != "NOT_EQUALS"]
    if unwanted & set(words):
        return False
    return not rest or any(_fits(word, one) for word in words for one in rest)


def _fits(word: str, wanted: Mapping[str, str]) -> bool:
    if wanted["comparison"] == "PREFIX":
        return word.startswith(wanted["value"])
    return word == wanted["value"]


def _unknown(name: str) -> AwsError:
    return AwsError("ValidationException", f"The sandbox does not know the criterion {name}.")
