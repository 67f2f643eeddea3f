"""boto3's waiters end: with success for what is there, with WaiterError for what never comes."""

from __future__ import annotations

import pytest
from botocore.exceptions import WaiterError

ONCE = {"Delay": 1, "MaxAttempts": 1}
PATIENT = {"Delay": 1, "MaxAttempts": 60}
SERVICE = {"cluster": "production", "services": ["news-api"]}


def tasks(account):
    listed = account.ecs.list_tasks(cluster="production", serviceName="news-api")
    return {"cluster": "production", "tasks": listed["taskArns"]}


def group(account):
    arn = account.service()["loadBalancers"][0]["targetGroupArn"]
    green = account.client("elbv2").describe_target_groups()["TargetGroups"]
    healthy = account.client("elbv2").describe_target_health
    used = [g["TargetGroupArn"] for g in green if "news-api" in g["TargetGroupName"]]
    return next((a for a in used if healthy(TargetGroupArn=a)["TargetHealthDescriptions"]), arn)


SUCCEED = [
    ("ecs", "services_stable", lambda _: SERVICE),
    ("ecs", "tasks_running", tasks),
    ("elbv2", "target_in_service", lambda account: {"TargetGroupArn": group(account)}),
    ("elbv2", "load_balancer_available", lambda _: {"Names": ["news-production"]}),
    ("elbv2", "load_balancer_exists", lambda _: {"Names": ["news-production"]}),
    ("elbv2", "load_balancers_deleted", lambda _: {"Names": ["never-was"]}),
    ("cloudwatch", "alarm_exists", lambda _: {"AlarmNames": ["news-api-5xx-ratio"]}),
    (
        "cloudwatch",
        "composite_alarm_exists",
        lambda _: {"AlarmNames": ["news-api-unavailable"], "AlarmTypes": ["CompositeAlarm"]},
    ),
    ("rds", "db_instance_available", lambda _: {"DBInstanceIdentifier": "news-production"}),
    ("rds", "db_instance_deleted", lambda _: {"DBInstanceIdentifier": "never-was"}),
    (
        "elasticache",
        "replication_group_available",
        lambda _: {"ReplicationGroupId": "news-production"},
    ),
    (
        "elasticache",
        "cache_cluster_available",
        lambda _: {"CacheClusterId": "news-production-001"},
    ),
    ("elasticache", "cache_cluster_deleted", lambda _: {"CacheClusterId": "never-was"}),
]
FAIL = [
    ("ecs", "services_stable", {"cluster": "production", "services": ["never-was"]}),
    ("ecs", "services_inactive", SERVICE),
    (
        "ecs",
        "tasks_running",
        {"cluster": "production", "tasks": ["0123456789abcdef0123456789abcdef"]},
    ),
    ("elbv2", "load_balancer_exists", {"Names": ["never-was"]}),
    ("elbv2", "load_balancers_deleted", {"Names": ["news-production"]}),
    ("cloudwatch", "alarm_exists", {"AlarmNames": ["never-was"]}),
    # An enhanced scan goes on for as long as the image is there: ACTIVE, never COMPLETE.
    (
        "ecr",
        "image_scan_complete",
        {"repositoryName": "news-api", "imageId": {"imageTag": "1.4.0"}},
    ),
    ("ecr", "image_scan_complete", {"repositoryName": "never-was", "imageId": {"imageTag": "1"}}),
    ("rds", "db_instance_available", {"DBInstanceIdentifier": "never-was"}),
    ("elasticache", "replication_group_available", {"ReplicationGroupId": "never-was"}),
    ("iam", "role_exists", {"RoleName": "never-was"}),
    ("iam", "user_exists", {"UserName": "never-was"}),
]


@pytest.mark.parametrize(("service", "waiter", "asked"), SUCCEED)
def test_a_waiter_succeeds(account, service, waiter, asked):
    waits = account.client(service).get_waiter(waiter)

    waits.wait(**asked(account), WaiterConfig=PATIENT)


@pytest.mark.parametrize(("service", "waiter", "asked"), FAIL)
def test_a_waiter_fails(account, service, waiter, asked):
    waits = account.client(service).get_waiter(waiter)

    with pytest.raises(WaiterError):
        waits.wait(**asked, WaiterConfig=ONCE)


def test_a_stopped_task_is_waited_for(account):
    service = account.service("staging")
    ran = account.ecs.run_task(
        cluster="staging",
        taskDefinition=service["taskDefinition"],
        launchType="FARGATE",
        networkConfiguration=service["networkConfiguration"],
    )
    named = {"cluster": "staging", "tasks": [ran["tasks"][0]["taskArn"]]}
    account.ecs.stop_task(cluster="staging", task=named["tasks"][0], reason="waited for")

    account.ecs.get_waiter("tasks_stopped").wait(**named, WaiterConfig=PATIENT)

    (stopped,) = account.ecs.describe_tasks(**named)["tasks"]
    assert (stopped["lastStatus"], stopped["stoppedReason"]) == ("STOPPED", "waited for")
