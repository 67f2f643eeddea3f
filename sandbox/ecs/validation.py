"""What ECS refuses in a deployment configuration, a service or a task definition."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
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
# What these settings of a service may be.
ONE_OF = {
    "propagateTags": ("TASK_DEFINITION", "SERVICE", "NONE"),
    "availabilityZoneRebalancing": ("ENABLED", "DISABLED"),
}
# Where a rolling deployment can pause: it has no traffic to shift.
ROLLING_STAGES = ("PRE_SCALE_UP", "POST_SCALE_UP")


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
    _percentages(whole)
    _within(whole, "bakeTimeInMinutes", 0, 1440)
    _steps(whole, "canaryConfiguration", "CANARY", "canaryPercent", 0.1, "canaryBakeTimeInMinutes")
    _steps(whole, "linearConfiguration", "LINEAR", "stepPercent", 3.0, "stepBakeTimeInMinutes")
    _early_success(whole)
    _breaker(whole)
    hooks = whole.get("lifecycleHooks", [])
    if len(hooks) > 10:
        raise refuse("A service can have at most 10 PAUSE lifecycle hooks.")
    for hook in hooks:
        _hook(hook, strategy)
    return whole


def _percentages(whole: Mapping[str, Any]) -> None:
    for name, least, most in (("maximumPercent", 100, 200), ("minimumHealthyPercent", 0, 100)):
        if whole[name] < least:
            raise refuse(f"{name} must be at least {least}")
        if whole[name] > most:
            raise refuse(f"{name} must be at most {most}")
    if whole["strategy"] == "ROLLING" and whole["maximumPercent"] == whole["minimumHealthyPercent"]:
        raise refuse(
            "Both maximumPercent and minimumHealthyPercent cannot be 100 as this will block "
            "deployments"
        )


def service(settings: Mapping[str, Any], configuration: Mapping[str, Any], balanced: bool) -> None:
    """What CreateService and UpdateService refuse of a service's settings.

    `balanced` is whether it has a load balancer. Raises InvalidParameterException.
    """
    for name, words in ONE_OF.items():
        one_of(name, settings.get(name, words[0]), words)
    grace = settings.get("healthCheckGracePeriodSeconds")
    if grace is not None and grace < 0:
        raise refuse("healthCheckGracePeriodSeconds must be at least 0")
    if grace and not balanced:
        raise refuse(
            "Health check grace period is only valid for services configured to use load balancers"
        )
    rebalanced = settings.get("availabilityZoneRebalancing") == "ENABLED"
    if rebalanced and configuration["maximumPercent"] <= 100:
        raise refuse(
            "Availability Zone Rebalancing does not support maximumPercent <= 100 % as deployment "
            "configuration."
        )


def one_of(name: str, value: str, words: Sequence[str]) -> None:
    """Raises InvalidParameterException for a value that is none of these words."""
    if value not in words:
        raise refuse(f"{name} should be one of [{','.join(words)}]")


def _early_success(whole: Mapping[str, Any]) -> None:
    early = whole.get("earlySuccessCriteria", {})
    if not early.get("enable"):
        return
    if whole["strategy"] != "ROLLING":
        raise refuse("earlySuccessCriteria can only be used with the ROLLING deployment strategy.")
    if not {"healthyPercent", "sourceServiceRevisionCleanup"} <= early.keys():
        raise refuse("healthyPercent and sourceServiceRevisionCleanup are required.")
    _within(early, "healthyPercent", 0, 100)
    if early["sourceServiceRevisionCleanup"] not in ("BLOCKING", "DEFERRED"):
        raise refuse("sourceServiceRevisionCleanup must be BLOCKING or DEFERRED.")
    if early["healthyPercent"] < whole["minimumHealthyPercent"]:
        raise refuse("healthyPercent must be at least minimumHealthyPercent.")


def _breaker(whole: Mapping[str, Any]) -> None:
    chosen = whole.get("deploymentCircuitBreaker", {}).get("thresholdConfiguration", {})
    if chosen.get("type", "COUNT") not in ("COUNT", "BOUNDED_PERCENT", "UNBOUNDED_PERCENT"):
        raise refuse("type must be COUNT, BOUNDED_PERCENT or UNBOUNDED_PERCENT.")
    most = math.inf if chosen.get("type") == "COUNT" else 100
    if not 1 <= chosen.get("value", 1) <= most:
        raise refuse(
            "The threshold value of the deployment circuit breaker must be positive, and at most "
            "100 for a percentage."
        )


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
    tenths = float(values.get(percent, 0.0)) * 10
    if abs(tenths - round(tenths)) > 1e-6:
        raise refuse(f"{percent} must be a multiple of 0.1.")
    _within(values, minutes, 0, 1440)


def _hook(hook: Mapping[str, Any], strategy: str) -> None:
    kind = hook.get("targetType", "AWS_LAMBDA")
    if kind not in ("AWS_LAMBDA", "PAUSE"):
        raise refuse("Invalid targetType. Valid values are: AWS_LAMBDA, PAUSE")
    stages = hook.get("lifecycleStages", [])
    if kind != "PAUSE":
        message = "This sandbox has no Lambda functions; only PAUSE lifecycle hooks are supported."
        raise AwsError("UnsupportedFeatureException", message)
    _stages(stages, strategy)
    if hook.get("hookTargetArn") or hook.get("roleArn"):
        raise refuse("hookTargetArn and roleArn can't be used with PAUSE lifecycle hooks.")
    timeout = hook.get("timeoutConfiguration", {})
    _within(timeout, "timeoutInMinutes", 1, 20160)
    if timeout.get("action", "ROLLBACK") not in ("ROLLBACK", "CONTINUE"):
        raise refuse("The lifecycle hook timeout action must be ROLLBACK or CONTINUE.")


def _stages(stages: Sequence[str], strategy: str) -> None:
    if not stages:
        raise refuse("lifecycleStages is required for a lifecycle hook.")
    if unknown := [stage for stage in stages if stage not in HOOK_STAGES]:
        raise refuse(f"Lifecycle hooks are not supported at {', '.join(unknown)}.")
    if any(stage in NOT_PAUSABLE for stage in stages):
        raise refuse("Invalid lifecycle stage provided for Pause Hook")
    if strategy == "ROLLING" and (not_here := [s for s in stages if s not in ROLLING_STAGES]):
        raise refuse(
            "The ROLLING deployment strategy doesn't support lifecycle hooks at "
            f"{', '.join(not_here)}."
        )
