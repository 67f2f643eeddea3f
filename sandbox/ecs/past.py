"""The releases of before the epoch as ECS remembers them, so that they explain the metrics."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import Deployment, Revision, TaskDefinition
from sandbox.history import PastRelease, releases
from sandbox.history.script import CANARY_SHARE, ROLLED_BACK, TASKS_UP
from sandbox.names import REGISTRY, ecs_arn, target_group_arn

# Registers a family's task definition without a container image: (family) → body.
Body = Callable[[str], Mapping[str, Any]]

_CONFIGURATIONS: Mapping[str, Mapping[str, Any]] = {
    "CANARY": {
        "strategy": "CANARY",
        "bakeTimeInMinutes": 10,
        "canaryConfiguration": {
            "canaryPercent": 100 * CANARY_SHARE,
            "canaryBakeTimeInMinutes": 10,
        },
    },
    "BLUE_GREEN": {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 5},
    "ROLLING": {"strategy": "ROLLING", "maximumPercent": 200, "minimumHealthyPercent": 100},
}


def seed(account: Account, epoch: datetime, body: Body) -> None:
    """Fill an account that has no services yet with task definitions and ended deployments."""
    serving: dict[str, str] = {}
    for release in releases(epoch):
        definition = _definition(release, body)
        revision = _revision(release, definition)
        deployment = _deployment(release, revision, serving.get(revision.service_arn))
        if release.status != ROLLED_BACK:
            serving[revision.service_arn] = revision.arn
        # Staging and production share a family; staging registers first.
        if definition.arn not in account.task_definitions:
            account.save(definition)
        account.save(revision, deployment)


def _definition(release: PastRelease, body: Body) -> TaskDefinition:
    """A task definition as it was registered just before its first release."""
    described = dict(body(release.service))
    (container,) = described["containerDefinitions"]
    image = f"{REGISTRY}/news-api:{release.image_tag}"
    described["containerDefinitions"] = [{**container, "image": image}]
    revision = release.task_definition_revision
    return TaskDefinition(
        arn=ecs_arn("task-definition", f"{release.service}:{revision}"),
        family=release.service,
        revision=revision,
        status="ACTIVE",
        registered_at=release.created_at - TASKS_UP,
        body=described,
        tags={"service": release.service},
    )


def _revision(release: PastRelease, definition: TaskDefinition) -> Revision:
    (container,) = definition.body["containerDefinitions"]
    group = release.target_group
    return Revision(
        arn=ecs_arn("service-revision", release.cluster, release.service, _number(release)),
        service_arn=ecs_arn("service", release.cluster, release.service),
        cluster_arn=ecs_arn("cluster", release.cluster),
        task_definition=definition.arn,
        target_group=target_group_arn(group) if group else None,
        rule=None,
        images=[{"containerName": container["name"], "image": container["image"]}],
        created_at=release.created_at,
        settings={"launchType": "FARGATE", "platformVersion": "1.4.0"},
        production_weight=0.0 if release.status == ROLLED_BACK else 100.0,
    )


def _deployment(release: PastRelease, target: Revision, source: str | None) -> Deployment:
    rolled_back = release.status == ROLLED_BACK
    reason = "A person stopped the deployment: 5XX answers of the canary." if rolled_back else ""
    rollback = {"reason": reason, "startedAt": release.finished_at, "serviceRevisionArn": source}
    return Deployment(
        arn=ecs_arn("service-deployment", release.cluster, release.service, _digest(release)[:20]),
        service_arn=target.service_arn,
        cluster_arn=target.cluster_arn,
        sources=[source] if source else [],
        target=target.arn,
        configuration=dict(_CONFIGURATIONS[release.strategy]),
        created_at=release.created_at,
        status=release.status,
        status_reason=reason,
        stage=None if release.strategy == "ROLLING" else "CLEAN_UP",
        started_at=release.created_at,
        finished_at=release.finished_at,
        updated_at=release.finished_at,
        rollback=rollback if rolled_back and source else None,
    )


def _digest(release: PastRelease) -> str:
    """The same for the same release of the same account, whatever machine it runs on."""
    name = f"{release.cluster}/{release.service}:{release.task_definition_revision}"
    return hashlib.blake2b(name.encode(), digest_size=16).hexdigest()


def _number(release: PastRelease) -> str:
    return str(10**18 + int(_digest(release), 16) % (9 * 10**18))
