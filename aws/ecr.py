"""What the portal reads of Amazon ECR: the images of a repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from aws import clients
from aws.errors import Refused, required, rows, translated
from aws.paging import pages

OPERATION = "ecr:DescribeImages"


@dataclass(frozen=True, slots=True)
class Image:
    """One image. `size` is compressed bytes; `findings` counts vulnerabilities by severity."""

    repository: str
    digest: str
    tags: tuple[str, ...]
    pushed_at: datetime
    size: int
    scan_status: str = ""
    findings: dict[str, int] = field(default_factory=dict)


@cache
def client() -> Any:
    return clients.make("ecr")


def images(repository: str) -> list[Image]:
    """Return all images of the repository, newest first.

    :raises AwsError: see `aws.errors`.
    """
    found: list[Image] = []
    listed = pages(client().get_paginator("describe_images"), OPERATION, repositoryName=repository)
    for page in listed:
        found += [_image(row, repository) for row in rows(page, "imageDetails", OPERATION)]
    return sorted(found, key=lambda image: image.pushed_at, reverse=True)


def image(repository: str, digest: str) -> Image:
    """Return one image.

    :raises aws.errors.Refused: if the repository does not hold it (`ImageNotFoundException`).
    """
    with translated(OPERATION):
        answer = client().describe_images(
            repositoryName=repository, imageIds=[{"imageDigest": digest}]
        )
    found = rows(answer, "imageDetails", OPERATION)
    if not found:
        raise Refused(
            f"{OPERATION}: {repository} does not hold {digest}.",
            code="ImageNotFoundException",
            operation=OPERATION,
        )
    return _image(found[0], repository)


def _image(row: dict[str, Any], repository: str) -> Image:
    return Image(
        repository=row.get("repositoryName", repository),
        digest=required(row, "imageDigest", OPERATION),
        tags=tuple(row.get("imageTags", ())),
        pushed_at=required(row, "imagePushedAt", OPERATION),
        size=row.get("imageSizeInBytes", 0),
        scan_status=row.get("imageScanStatus", {}).get("status", ""),
        findings=dict(row.get("imageScanFindingsSummary", {}).get("findingSeverityCounts", {})),
    )
