"""Service revisions and deployments as they begin."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import Deployment, Revision, Service, TaskDefinition, now
from sandbox.images import CannotPull, resolve
from sandbox.names import ecs_arn

_ALPHABET = string.ascii_letters + string.digits


def new(account: Account, service: Service, definition: TaskDefinition) -> Revision:
    """The service's next revision, with the target group whose turn it is."""
    group, rule = _destination(account, service)
    name = str(secrets.randbelow(9 * 10**18) + 10**18)
    return Revision(
        arn=ecs_arn("service-revision", service.cluster, service.name, name),
        service_arn=service.arn,
        cluster_arn=service.cluster_arn,
        task_definition=definition.arn,
        target_group=group,
        rule=rule,
        images=[_image(container) for container in definition.body["containerDefinitions"]],
        created_at=now(),
        settings=dict(service.settings),
    )


def deployment(
    service: Service, target: Revision, left: Sequence[str], *, reconciles: bool
) -> Deployment:
    """A deployment of `target` that has not begun.

    `left` are revisions beside the active one that still run: a rolling deployment replaces their
    tasks too, the blue/green family ends them first when it `reconciles`.
    """
    rolling = service.configuration.get("strategy", "ROLLING") == "ROLLING"
    name = "".join(secrets.choice(_ALPHABET) for _ in range(21))
    return Deployment(
        arn=ecs_arn("service-deployment", service.cluster, service.name, name),
        service_arn=service.arn,
        cluster_arn=service.cluster_arn,
        sources=[*([service.active] if service.active else []), *(left if rolling else ())],
        target=target.arn,
        configuration=dict(service.configuration),
        created_at=now(),
        reconciles=reconciles,
    )


def _destination(account: Account, service: Service) -> tuple[str | None, str | None]:
    """The target group and rule of the next revision: the two groups take turns."""
    if not service.load_balancers:
        return None, None
    balancer = service.load_balancers[0]
    first = balancer["targetGroupArn"]
    advanced = balancer.get("advancedConfiguration", {})
    rule = advanced.get("productionListenerRule")
    active = account.active_revision(service)
    if service.configuration.get("strategy", "ROLLING") == "ROLLING":
        return (active.target_group if active else first), rule
    other = advanced.get("alternateTargetGroupArn", first)
    return (other if active and active.target_group == first else first), rule


def _image(container: dict[str, Any]) -> dict[str, str]:
    entry = {"containerName": container["name"], "image": container["image"]}
    try:
        return entry | {"imageDigest": resolve(container["image"]).digest}
    except CannotPull:
        return entry
