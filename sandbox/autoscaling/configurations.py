"""Which configurations of scaling policies make sense for an ECS service."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from sandbox.autoscaling import steps as step_scaling
from sandbox.autoscaling.errors import check_enum, invalid
from sandbox.autoscaling.metrics import PREDEFINED, REQUEST_COUNT
from sandbox.ecs.model import Service
from sandbox.load_balancers import LoadBalancers
from sandbox.names import dimension

_LARGEST_TARGET = 2.0**360
_ADJUSTMENTS = ("ChangeInCapacity", "PercentChangeInCapacity", "ExactCapacity")
_AGGREGATIONS = ("Average", "Minimum", "Maximum")
_STATISTICS = ("Average", "Minimum", "Maximum", "SampleCount", "Sum")


def steps(given: Mapping[str, Any]) -> dict[str, Any]:
    """A step scaling configuration; raises ValidationException."""
    if "AdjustmentType" in given:
        check_enum(given["AdjustmentType"], "adjustmentType", _ADJUSTMENTS)
    if "MetricAggregationType" in given:
        check_enum(given["MetricAggregationType"], "metricAggregationType", _AGGREGATIONS)
    step_scaling.check(given)
    _check_cooldowns(given, "Cooldown")
    return dict(given)


def tracking(
    given: Mapping[str, Any], service: Service | None, balancers: LoadBalancers
) -> dict[str, Any]:
    """A target tracking configuration; raises ValidationException."""
    target = float(given["TargetValue"])
    if not math.isfinite(target) or not 0 < target <= _LARGEST_TARGET:
        raise invalid("TargetValue must be greater than 0 and at most 2^360")
    _check_cooldowns(given, "ScaleOutCooldown", "ScaleInCooldown")
    predefined = given.get("PredefinedMetricSpecification")
    customized = given.get("CustomizedMetricSpecification")
    if (predefined is None) == (customized is None):
        raise invalid(
            "Exactly one of PredefinedMetricSpecification and CustomizedMetricSpecification must "
            "be specified"
        )
    if predefined is not None:
        _check_predefined(predefined, service, balancers)
    if customized is not None:
        _check_customized(customized)
    return dict(given)


def metric(configuration: Mapping[str, Any]) -> object:
    """What a target tracking policy follows; no two policies of a target may follow the same."""
    return configuration.get("PredefinedMetricSpecification") or configuration.get(
        "CustomizedMetricSpecification"
    )


def _check_cooldowns(given: Mapping[str, Any], *names: str) -> None:
    for name in names:
        if given.get(name, 0) < 0:
            raise invalid(f"{name} must not be negative")


def _check_predefined(
    given: Mapping[str, Any], service: Service | None, balancers: LoadBalancers
) -> None:
    kind, label = given["PredefinedMetricType"], given.get("ResourceLabel")
    if kind not in PREDEFINED:
        raise invalid(
            f"PredefinedMetricType {kind} is not supported for this scalable target; supported "
            f"are {', '.join(PREDEFINED)}"
        )
    if kind != REQUEST_COUNT:
        if label is not None:
            raise invalid(
                f"Resource label should not be specified for predefined metric type {kind}"
            )
        return
    if label is None:
        raise invalid(f"Resource label should be specified for predefined metric type {kind}")
    if label not in _labels(service, balancers):
        raise invalid(f"Resource label '{label}' is not a target group attached to the ECS service")


def _labels(service: Service | None, balancers: LoadBalancers) -> set[str]:
    """`app/<name>/<id>/targetgroup/<name>/<id>` of every target group of the service."""
    groups = {
        group
        for balancer in (service.load_balancers if service else ())
        for group in (
            balancer.get("targetGroupArn"),
            balancer.get("advancedConfiguration", {}).get("alternateTargetGroupArn"),
        )
    }
    return {
        f"{rule.load_balancer}/{dimension(group)}"
        for rule in balancers.rules.values()
        for group in rule.weights
        if group in groups
    }


def _check_customized(given: Mapping[str, Any]) -> None:
    queries = given.get("Metrics")
    single = {"MetricName", "Namespace", "Statistic"} & given.keys()
    if queries is None:
        if len(single) < 3:
            raise invalid("MetricName, Namespace and Statistic are required for a custom metric")
        check_enum(given["Statistic"], "statistic", _STATISTICS)
        return
    if single or "Dimensions" in given or "Unit" in given:
        raise invalid("Metrics cannot be combined with the parameters of a single metric")
    for query in queries:
        if ("Expression" in query) == ("MetricStat" in query):
            raise invalid(f"Exactly one of Expression and MetricStat is required in {query['Id']}")
    returned = [query for query in queries if query.get("ReturnData", True)]
    if len(returned) != 1:
        raise invalid("Exactly one of Metrics must return data")
