"""The metric a target tracking policy follows, and the two alarms that watch it.

Source of the alarms: the user guide's examples and what AWS is known to create for ECS services:
3 of 3 minutes above the target, 15 of 15 below 90 % of it.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from sandbox.autoscaling.model import Policy

LOW_SHARE = 0.9
_UTILIZATION = {
    "ECSServiceAverageCPUUtilization": "CPUUtilization",
    "ECSServiceAverageMemoryUtilization": "MemoryUtilization",
}
# What the action of an alarm that a policy made has in its ARN, before an id.
CREATED_BY = ":createdBy/"
REQUEST_COUNT = "ALBRequestCountPerTarget"
PREDEFINED = (*_UTILIZATION, REQUEST_COUNT)


def alarms(policy: Policy) -> list[dict[str, Any]]:
    """Parameters of PutMetricAlarm: the high alarm, and the low one unless scale-in is off."""
    target = float(policy.configuration["TargetValue"])
    high = _alarm(policy, "High", "GreaterThanThreshold", 3, target)
    if policy.configuration.get("DisableScaleIn"):
        return [high]
    return [high, _alarm(policy, "Low", "LessThanThreshold", 15, target * LOW_SHARE)]


def _alarm(
    policy: Policy, side: str, comparison: str, periods: int, threshold: float
) -> dict[str, Any]:
    action = f"{policy.arn}{CREATED_BY}{uuid.uuid4()}"
    return {
        "AlarmName": f"TargetTracking-{policy.resource}-Alarm{side}-{uuid.uuid4()}",
        "AlarmDescription": "DO NOT EDIT OR DELETE. For TargetTrackingScaling policy "
        f"{policy.arn}.",
        "ActionsEnabled": True,
        "AlarmActions": [action],
        "ComparisonOperator": comparison,
        "EvaluationPeriods": periods,
        "Threshold": threshold,
        **_metric(policy),
    }


def _metric(policy: Policy) -> dict[str, Any]:
    custom = policy.configuration.get("CustomizedMetricSpecification")
    if custom is None:
        return _predefined(policy) | {"Period": 60}
    if "Metrics" in custom:
        return {"Metrics": [_query(query) for query in custom["Metrics"]]}
    kept = ("MetricName", "Namespace", "Dimensions", "Statistic", "Unit")
    return {name: custom[name] for name in kept if name in custom} | {"Period": 60}


def _predefined(policy: Policy) -> dict[str, Any]:
    specification = policy.configuration["PredefinedMetricSpecification"]
    kind = specification["PredefinedMetricType"]
    if kind == REQUEST_COUNT:
        group = specification["ResourceLabel"].partition("/targetgroup/")[2]
        dimensions = {"TargetGroup": f"targetgroup/{group}"}
        return _named("AWS/ApplicationELB", "RequestCountPerTarget", "Sum", dimensions)
    _, cluster, service = policy.resource.split("/")
    dimensions = {"ClusterName": cluster, "ServiceName": service}
    return _named("AWS/ECS", _UTILIZATION[kind], "Average", dimensions)


def _named(
    namespace: str, name: str, statistic: str, dimensions: Mapping[str, str]
) -> dict[str, Any]:
    return {
        "Namespace": namespace,
        "MetricName": name,
        "Statistic": statistic,
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
    }


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    """A query of the policy as one of the alarm: by the minute."""
    if "MetricStat" not in query:
        return dict(query)
    return {**query, "MetricStat": {**query["MetricStat"], "Period": 60}}
