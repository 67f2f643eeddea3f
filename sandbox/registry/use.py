"""Which images tasks run, and when one was pulled last."""

from __future__ import annotations

from datetime import datetime

from sandbox import clock
from sandbox.ecs.account import Account
from sandbox.registry.scans import StoredImage
from sandbox.registry.views import Use


def running(account: Account) -> Use:
    """By digest: how many tasks run the image, and that they do so now."""
    found: Use = {}
    for task in account.tasks.values():
        if task.digest and task.last_status == "RUNNING":
            count = found.get(task.digest, (0, None))[0] + 1
            found[task.digest] = (count, clock.now())
    return found


def pulled(account: Account, image: StoredImage) -> datetime | None:
    """When a task or a release pulled the image last, None when nobody did."""
    moments = [
        task.pull_stopped_at
        for task in account.tasks.values()
        if task.digest == image.digest and task.pull_stopped_at
    ]
    for revision in account.revisions.values():
        references = [str(one["image"]) for one in revision.images]
        if any(_names(reference, image) for reference in references):
            moments.append(revision.created_at)
    return max(moments, default=None)


def _names(reference: str, image: StoredImage) -> bool:
    name, _, digest = reference.partition("@")
    if digest:
        return digest == image.digest
    repository, _, tag = name.partition("/")[2].rpartition(":")
    return repository == image.repository and tag in image.tags
