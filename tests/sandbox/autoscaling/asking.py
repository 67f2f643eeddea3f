"""What tests ask Application Auto Scaling over the wire: staging's News API is scaled."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError

from sandbox.measurements import load_balancer_dimension, target_group_dimension

SERVICE = {"ServiceNamespace": "ecs", "ScalableDimension": "ecs:service:DesiredCount"}
STAGING = SERVICE | {"ResourceId": "service/staging/news-api"}
UNKNOWN = SERVICE | {"ResourceId": "service/staging/news-ingest"}
CPU = {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"}
LABEL = f"{load_balancer_dimension('news-staging')}/{target_group_dimension('news-staging-green')}"
UP = [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}]


def tracking(metric, target=60.0, **more):
    kind = "Customized" if "PredefinedMetricType" not in metric else "Predefined"
    configuration = {"TargetValue": target, f"{kind}MetricSpecification": metric, **more}
    return {
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": configuration,
    }


def stepping(adjustments, **more):
    configuration = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": adjustments, **more}
    return {"PolicyType": "StepScaling", "StepScalingPolicyConfiguration": configuration}


def refused(call, *, code="ValidationException", **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code
    return error.value.response["Error"]["Message"]


def alarms_of(account, names):
    found = account.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}
