"""Releases at the points of their lives that tests begin at."""

from __future__ import annotations

import uuid
from typing import Any

from django.utils import timezone

from catalog import work
from deployments import operations, presets
from deployments.models import Image, Release, Repository, Status
from deployments.operations.moving import KIND, target_of
from tests import make
from tests.deployments.ecs import NEW_DIGEST, REPOSITORY


def image(**changes: Any) -> Image:
    repository, _ = Repository.objects.get_or_create(
        uri=REPOSITORY, defaults={"read_at": make.NOON}
    )
    defaults = {
        "digest": NEW_DIGEST,
        "tags": ["1.4.1"],
        "pushed_at": make.NOON,
        "size": 48_000_000,
        "scan_status": "COMPLETE",
    }
    fields = defaults | changes
    return Image.objects.get_or_create(
        repository=repository, digest=fields.pop("digest"), defaults=fields
    )[0]


def draft(service, by, *, preset=None, key: str = "k1", **changes: Any) -> Release:
    wanted = preset or presets.named("canary")
    return operations.draft(
        service=service,
        image=image(),
        preset=wanted,
        configuration=presets.configuration(wanted),
        reason="Faster search results",
        key=key,
        by=by,
        at=timezone.now(),
        **changes,
    )


def look(release: Release) -> Release:
    """Have the reconciler look once, and return what became of the release."""
    assert work.run_now(kind=KIND, target=target_of(release), owner="test")
    return Release.objects.get(pk=release.pk)


def started(release: Release, by) -> Release:
    """Run the preflight, start, and have the reconciler pin the deployment."""
    release = look(release)
    assert release.status == Status.READY_TO_START, release.problem
    operations.start(release=release, by=by, at=timezone.now())
    return look(release)


def paused(release: Release, by, ecs, *, weight: float = 10.0, hook: str = "ecs-pause-1"):
    """Bring a canary to the pause before its promotion."""
    release = started(release, by)
    ecs.pause(ecs.newest, hook, weight=weight)
    return look(release)


def filled_in(service, **changes: Any) -> dict[str, Any]:
    """What the form of a release sends."""
    image()
    return {
        "key": str(uuid.uuid4()),
        "service": service.slug,
        "image": NEW_DIGEST,
        "preset": "canary",
        "reason": "Faster search results",
    } | changes
