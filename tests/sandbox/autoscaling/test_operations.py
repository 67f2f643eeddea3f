"""Application Auto Scaling over the wire."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from botocore.exceptions import ClientError

from sandbox.measurements import load_balancer_dimension, target_group_dimension
from tests.sandbox.account import wait_until
from tests.sandbox.contract import checked

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


@pytest.fixture
def client(account):
    """Application Auto Scaling, with staging's News API registered for one to three tasks."""
    client = account.client("application-autoscaling")
    checked(client, "RegisterScalableTarget", **STAGING, MinCapacity=1, MaxCapacity=3)
    yield client
    if client.describe_scalable_targets(
        ServiceNamespace="ecs", ResourceIds=[STAGING["ResourceId"]]
    )["ScalableTargets"]:
        checked(client, "DeregisterScalableTarget", **STAGING)


def refused(call, *, code="ValidationException", **parameters):
    with pytest.raises(ClientError) as error:
        call(**parameters)
    assert error.value.response["Error"]["Code"] == code
    return error.value.response["Error"]["Message"]


def alarms_of(account, names):
    found = account.client("cloudwatch").describe_alarms(AlarmNames=names)["MetricAlarms"]
    return {alarm["AlarmName"]: alarm for alarm in found}


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
        wait_until(lambda: settled_activities(client, 1))
        grown = account.service("staging")["runningCount"]
        (policy,) = client.describe_scaling_policies(
            ServiceNamespace="ecs", ResourceId=STAGING["ResourceId"]
        )["ScalingPolicies"]
        checked(client, "RegisterScalableTarget", **STAGING, MaxCapacity=1)
        answer = wait_until(lambda: settled_activities(client, 2))
    finally:
        cloudwatch.delete_alarms(AlarmNames=["staging-busy"])

    assert (grown, account.service("staging")["runningCount"]) == (2, 1)
    assert [alarm["AlarmName"] for alarm in policy["Alarms"]] == ["staging-busy"]
    assert [activity["Cause"] for activity in answer] == [
        "maximum capacity was set to 1",
        "monitor alarm staging-busy in state ALARM triggered policy up",
    ]


def settled_activities(client, count):
    """The newest activities, once there are so many and all of them came to a good end."""
    found = checked(
        client, "DescribeScalingActivities", **STAGING, IncludeNotScaledActivities=True
    )["ScalingActivities"][:count]
    done = all(each["StatusCode"] == "Successful" for each in found)
    return found if done and len(found) == count else None


def test_a_scheduled_action_is_kept_as_given_and_changed_by_halves(client):
    start = datetime(2030, 1, 1, tzinfo=UTC)
    action = STAGING | {"ScheduledActionName": "night"}
    checked(
        client,
        "PutScheduledAction",
        **action,
        Schedule="cron(0 18 ? * MON-FRI *)",
        Timezone="Europe/Paris",
        StartTime=start,
        ScalableTargetAction={"MinCapacity": 2, "MaxCapacity": 3},
    )
    (before,) = checked(client, "DescribeScheduledActions", **STAGING)["ScheduledActions"]

    client.put_scheduled_action(**action, ScalableTargetAction={"MaxCapacity": 2})
    (after,) = client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"]
    checked(client, "DeleteScheduledAction", **action)

    assert before["StartTime"] == start
    assert before["Timezone"] == after["Timezone"] == "Europe/Paris"
    assert "StartTime" not in after
    assert after["ScalableTargetAction"] == {"MaxCapacity": 2}
    assert client.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []


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


def test_pages_go_on_where_they_ended(client):
    for number in range(3):
        client.put_scaling_policy(PolicyName=f"p{number}", **STAGING, **stepping(UP))
    asked = {"ServiceNamespace": "ecs", "ResourceId": STAGING["ResourceId"], "MaxResults": 2}

    first = client.describe_scaling_policies(**asked)
    second = client.describe_scaling_policies(**asked, NextToken=first["NextToken"])

    names = [p["PolicyName"] for page in (first, second) for p in page["ScalingPolicies"]]
    assert names == ["p0", "p1", "p2"]
    assert "NextToken" not in second
    refused(
        client.describe_scaling_policies,
        code="InvalidNextTokenException",
        ServiceNamespace="ecs",
        NextToken=first["NextToken"],
    )


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


def test_what_is_not_there_is_not_found(client):
    not_found = {"code": "ObjectNotFoundException"}

    message = refused(
        client.put_scaling_policy, PolicyName="x", **UNKNOWN, **stepping(UP), **not_found
    )
    refused(client.deregister_scalable_target, **UNKNOWN, **not_found)
    refused(client.delete_scaling_policy, PolicyName="x", **STAGING, **not_found)
    refused(client.delete_scheduled_action, ScheduledActionName="x", **STAGING, **not_found)

    assert message == (
        "No scalable target registered for service namespace: ecs, resource ID: "
        "service/staging/news-ingest, scalable dimension: ecs:service:DesiredCount"
    )


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        (STAGING | {"MinCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        (STAGING | {"MinCapacity": -1}, "must not be negative"),
        (STAGING | {"Tags": {"a": "b"}}, "Tags can only be specified"),
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


@pytest.mark.parametrize(
    ("action", "message"),
    [
        ({"ScheduledActionName": "a/b"}, "ScheduledActionName"),
        ({"Schedule": "sometimes"}, "is not valid"),
        ({"Timezone": "Mars/Olympus"}, "Timezone"),
        ({"ScalableTargetAction": {}}, "MinCapacity or MaxCapacity"),
        ({"ScalableTargetAction": {"MinCapacity": 3, "MaxCapacity": 2}}, "cannot be less"),
        ({"StartTime": "2031-01-01", "EndTime": "2030-01-01"}, "EndTime"),
    ],
)
def test_scheduled_actions_that_make_no_sense_are_refused(client, action, message):
    usual = {
        "ScheduledActionName": "night",
        "Schedule": "rate(1 day)",
        "ScalableTargetAction": {"MinCapacity": 1},
    }

    assert message in refused(client.put_scheduled_action, **STAGING, **usual | action)


def test_describing_has_limits_and_knows_other_namespaces_to_be_empty(client):
    describe = client.describe_scaling_activities
    too_many = refused(describe, ServiceNamespace="ecs", MaxResults=51)
    dimension = SERVICE["ScalableDimension"]
    alone = refused(describe, ServiceNamespace="ecs", ScalableDimension=dimension)
    unknown = refused(describe, ServiceNamespace="bakery")

    assert "Member must have value less than or equal to 50" in too_many
    assert "you must also specify a resource ID" in alone
    assert "Member must satisfy enum value set" in unknown
    assert describe(ServiceNamespace="dynamodb")["ScalingActivities"] == []


def test_no_policy_has_a_forecast(client):
    moment = datetime(2026, 1, 1, tzinfo=UTC)

    message = refused(
        client.get_predictive_scaling_forecast,
        **STAGING,
        PolicyName="cpu",
        StartTime=moment,
        EndTime=moment,
    )

    assert "No predictive scaling policy found" in message
