"""What every group of ECS operations works with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.controller import Controller
from sandbox.ecs.model import Deployment, now
from sandbox.ecs.scheduler import Scheduler
from sandbox.ecs.views import Views
from sandbox.settings import Settings

Answer = dict[str, Any]


class Part:
    """What every group of operations works with."""

    def __init__(
        self,
        account: Account,
        scheduler: Scheduler,
        controller: Controller,
        settings: Settings,
    ) -> None:
        self.account = account
        self.scheduler = scheduler
        self.controller = controller
        self.visibility = timedelta(seconds=settings.visibility_seconds)
        self.views = Views(account, scheduler, self.visible)

    def visible(self, deployment: Deployment) -> bool:
        """A new deployment shows up a moment after UpdateService answered, as on AWS."""
        return deployment.listed and now() >= deployment.created_at + self.visibility


def tag_mapping(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """AWS's list of key and value as a plain mapping."""
    return {tag["key"]: tag.get("value", "") for tag in tags}


def missing(arn: str) -> dict[str, str]:
    """The failure entry of something that does not exist."""
    return {"arn": arn, "reason": "MISSING"}
