"""The images that moto's ECR stores; call these in moto's thread."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sandbox.errors import AwsError
from sandbox.names import ACCOUNT, REGION
from sandbox.registry.scans import StoredImage


def repositories() -> list[str]:
    """The names of all repositories."""
    return sorted(_ecr().repositories)


def stored(repository: str) -> list[StoredImage]:
    """The images of a repository; raises AwsError RepositoryNotFoundException."""
    known = _ecr().repositories.get(repository)
    if known is None:
        message = (
            f"The repository with name '{repository}' does not exist in the registry with id "
            f"'{ACCOUNT}'"
        )
        raise AwsError("RepositoryNotFoundException", message)
    return [_image(repository, image) for image in known.images]


def everything() -> list[StoredImage]:
    """The images of every repository."""
    return [image for name in repositories() for image in stored(name)]


def find(repository: str, wanted: Mapping[str, str]) -> StoredImage:
    """One image by digest, tag or both; raises RepositoryNotFound…, ImageNotFoundException."""
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if not digest and not tag:
        message = "Invalid request parameters: both tag and digest cannot be null"
        raise AwsError("InvalidParameterException", message)
    for image in stored(repository):
        if (not digest or image.digest == digest) and (not tag or tag in image.tags):
            return image
    named = f"{{imageDigest:'{digest or 'null'}', imageTag:'{tag or 'null'}'}}"
    message = (
        f"The image with imageId {named} does not exist within the repository with name "
        f"'{repository}' in the registry with id '{ACCOUNT}'"
    )
    raise AwsError("ImageNotFoundException", message)


def _ecr() -> Any:
    from sandbox.moto_adapter import backend

    return backend("ecr", ACCOUNT, REGION)


def _image(repository: str, image: Any) -> StoredImage:
    manifest = json.loads(image.image_manifest)
    parts = [manifest.get("config", {}), *manifest.get("layers", [])]
    return StoredImage(
        repository=repository,
        digest=image.get_image_digest(),
        tags=tuple(image.image_tags),
        size=sum(int(part.get("size", 0)) for part in parts),
        pushed=datetime.fromtimestamp(image.image_pushed_at, UTC),
        media_type=image.image_manifest_media_type
        or "application/vnd.docker.distribution.manifest.v2+json",
    )
