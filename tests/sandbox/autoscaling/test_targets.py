"""Targets are registered, suspended, tagged and deregistered with all they have."""

from __future__ import annotations

import pytest

from tests.sandbox.autoscaling.asking import (
    CPU,
    SERVICE,
    STAGING,
    UNKNOWN,
    alarms_of,
    refused,
    tracking,
)
from tests.sandbox.contract import checked


def test_the_fresh_account_scales_production_between_two_and_ten(account):
    client = account.client("application-autoscaling")

    (target,) = checked(client, "DescribeScalableTargets", ServiceNamespace="ecs")[
        "ScalableTargets"
    ]
    (policy,) = checked(client, "DescribeScalingPolicies", ServiceNamespace="ecs")[
        "ScalingPolicies"
    ]

    assert target["ResourceId"] == "service/production/news-api"
    assert (target["MinCapacity"], target["MaxCapacity"]) == (2, 10)
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 60.0
    assert len(policy["Alarms"]) == 2


def test_suspension_is_kept_and_told(client):
    client.register_scalable_target(**STAGING, SuspendedState={"DynamicScalingInSuspended": True})

    (target,) = client.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[STAGING["ResourceId"]]
    )["ScalableTargets"]

    assert target["SuspendedState"] == {
        "DynamicScalingInSuspended": True,
        "DynamicScalingOutSuspended": False,
        "ScheduledScalingSuspended": False,
    }


def test_tags_of_a_target_can_be_added_and_taken_away(client):
    arn = client.register_scalable_target(**STAGING)["ScalableTargetARN"]

    checked(client, "TagResource", ResourceARN=arn, Tags={"team": "news", "tier": "one"})
    checked(client, "UntagResource", ResourceARN=arn, TagKeys=["tier"])

    assert checked(client, "ListTagsForResource", ResourceARN=arn)["Tags"] == {"team": "news"}
    many = {str(number): "" for number in range(51)}
    refused(client.tag_resource, code="TooManyTagsException", ResourceARN=arn, Tags=many)
    unknown = arn[:-4] + "none"
    refused(client.list_tags_for_resource, code="ResourceNotFoundException", ResourceARN=unknown)


def test_deregistering_takes_policies_alarms_and_actions_along(account, client):
    made = client.put_scaling_policy(PolicyName="cpu", **STAGING, **tracking(CPU))
    client.put_scheduled_action(
        **STAGING,
        ScheduledActionName="night",
        Schedule="rate(1 day)",
        ScalableTargetAction={"MinCapacity": 1},
    )

    checked(client, "DeregisterScalableTarget", **STAGING)

    only = {"ServiceNamespace": "ecs", "ResourceId": STAGING["ResourceId"]}
    assert client.describe_scaling_policies(**only)["ScalingPolicies"] == []
    assert client.describe_scheduled_actions(**only)["ScheduledActions"] == []
    assert alarms_of(account, [alarm["AlarmName"] for alarm in made["Alarms"]]) == {}


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (STAGING | {"MinCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        (STAGING | {"MinCapacity": -1}, "must not be negative"),
        (STAGING | {"Tags": {"a": "b"}}, "already exists. To update tags"),
        (UNKNOWN | {"MinCapacity": 1, "MaxCapacity": 2}, "ECS service doesn't exist: service/"),
        (
            SERVICE | {"ResourceId": "service/production/news-ingest", "MinCapacity": 1},
            "MinCapacity and MaxCapacity are required",
        ),
        (
            STAGING | {"ScalableDimension": "dynamodb:table:ReadCapacityUnits"},
            "Unsupported service namespace, resource type or scalable dimension",
        ),
        (STAGING | {"ResourceId": "news-api"}, "Unsupported service namespace"),
    ],
)
def test_targets_that_make_no_sense_are_refused(client, parameters, message):
    assert message in refused(client.register_scalable_target, **parameters)
