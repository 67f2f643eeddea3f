"""What the portal reads of Amazon ECR: the images of a repository."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any

from aws import clients
from aws.errors import Refused, required, translated
from aws.paging import pages


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
    listed = pages(
        client().get_paginator("describe_images"), "ecr:DescribeImages", repositoryName=repository
    )
    for page in listed:
        rows = required(page, "imageDetails", "ecr:DescribeImages")
        found += [_image(row, repository) for row in rows]
    return sorted(found, key=lambda image: image.pushed_at, reverse=True)


def image(repository: str, digest: str) -> Image:
    """Return one image.

    :raises aws.errors.Refused: if the repository does not hold it (`ImageNotFoundException`).
    """
    with translated("ecr:DescribeImages"):
        answer = client().describe_images(
            repositoryName=repository, imageIds=[{"imageDigest": digest}]
        )
    rows = required(answer, "imageDetails", "ecr:DescribeImages")
    if not rows:
        raise Refused(
            f"ecr:DescribeImages: {repository} does not hold {digest}.",
            code="ImageNotFoundException",
            operation="ecr:DescribeImages",
        )
    return _image(rows[0], repository)


def _image(row: dict[str, Any], repository: str) -> Image:
    return Image(
        repository=row.get("repositoryName", repository),
        digest=row["imageDigest"],
        tags=tuple(row.get("imageTags", ())),
        pushed_at=row["imagePushedAt"],
        size=row.get("imageSizeInBytes", 0),
        scan_status=row.get("imageScanStatus", {}).get("status", ""),
        findings=dict(row.get("imageScanFindingsSummary", {}).get("findingSeverityCounts", {})),
    )
