"""The exact shapes of ECS, checked against botocore's service model."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

import boto3
import pytest
from botocore.stub import Stubber

from aws.ecs import deployments, revisions, stopped_tasks
from aws.errors import Denied, Refused, Throttled, Unreachable

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/production"
SERVICE = "arn:aws:ecs:us-east-1:123456789012:service/production/news-api"
ARN = "arn:aws:ecs:us-east-1:123456789012:service-deployment/production/news-api/d1"
OLD = "arn:aws:ecs:us-east-1:123456789012:service-revision/production/news-api/1"
NEW = "arn:aws:ecs:us-east-1:123456789012:service-revision/production/news-api/2"
TASK_DEFINITION = "arn:aws:ecs:us-east-1:123456789012:task-definition/news-api:2"
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 30,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 5},
    "lifecycleHooks": [
        {
            "targetType": "PAUSE",
            "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
            "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
        }
    ],
}


@pytest.fixture
def ecs(monkeypatch) -> Iterator[Stubber]:
    """One stubbed client in the place of both the reading and the changing one."""
    client = boto3.client(
        "ecs", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
    )
    monkeypatch.setattr(deployments, "reader", lambda: client)
    monkeypatch.setattr(deployments, "changer", lambda: client)
    monkeypatch.setattr(revisions, "reader", lambda: client)
    monkeypatch.setattr(stopped_tasks, "reader", lambda: client)
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def paused(**changes):
    return {
        "serviceDeploymentArn": ARN,
        "serviceArn": SERVICE,
        "clusterArn": CLUSTER,
        "createdAt": NOON,
        "startedAt": NOON,
        "updatedAt": NOON,
        "status": "IN_PROGRESS",
        "lifecycleStage": "PRE_PRODUCTION_TRAFFIC_SHIFT",
        "sourceServiceRevisions": [
            {
                "arn": OLD,
                "requestedTaskCount": 2,
                "runningTaskCount": 2,
                "pendingTaskCount": 0,
                "requestedProductionTrafficWeight": 90.0,
            }
        ],
        "targetServiceRevision": {
            "arn": NEW,
            "requestedTaskCount": 2,
            "runningTaskCount": 1,
            "pendingTaskCount": 1,
            "requestedProductionTrafficWeight": 10.0,
        },
        "lifecycleHookDetails": [
            {
                "hookId": "ecs-pause-0",
                "targetType": "PAUSE",
                "status": "SUCCEEDED",
            },
            {
                "hookId": "ecs-pause-1",
                "targetType": "PAUSE",
                "status": "AWAITING_ACTION",
                "expiresAt": NOON,
                "timeoutAction": "ROLLBACK",
            },
        ],
        "deploymentConfiguration": CANARY,
        **changes,
    }


def test_a_paused_canary_is_read_in_full(ecs):
    ecs.add_response(
        "describe_service_deployments",
        {"serviceDeployments": [paused()], "failures": []},
        {"serviceDeploymentArns": [ARN]},
    )

    seen = deployments.describe_deployments([ARN])[ARN]

    assert seen.strategy == "CANARY"
    assert [hook.hook_id for hook in seen.waiting_hooks] == ["ecs-pause-1"]
    assert seen.sources[0].production_weight == 90.0
    assert seen.target == deployments.RevisionState(NEW, 2, 1, 1, 10.0)


def test_weights_that_ecs_does_not_send_are_unknown_and_not_zero(ecs):
    row = paused(targetServiceRevision={"arn": NEW, "requestedTaskCount": 2})
    ecs.add_response("describe_service_deployments", {"serviceDeployments": [row]})

    target = deployments.describe_deployments([ARN])[ARN].target

    assert target is not None
    assert target.production_weight is None


def test_the_culprit_of_a_rollback_is_read(ecs):
    row = paused(
        status="ROLLBACK_IN_PROGRESS",
        rollback={"reason": "alarm", "startedAt": NOON, "serviceRevisionArn": OLD},
        alarms={"status": "TRIGGERED", "alarmNames": ["5xx"], "triggeredAlarmNames": ["5xx"]},
    )
    ecs.add_response("describe_service_deployments", {"serviceDeployments": [row]})

    seen = deployments.describe_deployments([ARN])[ARN]

    assert (seen.rollback_reason, seen.triggered_alarms) == ("alarm", ("5xx",))


def test_a_deployment_that_ecs_does_not_know_is_left_out(ecs):
    ecs.add_response(
        "describe_service_deployments",
        {"serviceDeployments": [], "failures": [{"arn": ARN, "reason": "MISSING"}]},
    )

    assert deployments.describe_deployments([ARN]) == {}


def test_twenty_at_most_are_described_at_once(ecs):
    arns = [f"{ARN}{number}" for number in range(21)]
    ecs.add_response(
        "describe_service_deployments",
        {"serviceDeployments": []},
        {"serviceDeploymentArns": arns[:20]},
    )
    ecs.add_response(
        "describe_service_deployments",
        {"serviceDeployments": []},
        {"serviceDeploymentArns": arns[20:]},
    )

    assert deployments.describe_deployments(arns) == {}


def test_the_list_is_read_to_its_end(ecs):
    first = {"cluster": "production", "service": "news-api", "maxResults": 100}
    first |= {"createdAt": {"after": NOON}, "status": ["PENDING"]}
    ecs.add_response(
        "list_service_deployments",
        {"serviceDeployments": [brief("d2")], "nextToken": "more"},
        first,
    )
    ecs.add_response(
        "list_service_deployments",
        {"serviceDeployments": [brief("d1")]},
        first | {"nextToken": "more"},
    )

    listed = deployments.list_deployments(
        cluster="production", service="news-api", created_after=NOON, status=["PENDING"]
    )

    assert [each.arn for each in listed] == ["d2", "d1"]


def test_a_list_without_end_is_cut(ecs):
    for _ in range(deployments.LIST_PAGES):
        ecs.add_response(
            "list_service_deployments",
            {"serviceDeployments": [brief("d")], "nextToken": "for ever"},
        )

    listed = deployments.list_deployments(cluster="production", service="news-api")

    assert len(listed) == deployments.LIST_PAGES


def test_a_list_of_what_is_in_flight_is_whole_or_no_answer(ecs):
    for _ in range(deployments.LIST_PAGES):
        ecs.add_response(
            "list_service_deployments", {"serviceDeployments": [], "nextToken": "for ever"}
        )

    with pytest.raises(Unreachable, match="do not end"):
        deployments.list_deployments(
            cluster="production", service="news-api", status=deployments.IN_FLIGHT
        )


def brief(arn):
    return {
        "serviceDeploymentArn": arn,
        "serviceArn": SERVICE,
        "clusterArn": CLUSTER,
        "createdAt": NOON,
        "status": "PENDING",
        "targetServiceRevisionArn": NEW,
    }


def test_a_truncated_answer_is_no_empty_list(ecs):
    ecs.add_response("list_service_deployments", {})

    with pytest.raises(Unreachable, match="cut short"):
        deployments.list_deployments(cluster="production", service="news-api")


def test_a_revision_says_what_it_runs_and_where(ecs):
    ecs.add_response(
        "describe_service_revisions",
        {
            "serviceRevisions": [
                {
                    "serviceRevisionArn": NEW,
                    "taskDefinition": TASK_DEFINITION,
                    "containerImages": [
                        {"containerName": "news-api", "image": "news:1", "imageDigest": "sha256:1"}
                    ],
                    "resolvedConfiguration": {"loadBalancers": [{"targetGroupArn": "green"}]},
                    "createdAt": NOON,
                }
            ]
        },
        {"serviceRevisionArns": [NEW]},
    )

    revision = revisions.describe_revisions([NEW])[NEW]

    assert revision.task_definition == TASK_DEFINITION
    assert revision.images == (revisions.ContainerImage("news-api", "news:1", "sha256:1"),)
    assert revision.target_groups == ("green",)


def test_a_release_sends_task_definition_and_configuration_and_nothing_else(ecs):
    ecs.add_response(
        "update_service",
        {"service": {"taskDefinition": TASK_DEFINITION}},
        {
            "cluster": "production",
            "service": "news-api",
            "taskDefinition": TASK_DEFINITION,
            "deploymentConfiguration": CANARY,
        },
    )

    answer = deployments.update_service(
        cluster="production",
        service="news-api",
        task_definition=TASK_DEFINITION,
        configuration=CANARY,
    )

    assert answer == {"taskDefinition": TASK_DEFINITION}


def test_a_configuration_can_be_stored_without_a_deployment(ecs):
    ecs.add_response(
        "update_service",
        {"service": {}},
        {"cluster": "production", "service": "news-api", "deploymentConfiguration": CANARY},
    )

    deployments.update_service(cluster="production", service="news-api", configuration=CANARY)


@pytest.mark.parametrize("action", ["CONTINUE", "ROLLBACK"])
def test_a_pause_is_answered_by_its_own_id(ecs, action):
    ecs.add_response(
        "continue_service_deployment",
        {"serviceDeploymentArn": ARN},
        {"serviceDeploymentArn": ARN, "hookId": "ecs-pause-1", "action": action},
    )

    deployments.continue_deployment(arn=ARN, hook_id="ecs-pause-1", action=action)


def test_a_stop_is_a_rollback(ecs):
    ecs.add_response(
        "stop_service_deployment",
        {"serviceDeploymentArn": ARN},
        {"serviceDeploymentArn": ARN, "stopType": "ROLLBACK"},
    )

    deployments.stop_deployment(arn=ARN)


@pytest.mark.parametrize(
    ("code", "error"),
    [
        ("ConflictException", Refused),
        ("InvalidParameterException", Refused),
        ("AccessDeniedException", Denied),
        ("ThrottlingException", Throttled),
    ],
)
def test_what_aws_refuses_has_a_name(ecs, code, error):
    ecs.add_client_error("stop_service_deployment", code, "no")

    with pytest.raises(error):
        deployments.stop_deployment(arn=ARN)


def test_the_missing_permission_is_named(ecs):
    ecs.add_client_error(
        "update_service",
        "AccessDeniedException",
        "User: x is not authorized to perform: iam:PassRole on resource: y",
    )

    with pytest.raises(Denied) as refusal:
        deployments.update_service(cluster="c", service="s", configuration=CANARY)

    assert refusal.value.action == "iam:PassRole"


def test_the_facts_of_a_service(ecs):
    service = {
        "status": "ACTIVE",
        "taskDefinition": TASK_DEFINITION,
        "desiredCount": 2,
        "runningCount": 2,
        "pendingCount": 0,
        "loadBalancers": [{"targetGroupArn": "blue"}],
        "deploymentConfiguration": {
            "strategy": "CANARY",
            "alarms": {"alarmNames": ["5xx"], "enable": True, "rollback": True},
        },
        "deployments": [{"status": "PRIMARY", "rolloutState": "COMPLETED"}],
        "currentServiceDeployment": ARN,
        "currentServiceRevisions": [{"arn": OLD}],
    }
    ecs.add_response("describe_services", {"services": [service]})

    facts = deployments.service_facts(cluster="production", service="news-api")

    assert facts.is_steady
    assert facts.alarm_names == ("5xx",)
    assert (facts.current_revision, facts.rollout_state) == (OLD, "COMPLETED")


def test_alarms_that_are_switched_off_watch_nothing():
    alarms = {"alarmNames": ["5xx"], "enable": False, "rollback": True}
    facts = deployments.ServiceFacts("ACTIVE", "ECS", "td", 2, 2, 0, {"alarms": alarms})

    assert facts.alarm_names == ()


def test_a_service_that_ecs_does_not_know_is_refused(ecs):
    ecs.add_response("describe_services", {"services": [], "failures": [{"reason": "MISSING"}]})

    with pytest.raises(Refused, match="does not know the service"):
        deployments.service_facts(cluster="production", service="gone")


def test_stopped_tasks_say_why(ecs):
    task = {
        "taskArn": "arn:task/1",
        "taskDefinitionArn": TASK_DEFINITION,
        "stoppedReason": "Task failed ELB health checks",
        "stoppedAt": NOON,
        "containers": [{"name": "news-api", "exitCode": 137, "reason": "OutOfMemory"}],
    }
    ecs.add_response(
        "list_tasks",
        {"taskArns": ["arn:task/1"]},
        {"cluster": "production", "serviceName": "news-api", "desiredStatus": "STOPPED"},
    )
    ecs.add_response(
        "describe_tasks", {"tasks": [task]}, {"cluster": "production", "tasks": ["arn:task/1"]}
    )

    found = stopped_tasks.latest(cluster="production", service="news-api")

    assert found[0].reason == "Task failed ELB health checks"
    assert found[0].containers == ("news-api: exit code 137: OutOfMemory",)


def test_without_stopped_tasks_none_are_described(ecs):
    ecs.add_response("list_tasks", {"taskArns": []})

    assert stopped_tasks.latest(cluster="production", service="news-api") == []
