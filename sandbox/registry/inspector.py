"""Amazon Inspector: findings, coverage and counts of the images it scans continuously."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from sandbox.ecs.account import Account
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT
from sandbox.registry import filters, images, use, views
from sandbox.registry.aggregations import aggregated
from sandbox.registry.pages import token_page
from sandbox.registry.scans import ACTIVE, ENHANCED, Scans, StoredImage
from sandbox.registry.views import Answer
from sandbox.state import State

InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_INVALID = "ValidationException"
_RESOURCES = ("ec2", "ecr", "lambda", "lambdaCode", "codeRepository", "ami")
_TYPES = {
    "EC2": "ec2",
    "ECR": "ecr",
    "LAMBDA": "lambda",
    "LAMBDA_CODE": "lambdaCode",
    "CODE_REPOSITORY": "codeRepository",
}
# The account administrates no other.
MEMBERS = ("AssociateMember", "DisassociateMember", "GetMember")
# Inspector's words for why an image is not scanned.
_REASONS = {
    "ACTIVE": "SUCCESSFUL",
    "PENDING": "PENDING_INITIAL_SCAN",
    "UNSUPPORTED_IMAGE": "UNSUPPORTED_OS",
    "SCAN_ELIGIBILITY_EXPIRED": "SCAN_ELIGIBILITY_EXPIRED",
}


class Inspector:
    """The operations of inspector2 on container images; reports are moto's."""

    def __init__(self, in_moto: InMoto, scans: Scans, account: Account, state: State) -> None:
        self._in_moto = in_moto
        self._scans = scans
        self._account = account
        self._state = state

    # -- what is scanned -------------------------------------------------------------------------

    def batch_get_account_status(self, accountIds: Sequence[str] = ()) -> Answer:
        """What Inspector scans in this account; other accounts fail."""
        shown = {"accountId": ACCOUNT, "state": _state(bool(self._enabled()))}
        resources = {name: _state(name in self._enabled()) for name in _RESOURCES}
        return {
            "accounts": [shown | {"resourceState": resources}]
            if ACCOUNT in (accountIds or (ACCOUNT,))
            else [],
            "failedAccounts": _strangers(accountIds),
        }

    def enable(
        self, resourceTypes: Sequence[str], accountIds: Sequence[str] = (), **_: Any
    ) -> Answer:
        """Scan more kinds of resources."""
        return self._switch({_TYPES[t] for t in resourceTypes} | self._enabled(), accountIds)

    def disable(
        self, resourceTypes: Sequence[str] = (), accountIds: Sequence[str] = (), **_: Any
    ) -> Answer:
        """Scan fewer; without kinds, nothing at all."""
        gone = {_TYPES[t] for t in resourceTypes} or set(_RESOURCES)
        return self._switch(self._enabled() - gone, accountIds)

    def _enabled(self) -> set[str]:
        known = self._state.get("inspector", "enabled")
        return set(known["resources"]) if known else {"ecr"}

    def _switch(self, enabled: set[str], accounts: Sequence[str]) -> Answer:
        if ACCOUNT in (accounts or (ACCOUNT,)):
            self._state.put("inspector", "enabled", {"resources": sorted(enabled)})
        status = {name: "ENABLED" if name in enabled else "DISABLED" for name in _RESOURCES}
        overall = "ENABLED" if enabled else "DISABLED"
        told = {"accountId": ACCOUNT, "status": overall, "resourceStatus": status}
        return {"accounts": [told], "failedAccounts": _strangers(accounts)}

    # -- findings --------------------------------------------------------------------------------

    @simplified("Filters by severity, status, type, title, CVE, repository, tag, hash, fix, score.")
    async def list_findings(
        self,
        filterCriteria: Mapping[str, Any] | None = None,
        sortCriteria: Mapping[str, str] | None = None,
        maxResults: int = 100,
        nextToken: str | None = None,
    ) -> Answer:
        """Findings of every image, by page; raises ValidationException."""
        found = [f async for f in self._findings() if filters.matches(f, filterCriteria or {})]
        filters.sort(found, sortCriteria or {})
        question = {"filter": filterCriteria, "sort": sortCriteria}
        page, more = token_page(found, maxResults, nextToken, question, _INVALID)
        return {"findings": page, **more}

    async def _findings(self) -> AsyncIterator[Answer]:
        if self._scans.configuration["scanType"] != ENHANCED or "ecr" not in self._enabled():
            return
        running = use.running(self._account)
        for image in await self._in_moto(images.everything):
            scan = self._scans.of(image)
            if scan is None or scan.status != ACTIVE:
                continue
            for finding in scan.findings:
                yield views.inspector(image, scan, finding, running)

    async def batch_get_finding_details(self, findingArns: Sequence[str]) -> Answer:
        """Weakness and exploit data of findings; the unknown ones as errors."""
        known = {f["findingArn"]: f async for f in self._findings()}
        return {
            "findingDetails": [_details(known[arn]) for arn in findingArns if arn in known],
            "errors": [
                {
                    "findingArn": arn,
                    "errorCode": "FINDING_DETAILS_NOT_FOUND",
                    "errorMessage": "The finding was not found.",
                }
                for arn in findingArns
                if arn not in known
            ],
        }

    @simplified("By account, finding type, package, title, repository and container image.")
    async def list_finding_aggregations(
        self,
        aggregationType: str,
        maxResults: int = 100,
        nextToken: str | None = None,
        **request: Any,
    ) -> Answer:
        """Counts of findings by severity; raises ValidationException."""
        if any(request.values()):
            raise AwsError(_INVALID, "The sandbox aggregates everything; it takes no request.")
        found = aggregated(aggregationType, [f async for f in self._findings()])
        page, more = token_page(found, maxResults, nextToken, {"by": aggregationType}, _INVALID)
        return {"aggregationType": aggregationType, "responses": page, **more}

    # -- coverage --------------------------------------------------------------------------------

    async def list_coverage(
        self,
        filterCriteria: Mapping[str, Any] | None = None,
        maxResults: int = 200,
        nextToken: str | None = None,
    ) -> Answer:
        """Every image that Inspector knows and whether it scans it; raises ValidationException."""
        found = [one for one in await self._coverage() if filters.covers(one, filterCriteria or {})]
        question = {"filter": filterCriteria}
        page, more = token_page(found, maxResults, nextToken, question, _INVALID)
        return {"coveredResources": page, **more}

    @our_reading("A group's key is the value; the model lists the names of the groupings instead.")
    async def list_coverage_statistics(
        self, filterCriteria: Mapping[str, Any] | None = None, groupBy: str = "", **_: Any
    ) -> Answer:
        """How many images are covered, in groups by scan status or resource type."""
        found = [one for one in await self._coverage() if filters.covers(one, filterCriteria or {})]
        answer: Answer = {"totalCounts": len(found)}
        if not groupBy:
            return answer
        if groupBy not in _GROUPS:
            raise AwsError(_INVALID, f"The sandbox cannot group coverage by {groupBy}.")
        keys = [_GROUPS[groupBy](one) for one in found]
        counts = [{"groupKey": key, "count": keys.count(key)} for key in sorted(set(keys))]
        return answer | {"countsByGroup": counts}

    async def _coverage(self) -> list[Answer]:
        if self._scans.configuration["scanType"] != ENHANCED or "ecr" not in self._enabled():
            return []
        running = use.running(self._account)
        return list(self._covered(await self._in_moto(images.everything), running))

    def _covered(self, found: Sequence[StoredImage], running: views.Use) -> Iterator[Answer]:
        for image in found:
            scan = self._scans.of(image)
            if scan is None:
                continue
            active = scan.status in ("ACTIVE", "PENDING")
            status = {"statusCode": "ACTIVE" if active else "INACTIVE"}
            shown: Answer = {
                "accountId": ACCOUNT,
                "resourceId": views.image_arn(image),
                "resourceType": "AWS_ECR_CONTAINER_IMAGE",
                "scanType": "PACKAGE",
                "scanStatus": status | {"reason": _REASONS[scan.status]},
                "resourceMetadata": {"ecrImage": _metadata(image, running)},
            }
            yield shown | ({"lastScannedAt": scan.at} if scan.at else {})


_GROUPS: Mapping[str, Callable[[Answer], str]] = {
    "SCAN_STATUS_CODE": lambda one: str(one["scanStatus"]["statusCode"]),
    "SCAN_STATUS_REASON": lambda one: str(one["scanStatus"]["reason"]),
    "ACCOUNT_ID": lambda one: str(one["accountId"]),
    "RESOURCE_TYPE": lambda one: str(one["resourceType"]),
    "ECR_REPOSITORY_NAME": lambda one: str(one["resourceId"].split("/")[1]),
}


def _metadata(image: StoredImage, running: views.Use) -> Answer:
    shown: Answer = {
        "tags": list(image.tags),
        "inUseCount": running.get(image.digest, (0, None))[0],
    }
    return shown | ({"lastInUseAt": running[image.digest][1]} if image.digest in running else {})


def _state(on: bool) -> Answer:
    # The model requires an error's code even where nothing failed.
    nothing = (
        {"errorCode": "ALREADY_ENABLED", "errorMessage": ""}
        if on
        else {"errorCode": "RESOURCE_NOT_FOUND", "errorMessage": ""}
    )
    return {"status": "ENABLED" if on else "DISABLED", **nothing}


def _strangers(accounts: Sequence[str]) -> list[Answer]:
    return [
        {"accountId": one, "errorCode": "ACCESS_DENIED", "errorMessage": "Not a member account."}
        for one in accounts
        if one != ACCOUNT
    ]


def _details(finding: Answer) -> Answer:
    from sandbox.registry.catalogue import VULNERABILITIES

    name = finding["packageVulnerabilityDetails"]["vulnerabilityId"]
    found = next(one for one in VULNERABILITIES if one.id == name)
    return {
        "findingArn": finding["findingArn"],
        "cwes": [found.cwe],
        "epssScore": found.epss,
        "riskScore": round(found.score * 10),
        "referenceUrls": [views.source_url(found)],
        "tools": [],
        "ttps": [],
        "evidences": [],
    }
