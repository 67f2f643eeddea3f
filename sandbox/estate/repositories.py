"""The account's image repositories in moto."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from sandbox.images import IMAGES, REPOSITORY, Image
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION
from sandbox.registry.tools import TOOLS, TOOLS_REPOSITORY

_PUBLIC = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Sid": "PullFromAnywhere",
            "Effect": "Allow",
            "Principal": "*",
            "Action": ["ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"],
        }
    ],
}
_KEEP_TEN = {
    "rules": [
        {
            "rulePriority": 1,
            "description": "Keep the ten newest",
            "selection": {"tagStatus": "any", "countType": "imageCountMoreThan", "countNumber": 10},
            "action": {"type": "expire"},
        }
    ]
}


def seed(epoch: datetime) -> None:
    """Create both repositories and push their images. `epoch`: the first start of the account."""
    ecr = backend("ecr", ACCOUNT, REGION)
    news = ecr.create_repository(REPOSITORY, None, None, {"scanOnPush": True}, "IMMUTABLE", [])
    tools = ecr.create_repository(
        TOOLS_REPOSITORY, None, None, {"scanOnPush": False}, "MUTABLE", []
    )
    news.created_at = tools.created_at = epoch - timedelta(days=400)
    ecr.set_repository_policy(None, TOOLS_REPOSITORY, json.dumps(_PUBLIC))
    ecr.put_lifecycle_policy(None, TOOLS_REPOSITORY, json.dumps(_KEEP_TEN))
    for image in IMAGES:
        _push(ecr, REPOSITORY, image, epoch)
    for image in TOOLS:
        _push(ecr, TOOLS_REPOSITORY, image, epoch)


def _push(ecr: Any, repository: str, image: Image, epoch: datetime) -> None:
    stored = ecr.put_image(repository, _manifest(image), image.tag, digest=image.digest)
    pushed = epoch - timedelta(days=image.pushed_days_ago)
    stored.image_pushed_at = int(pushed.timestamp())


def _manifest(image: Image) -> str:
    config = {"mediaType": "application/vnd.docker.container.image.v1+json", "size": 7023}
    layer = {
        "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
        "size": image.size_bytes,
        "digest": image.digest,
    }
    return json.dumps(
        {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": config | {"digest": image.digest},
            "layers": [layer],
        }
    )
