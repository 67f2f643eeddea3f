"""Service revisions and deployments as they begin."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import ROLLING_BACK, Deployment, Revision, Service, TaskDefinition, now
from sandbox.ecs.rolling import REPLACED, REPLACING
from sandbox.images import CannotPull, resolve
from sandbox.names import ecs_arn

# What of a service's settings is part of its revisions: a change of it is deployed.
DEPLOYED = ("loadBalancers", "networkConfiguration", "platformVersion")
_BEFORE_SCALE_UP = (None, "RECONCILE_SERVICE", "PRE_SCALE_UP")
_ALPHABET = string.ascii_letters + string.digits


def new(account: Account, service: Service, definition: TaskDefinition) -> Revision:
    """The service's next revision, with the target group whose turn it is."""
    advanced = _advanced(service)
    name = str(secrets.randbelow(9 * 10**18) + 10**18)
    return Revision(
        arn=ecs_arn("service-revision", service.cluster, service.name, name),
        service_arn=service.arn,
        cluster_arn=service.cluster_arn,
        task_definition=definition.arn,
        target_group=_target_group(account, service),
        rule=advanced.get("productionListenerRule"),
        test_rule=advanced.get("testListenerRule"),
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


def return_to(service: Service, source: Revision) -> None:
    """Let the service be again what the revision was made of, the whole of it."""
    service.task_definition = source.task_definition
    kept = {name: value for name, value in service.settings.items() if name not in DEPLOYED}
    again = {name: source.settings[name] for name in DEPLOYED if name in source.settings}
    service.settings = kept | again


def following(account: Account, service: Service) -> list[Revision]:
    """The revisions that take up a new desired count at once.

    None that is still to scale up, and none that a deployment has begun to take away.
    """
    active, current = account.active_revision(service), account.current_deployment(service)
    if current is None or not current.in_flight or current.status in ROLLING_BACK:
        return [active] if active else []
    target = account.revisions[current.target]
    if current.strategy == "ROLLING":
        if current.position < REPLACING:
            return [active] if active else []
        # Until then the walk itself divides the desired count between old and new.
        return [target] if current.position >= REPLACED else []
    up = [] if current.stage in _BEFORE_SCALE_UP else [target]
    return up if active is None or current.stage == "CLEAN_UP" else [active, *up]


def _advanced(service: Service) -> dict[str, Any]:
    balancers = service.load_balancers
    found: dict[str, Any] = balancers[0].get("advancedConfiguration", {}) if balancers else {}
    return found


def _target_group(account: Account, service: Service) -> str | None:
    """The target group of the next revision: the two of the blue/green family take turns."""
    if not service.load_balancers:
        return None
    first: str = service.load_balancers[0]["targetGroupArn"]
    active = account.active_revision(service)
    if service.configuration.get("strategy", "ROLLING") == "ROLLING":
        return active.target_group if active else first
    other: str = _advanced(service).get("alternateTargetGroupArn", first)
    return other if active and active.target_group == first else first


def _image(container: dict[str, Any]) -> dict[str, str]:
    entry = {"containerName": container["name"], "image": container["image"]}
    try:
        return entry | {"imageDigest": resolve(container["image"]).digest}
    except CannotPull:
        return entry
