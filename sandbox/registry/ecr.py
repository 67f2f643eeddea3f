"""ECR's operations on scans, and its images with what scans say of them."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox.ecs.account import Account
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT, REGION
from sandbox.registry import images, use, views
from sandbox.registry.pages import token_page
from sandbox.registry.scans import BASIC, ON_PUSH, Scan, Scans, StoredImage
from sandbox.registry.views import Answer

InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]
_INVALID = "InvalidParameterException"


class Ecr:
    """Scans of images; repositories, layers and policies are moto's."""

    def __init__(self, in_moto: InMoto, scans: Scans, account: Account) -> None:
        self._in_moto = in_moto
        self._scans = scans
        self._account = account

    # -- configuration ---------------------------------------------------------------------------

    def get_registry_scanning_configuration(self) -> Answer:
        """Basic or enhanced, and for which repositories."""
        return {"registryId": ACCOUNT, "scanningConfiguration": self._scans.configuration}

    def put_registry_scanning_configuration(
        self, scanType: str = BASIC, rules: Sequence[Mapping[str, Any]] = ()
    ) -> Answer:
        """Replace the configuration; raises InvalidParameterException."""
        self._scans.configure(scanType, rules)
        return {"registryScanningConfiguration": self._scans.configuration}

    async def batch_get_repository_scanning_configuration(
        self, repositoryNames: Sequence[str]
    ) -> Answer:
        """How each of these repositories is scanned; the unknown ones as failures."""
        known = await self._in_moto(images.repositories)
        return {
            "scanningConfigurations": [self._scanned(n) for n in repositoryNames if n in known],
            "failures": [
                {
                    "repositoryName": name,
                    "failureCode": "REPOSITORY_NOT_FOUND",
                    "failureReason": "REPOSITORY_NOT_FOUND",
                }
                for name in repositoryNames
                if name not in known
            ],
        }

    def _scanned(self, repository: str) -> Answer:
        frequency, filters = self._scans.frequency(repository)
        return {
            "repositoryArn": f"arn:aws:ecr:{REGION}:{ACCOUNT}:repository/{repository}",
            "repositoryName": repository,
            "scanOnPush": frequency == ON_PUSH,
            "scanFrequency": frequency,
            "appliedScanFilters": filters,
        }

    # -- scans -----------------------------------------------------------------------------------

    async def start_image_scan(
        self, repositoryName: str, imageId: Mapping[str, str], **_: Any
    ) -> Answer:
        """A basic scan, once in 24 hours; refused while enhanced scanning is on."""
        image: StoredImage = await self._in_moto(partial(images.find, repositoryName, imageId))
        self._scans.begin(image)
        return _about(image) | {"imageScanStatus": {"status": "IN_PROGRESS"}}

    @simplified("Findings of a fixed catalogue; images pushed here have the newest packages.")
    async def describe_image_scan_findings(
        self,
        repositoryName: str,
        imageId: Mapping[str, str],
        maxResults: int = 100,
        nextToken: str | None = None,
        **_: Any,
    ) -> Answer:
        """What the scan found, basic or enhanced, by page; raises ScanNotFoundException."""
        image: StoredImage = await self._in_moto(partial(images.find, repositoryName, imageId))
        scan = self._scans.of(image)
        if scan is None:
            raise _not_scanned(image)
        question = {"image": image.digest, "type": self._scans.configuration["scanType"]}
        page, more = token_page(scan.findings, maxResults, nextToken, question, _INVALID)
        shown = _about(image) | {"imageScanStatus": _status(scan)}
        if not scan.answered:
            return shown
        findings = _summary(scan)
        if self._scans.configuration["scanType"] == BASIC:
            findings["findings"] = [views.basic(finding) for finding in page]
        else:
            running = use.running(self._account)
            findings["enhancedFindings"] = [
                views.enhanced(image, scan, finding, running) for finding in page
            ]
        return shown | {"imageScanFindings": findings, **more}

    # -- images ----------------------------------------------------------------------------------

    @simplified("Archived images do not exist.")
    @our_reading("Status and summary are told for basic and enhanced scans alike.")
    async def describe_images(
        self,
        repositoryName: str,
        imageIds: Sequence[Mapping[str, str]] = (),
        filter: Mapping[str, str] | None = None,  # noqa: A002
        maxResults: int = 100,
        nextToken: str | None = None,
        **_: Any,
    ) -> Answer:
        """Images with size, scan and last pull, by page; raises ImageNotFoundException."""
        if imageIds:
            found = [
                await self._in_moto(partial(images.find, repositoryName, wanted))
                for wanted in imageIds
            ]
        else:
            found = await self._in_moto(partial(images.stored, repositoryName))
        wanted = (filter or {}).get("tagStatus", "ANY")
        found = [i for i in found if wanted == "ANY" or bool(i.tags) == (wanted == "TAGGED")]
        question = {"of": repositoryName, "ids": list(imageIds), "tags": wanted}
        page, more = token_page(found, maxResults, nextToken, question, _INVALID)
        return {"imageDetails": [self._shown(image) for image in page], **more}

    def _shown(self, image: StoredImage) -> Answer:
        shown: Answer = {
            "registryId": ACCOUNT,
            "repositoryName": image.repository,
            "imageDigest": image.digest,
            "imageSizeInBytes": image.size,
            "imagePushedAt": image.pushed,
            "imageManifestMediaType": image.media_type,
            "artifactMediaType": "application/vnd.docker.container.image.v1+json",
            "imageStatus": "ACTIVE",
        }
        shown |= {"imageTags": list(image.tags)} if image.tags else {}
        scan = self._scans.of(image)
        if scan:
            shown["imageScanStatus"] = _status(scan)
        if scan and scan.answered:
            shown["imageScanFindingsSummary"] = _summary(scan)
        pulled = use.pulled(self._account, image)
        return shown | ({"lastRecordedPullTime": _day(pulled)} if pulled else {})


def _about(image: StoredImage) -> Answer:
    named = {"imageDigest": image.digest} | ({"imageTag": image.tag} if image.tags else {})
    return {"registryId": ACCOUNT, "repositoryName": image.repository, "imageId": named}


def _status(scan: Scan) -> Answer:
    return {"status": scan.status, "description": scan.description}


def _summary(scan: Scan) -> Answer:
    counts = {"findingSeverityCounts": views.severities(scan.findings)}
    if scan.at is None:
        return counts
    updated = scan.at - timedelta(hours=3)
    return counts | {"imageScanCompletedAt": scan.at, "vulnerabilitySourceUpdatedAt": updated}


def _not_scanned(image: StoredImage) -> AwsError:
    named = f"{{imageDigest:'{image.digest}', imageTag:'{image.tag}'}}"
    message = (
        f"Image scan does not exist for the image with '{named}' in the repository with name "
        f"'{image.repository}' in the registry with id '{ACCOUNT}'"
    )
    return AwsError("ScanNotFoundException", message)


def _day(moment: datetime) -> datetime:
    """ECR records a pull within the day, not to the second."""
    return moment.replace(minute=0, second=0, microsecond=0)
