"""What ECS refuses in a deployment configuration, a service or a task definition."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError

STRATEGIES = ("ROLLING", "BLUE_GREEN", "LINEAR", "CANARY")
HOOK_STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
)
NOT_PAUSABLE = ("TEST_TRAFFIC_SHIFT", "PRODUCTION_TRAFFIC_SHIFT")
_FAMILY = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
_FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
}


def refuse(message: str) -> AwsError:
    """ECS's word for a value it does not take."""
    return AwsError("InvalidParameterException", message)


def deployment_configuration(given: Mapping[str, Any]) -> dict[str, Any]:
    """`given` with ECS's defaults; raises InvalidParameterException or UnsupportedFeature…"""
    whole = {"maximumPercent": 200, "minimumHealthyPercent": 100, "strategy": "ROLLING", **given}
    strategy = whole["strategy"]
    if strategy not in STRATEGIES:
        raise refuse(f"The deployment strategy {strategy} is not supported.")
    if strategy == "BLUE_GREEN" and "bakeTimeInMinutes" not in given:
        raise refuse("bakeTimeInMinutes is required for the BLUE_GREEN deployment strategy.")
    _within(whole, "bakeTimeInMinutes", 0, 1440)
    _steps(whole, "canaryConfiguration", "CANARY", "canaryPercent", 0.1, "canaryBakeTimeInMinutes")
    _steps(whole, "linearConfiguration", "LINEAR", "stepPercent", 3.0, "stepBakeTimeInMinutes")
    hooks = whole.get("lifecycleHooks", [])
    if hooks and strategy == "ROLLING":
        raise refuse("Lifecycle hooks are not supported with the ROLLING deployment strategy.")
    if len(hooks) > 10:
        raise refuse("A service can have at most 10 PAUSE lifecycle hooks.")
    for hook in hooks:
        _hook(hook)
    return whole


def _within(values: Mapping[str, Any], name: str, least: float, most: float) -> None:
    value = values.get(name)
    if value is not None and not least <= value <= most:
        raise refuse(f"{name} must be between {least} and {most}.")


def _steps(
    whole: Mapping[str, Any], name: str, strategy: str, percent: str, least: float, minutes: str
) -> None:
    values = whole.get(name)
    if values is None:
        return
    if whole["strategy"] != strategy:
        raise refuse(f"{name} can only be used with the {strategy} deployment strategy.")
    _within(values, percent, least, 100.0)
    _within(values, minutes, 0, 1440)


def _hook(hook: Mapping[str, Any]) -> None:
    kind = hook.get("targetType", "AWS_LAMBDA")
    stages = hook.get("lifecycleStages", [])
    if kind != "PAUSE":
        message = "This sandbox has no Lambda functions; only PAUSE lifecycle hooks are supported."
        raise AwsError("UnsupportedFeatureException", message)
    if not stages:
        raise refuse("lifecycleStages is required for a lifecycle hook.")
    if unknown := [stage for stage in stages if stage not in HOOK_STAGES]:
        raise refuse(f"Lifecycle hooks are not supported at {', '.join(unknown)}.")
    if forbidden := [stage for stage in stages if stage in NOT_PAUSABLE]:
        raise refuse(f"PAUSE lifecycle hooks can't be configured at {', '.join(forbidden)}.")
    if hook.get("hookTargetArn") or hook.get("roleArn"):
        raise refuse("hookTargetArn and roleArn can't be used with PAUSE lifecycle hooks.")
    timeout = hook.get("timeoutConfiguration", {})
    _within(timeout, "timeoutInMinutes", 1, 20160)
    if timeout.get("action", "ROLLBACK") not in ("ROLLBACK", "CONTINUE"):
        raise refuse("The lifecycle hook timeout action must be ROLLBACK or CONTINUE.")


def strategy_fits(configuration: Mapping[str, Any], balancers: list[dict[str, Any]]) -> None:
    """The blue/green family needs a second target group and a production listener rule."""
    if configuration.get("strategy", "ROLLING") == "ROLLING":
        return
    advanced = balancers[0].get("advancedConfiguration", {}) if balancers else {}
    if "alternateTargetGroupArn" not in advanced or "productionListenerRule" not in advanced:
        raise refuse(
            f"The {configuration['strategy']} deployment strategy requires a load balancer with "
            "advancedConfiguration: alternateTargetGroupArn and productionListenerRule."
        )


def task_definition(family: str, body: Mapping[str, Any]) -> None:
    """Raises ClientException as RegisterTaskDefinition does. The image need not exist."""
    containers = body.get("containerDefinitions", [])
    if not _FAMILY.match(family):
        raise AwsError("ClientException", "Family contains invalid characters.")
    if not containers:
        raise AwsError("ClientException", "Container list cannot be empty.")
    for container in containers:
        if not container.get("name") or not container.get("image"):
            message = "Container.name and Container.image should not be null or empty."
            raise AwsError("ClientException", message)
    if len({container["name"] for container in containers}) < len(containers):
        raise AwsError("ClientException", "Container names must be unique.")
    if "FARGATE" in body.get("requiresCompatibilities", []):
        _fargate(body)


def _fargate(body: Mapping[str, Any]) -> None:
    try:
        cpu, memory = int(body["cpu"]), int(body["memory"])
    except (KeyError, ValueError) as error:
        message = "Fargate requires task definition to have execution cpu and memory."
        raise AwsError("ClientException", message) from error
    if memory not in _FARGATE_MEMORY.get(cpu, ()):
        raise AwsError("ClientException", "No Fargate configuration exists for given values.")
