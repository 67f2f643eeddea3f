"""Policies make their alarms, start and stop real tasks, and must make sense."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.sandbox.account import wait_until
from tests.sandbox.autoscaling.asking import (
    CPU,
    LABEL,
    STAGING,
    UP,
    alarms_of,
    refused,
    stepping,
    tracking,
)
from tests.sandbox.contract import checked


def test_a_target_tracking_policy_makes_its_two_alarms_and_takes_them_away(account, client):
    made = checked(client, "PutScalingPolicy", PolicyName="cpu", **STAGING, **tracking(CPU))
    names = [alarm["AlarmName"] for alarm in made["Alarms"]]
    high, low = (alarms_of(account, names)[name] for name in names)

    checked(client, "DeleteScalingPolicy", PolicyName="cpu", **STAGING)

    assert names[0].startswith("TargetTracking-service/staging/news-api-AlarmHigh-")
    assert names[1].startswith("TargetTracking-service/staging/news-api-AlarmLow-")
    assert (high["EvaluationPeriods"], high["Threshold"], high["Period"]) == (3, 60.0, 60)
    assert (low["EvaluationPeriods"], low["Threshold"], low["Period"]) == (15, 54.0, 60)
    assert high["AlarmActions"][0].startswith(made["PolicyARN"])
    assert alarms_of(account, names) == {}


def test_a_changed_policy_has_new_alarms_only(account, client):
    before = client.put_scaling_policy(PolicyName="cpu", **STAGING, **tracking(CPU))["Alarms"]

    after = client.put_scaling_policy(
        PolicyName="cpu", **STAGING, **tracking(CPU, 50.0, DisableScaleIn=True)
    )["Alarms"]

    (alarm,) = alarms_of(account, [each["AlarmName"] for each in (*before, *after)]).values()
    assert alarm["Threshold"] == 50.0


def test_a_policy_that_is_changed_by_several_at_once_has_one_pair_of_alarms(account, client):
    put = lambda target: client.put_scaling_policy(  # noqa: E731
        PolicyName="cpu", **STAGING, **tracking(CPU, target)
    )

    with ThreadPoolExecutor(4) as callers:
        list(callers.map(put, (50.0, 60.0, 70.0, 80.0)))

    (policy,) = client.describe_scaling_policies(**STAGING)["ScalingPolicies"]
    of_staging = {"AlarmNamePrefix": f"TargetTracking-{STAGING['ResourceId']}-"}
    left = account.client("cloudwatch").describe_alarms(**of_staging)["MetricAlarms"]
    assert {each["AlarmName"] for each in left} == {each["AlarmName"] for each in policy["Alarms"]}


def test_a_policy_can_follow_requests_per_target_or_an_expression(account, client):
    requests = {"PredefinedMetricType": "ALBRequestCountPerTarget", "ResourceLabel": LABEL}
    stat = {"Namespace": "AWS/ECS", "MetricName": "CPUUtilization"}
    names = {"ClusterName": "staging", "ServiceName": "news-api"}
    stat["Dimensions"] = [{"Name": key, "Value": value} for key, value in names.items()]
    queries = [
        {"Id": "m1", "MetricStat": {"Metric": stat, "Stat": "Average"}, "ReturnData": False},
        {"Id": "e1", "Expression": "m1 * 2", "Label": "double", "ReturnData": True},
    ]

    first = client.put_scaling_policy(PolicyName="one", **STAGING, **tracking(requests, 900.0))
    second = client.put_scaling_policy(
        PolicyName="two", **STAGING, **tracking({"Metrics": queries})
    )
    third = client.put_scaling_policy(
        PolicyName="three", **STAGING, **tracking(stat | {"Statistic": "Maximum"})
    )

    alarms = [
        alarms_of(account, [made["Alarms"][0]["AlarmName"]]).popitem()[1]
        for made in (first, second, third)
    ]
    assert alarms[0]["MetricName"] == "RequestCountPerTarget"
    assert [query["Id"] for query in alarms[1]["Metrics"]] == ["m1", "e1"]
    assert alarms[2]["Statistic"] == "Maximum"


def test_an_alarm_of_a_step_policy_starts_and_stops_a_real_task(account, client):
    arn = client.put_scaling_policy(PolicyName="up", **STAGING, **stepping(UP, Cooldown=0))[
        "PolicyARN"
    ]
    earlier = {each["ActivityId"] for each in activities(client)}
    cloudwatch = account.client("cloudwatch")
    cloudwatch.put_metric_alarm(
        AlarmName="staging-busy",
        Namespace="Staging",
        MetricName="Busy",
        Statistic="Average",
        Period=60,
        EvaluationPeriods=1,
        Threshold=70,
        ComparisonOperator="GreaterThanThreshold",
        AlarmActions=[arn],
    )
    try:
        cloudwatch.set_alarm_state(AlarmName="staging-busy", StateValue="ALARM", StateReason="test")
        wait_until(lambda: settled_activities(client, 1, earlier))
        grown = account.service("staging")["runningCount"]
        (policy,) = client.describe_scaling_policies(
            ServiceNamespace="ecs", ResourceId=STAGING["ResourceId"]
        )["ScalingPolicies"]
        checked(client, "RegisterScalableTarget", **STAGING, MaxCapacity=1)
        answer = wait_until(lambda: settled_activities(client, 2, earlier))
    finally:
        cloudwatch.delete_alarms(AlarmNames=["staging-busy"])

    assert (grown, account.service("staging")["runningCount"]) == (2, 1)
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["staging-busy"]
    assert [activity["Cause"] for activity in answer] == [
        "maximum capacity was set to 1",
        "monitor alarm staging-busy in state ALARM triggered policy up",
    ]


def activities(client):
    """The newest activities of staging's News API, those of other tests among them."""
    return checked(client, "DescribeScalingActivities", **STAGING, IncludeNotScaledActivities=True)[
        "ScalingActivities"
    ]


def settled_activities(client, count, earlier):
    """Those since then, once there are so many and all of them came to a good end."""
    found = [each for each in activities(client) if each["ActivityId"] not in earlier]
    done = all(each["StatusCode"] == "Successful" for each in found)
    return found if done and len(found) == count else None


@pytest.mark.parametrize(
    ("policy", "message"),
    [
        ({"PolicyType": "PredictiveScaling"}, "not supported"),
        ({"PolicyType": "Magic"}, "Member must satisfy enum value set"),
        ({"PolicyType": "StepScaling"}, "is required for policy type"),
        (stepping(UP) | tracking(CPU), "Only TargetTrackingScalingPolicyConfiguration"),
        (stepping(UP, Cooldown=-1), "must not be negative"),
        (stepping([*UP, *UP]), "overlap"),
        (tracking(CPU, 0.0), "TargetValue"),
        (tracking(CPU | {"ResourceLabel": LABEL}), "should not be specified"),
        (
            tracking({"PredefinedMetricType": "ALBRequestCountPerTarget"}),
            "Resource label should be specified",
        ),
        (
            tracking(
                {
                    "PredefinedMetricType": "ALBRequestCountPerTarget",
                    "ResourceLabel": LABEL.replace("staging", "production"),
                }
            ),
            "not a target group attached",
        ),
        (
            tracking({"PredefinedMetricType": "ECSServiceAverageCPUUtilizationHighResolution"}),
            "is not supported",
        ),
        (tracking({"MetricName": "Busy"}), "are required for a custom metric"),
        (tracking({"Metrics": [{"Id": "e1", "Expression": "nothing + 1"}]}), "Invalid metrics"),
        (tracking({"Metrics": [{"Id": "e1"}]}), "Exactly one of Expression and MetricStat"),
    ],
)
def test_policies_that_make_no_sense_are_refused(client, policy, message):
    answer = refused(client.put_scaling_policy, PolicyName="wrong", **STAGING, **policy)

    assert message in answer


def test_a_metric_is_followed_once_and_a_policy_keeps_its_type(client):
    client.put_scaling_policy(PolicyName="cpu", **STAGING, **tracking(CPU))

    twice = refused(client.put_scaling_policy, PolicyName="b", **STAGING, **tracking(CPU, 50.0))
    other = refused(client.put_scaling_policy, PolicyName="cpu", **STAGING, **stepping(UP))

    assert twice == (
        "Only one TargetTrackingScaling policy for a given metric specification is allowed."
    )
    assert "cannot be changed" in other
