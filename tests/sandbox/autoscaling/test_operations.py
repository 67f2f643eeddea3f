"""Scheduled actions are kept over the wire; pages, limits and refusals are AWS's."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.sandbox.autoscaling.asking import SERVICE, STAGING, UNKNOWN, UP, refused, stepping
from tests.sandbox.contract import checked


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
