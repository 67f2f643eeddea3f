"""What the portal calls is what is documented, and the sandbox answers all of it as AWS would."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import botocore.session
import pytest

from tests.aws_calls import used
from tests.sandbox.account import wait_until
from tests.sandbox.contract import deviations

ROOT = Path(__file__).resolve().parents[2]
MODELS = botocore.session.get_session()
JSON_SERVICES = ("ce", "cloudwatch", "ecr", "ecs")
LISTED = re.compile(r"(\w+): ([A-Z]\w+(?:\s+[A-Z]\w+)*)")
REVIEW = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 0,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0},
    "lifecycleHooks": [
        {
            "targetType": "PAUSE",
            "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
            "timeoutConfiguration": {"timeoutInMinutes": 600, "action": "ROLLBACK"},
        }
    ],
}


def documented():
    """(service, operation) of every operation docs/architecture.md lists."""
    text = (ROOT / "docs/architecture.md").read_text()
    section = text.split("## AWS operations the portal uses")[1].split("The sandbox serves")[0]
    return sorted(
        (service, operation)
        for service, operations in LISTED.findall(section)
        for operation in operations.split()
    )


def _window():
    now = datetime.now(UTC).replace(second=0, microsecond=0)
    return {"StartTime": now - timedelta(hours=3), "EndTime": now}


def _metric(account):
    metrics = account.client("cloudwatch").list_metrics(
        Namespace="AWS/ApplicationELB", MetricName="TargetResponseTime"
    )["Metrics"]
    return metrics[0]


def _measured(account):
    """The last hours before the account began, in which every minute had its readers."""
    epoch = datetime.fromisoformat(account.control("GET", "status")["epoch"])
    end = epoch.replace(second=0, microsecond=0)
    return {"StartTime": end - timedelta(hours=3), "EndTime": end}


def get_metric_data(account):
    stats = ["p50", "p99", "TC(:0.3)", "SampleCount"]
    queries = [
        {"Id": f"q{number}", "MetricStat": {"Metric": _metric(account), "Period": 60, "Stat": stat}}
        for number, stat in enumerate(stats)
    ]
    window = _measured(account)
    answer = account.client("cloudwatch").get_metric_data(MetricDataQueries=queries, **window)
    assert all(len(result["Values"]) > 170 for result in answer["MetricDataResults"])
    return answer


def get_cost_and_usage(account):
    today = datetime.now(UTC).date()
    answer = account.client("ce").get_cost_and_usage(
        TimePeriod={"Start": str(today - timedelta(days=5)), "End": str(today)},
        Granularity="DAILY",
        Metrics=["UnblendedCost", "UsageQuantity"],
        GroupBy=[
            {"Type": "DIMENSION", "Key": "SERVICE"},
            {"Type": "TAG", "Key": "environment"},
        ],
    )
    assert len(answer["ResultsByTime"]) == 5
    return answer


def waiting_release(account):
    """A canary that waits for a decision: its deployment's ARN and the hook's id."""
    arn = account.release("1.4.1", **REVIEW)
    return arn, account.waiting_hook(arn)["hookId"]


def describe_service_deployments(account):
    arn, _ = waiting_release(account)
    answer = account.ecs.describe_service_deployments(serviceDeploymentArns=[arn])
    assert answer["serviceDeployments"][0]["lifecycleHookDetails"][0]["status"] == "AWAITING_ACTION"
    return answer


def list_service_deployments(account):
    waiting_release(account)
    answer = account.ecs.list_service_deployments(cluster="production", service="news-api")
    assert answer["serviceDeployments"]
    return answer


def describe_service_revisions(account):
    arn, _ = waiting_release(account)
    target = account.deployment(arn)["targetServiceRevision"]["arn"]
    answer = account.ecs.describe_service_revisions(serviceRevisionArns=[target])
    assert answer["serviceRevisions"][0]["serviceRevisionArn"] == target
    return answer


def continue_service_deployment(account):
    arn, hook = waiting_release(account)
    return account.ecs.continue_service_deployment(
        serviceDeploymentArn=arn, hookId=hook, action="CONTINUE"
    )


def stop_service_deployment(account):
    arn, _ = waiting_release(account)
    return account.ecs.stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")


def update_service(account):
    return account.ecs.update_service(
        cluster="production",
        service="news-api",
        taskDefinition=account.register("1.4.1"),
        deploymentConfiguration={"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0},
    )


def register_task_definition(account):
    return account.ecs.register_task_definition(
        family="contract",
        cpu="256",
        memory="512",
        networkMode="awsvpc",
        requiresCompatibilities=["FARGATE"],
        containerDefinitions=[{"name": "contract", "image": "news-api:1.4.0", "essential": True}],
    )


def describe_tasks(account):
    arns = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"]
    answer = account.ecs.describe_tasks(cluster="production", tasks=arns, include=["TAGS"])
    assert len(answer["tasks"]) == len(arns) > 0
    return answer


def _balancer(account):
    answer = account.client("elbv2").describe_load_balancers(Names=["news-production"])
    return answer["LoadBalancers"][0]["LoadBalancerArn"]


def _listener(account):
    answer = account.client("elbv2").describe_listeners(LoadBalancerArn=_balancer(account))
    return answer["Listeners"][0]["ListenerArn"]


def _group(account):
    answer = account.client("elbv2").describe_target_groups(Names=["news-api-blue"])
    return answer["TargetGroups"][0]["TargetGroupArn"]


def get_credential_report(account):
    iam = account.client("iam")
    wait_until(lambda: iam.generate_credential_report()["State"] == "COMPLETE")
    return iam.get_credential_report()


def generate_last_accessed(account):
    iam = account.client("iam")
    role = iam.list_roles()["Roles"][0]["Arn"]
    return iam.generate_service_last_accessed_details(Arn=role)


def get_last_accessed(account):
    job = generate_last_accessed(account)["JobId"]
    return account.client("iam").get_service_last_accessed_details(JobId=job)


CALLS = {
    ("ce", "GetCostAndUsage"): get_cost_and_usage,
    ("cloudwatch", "DescribeAlarms"): lambda account: account.client(
        "cloudwatch"
    ).describe_alarms(),
    ("cloudwatch", "GetMetricData"): get_metric_data,
    ("cloudwatch", "ListMetrics"): lambda account: account.client("cloudwatch").list_metrics(),
    ("ecr", "DescribeImages"): lambda account: account.client("ecr").describe_images(
        repositoryName="news-api"
    ),
    ("ecr", "DescribeRepositories"): lambda account: account.client("ecr").describe_repositories(),
    ("ecs", "ContinueServiceDeployment"): continue_service_deployment,
    ("ecs", "DescribeClusters"): lambda account: account.ecs.describe_clusters(
        clusters=["production"], include=["TAGS"]
    ),
    ("ecs", "DescribeServiceDeployments"): describe_service_deployments,
    ("ecs", "DescribeServiceRevisions"): describe_service_revisions,
    ("ecs", "DescribeServices"): lambda account: account.ecs.describe_services(
        cluster="production", services=["news-api", "news-ingest", "missing"], include=["TAGS"]
    ),
    ("ecs", "DescribeTaskDefinition"): lambda account: account.ecs.describe_task_definition(
        taskDefinition="news-api", include=["TAGS"]
    ),
    ("ecs", "DescribeTasks"): describe_tasks,
    ("ecs", "ListClusters"): lambda account: account.ecs.list_clusters(),
    ("ecs", "ListServiceDeployments"): list_service_deployments,
    ("ecs", "ListServices"): lambda account: account.ecs.list_services(cluster="production"),
    ("ecs", "ListTaskDefinitions"): lambda account: account.ecs.list_task_definitions(),
    ("ecs", "ListTasks"): lambda account: account.ecs.list_tasks(cluster="production"),
    ("ecs", "RegisterTaskDefinition"): register_task_definition,
    ("ecs", "StopServiceDeployment"): stop_service_deployment,
    ("ecs", "UpdateService"): update_service,
    ("elbv2", "DescribeListeners"): lambda account: account.client("elbv2").describe_listeners(
        LoadBalancerArn=_balancer(account)
    ),
    ("elbv2", "DescribeLoadBalancers"): lambda account: account.client(
        "elbv2"
    ).describe_load_balancers(),
    ("elbv2", "DescribeRules"): lambda account: account.client("elbv2").describe_rules(
        ListenerArn=_listener(account)
    ),
    ("elbv2", "DescribeTargetGroups"): lambda account: account.client(
        "elbv2"
    ).describe_target_groups(),
    ("elbv2", "DescribeTargetHealth"): lambda account: account.client(
        "elbv2"
    ).describe_target_health(TargetGroupArn=_group(account)),
    ("iam", "GenerateCredentialReport"): lambda account: account.client(
        "iam"
    ).generate_credential_report(),
    ("iam", "GenerateServiceLastAccessedDetails"): generate_last_accessed,
    ("iam", "GetCredentialReport"): get_credential_report,
    ("iam", "GetServiceLastAccessedDetails"): get_last_accessed,
    ("sts", "GetCallerIdentity"): lambda account: account.client("sts").get_caller_identity(),
}


def test_the_portal_calls_what_is_documented_and_nothing_else():
    assert used() == set(documented())


def test_every_documented_operation_is_tested_here():
    assert set(documented()) - set(CALLS) == set()


@pytest.mark.parametrize(("service", "operation"), sorted(CALLS), ids=str)
def test_the_answer_has_its_shape(account, service, operation):
    shape = MODELS.get_service_model(service).operation_model(operation).output_shape
    bodies = []
    events = account.client(service).meta.events

    def keep(operation_model, response_dict, **_):
        if operation_model.name == operation:
            bodies.append(response_dict["body"])

    events.register("before-parse", keep)

    answer = CALLS[service, operation](account)

    events.unregister("before-parse", keep)
    answer.pop("ResponseMetadata")
    assert answer
    assert deviations(answer, shape, operation, raw=False) == []
    if service in JSON_SERVICES:
        assert deviations(json.loads(bodies[-1]), shape, operation, raw=True) == []
    assert account.control("GET", "status")["operations"][operation] >= 1


def test_what_is_published_can_be_read(account):
    cloudwatch = account.client("cloudwatch")
    window = _window()
    cloudwatch.put_metric_data(
        Namespace="Contract",
        MetricData=[
            {"MetricName": "Jobs", "Value": 3.5, "Unit": "Count", "Timestamp": window["StartTime"]}
        ],
    )

    stat = {"Metric": {"Namespace": "Contract", "MetricName": "Jobs"}, "Period": 60, "Stat": "Sum"}
    answer = cloudwatch.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}], **window
    )

    (result,) = answer["MetricDataResults"]
    assert result["Values"] == [3.5]
    assert result["Timestamps"] == [window["StartTime"]]


@pytest.mark.parametrize(
    ("service", "method", "parameters", "code"),
    [
        (
            "cloudwatch",
            "get_metric_data",
            {
                "MetricDataQueries": [{"Id": "e", "Expression": "SELECT AVG(x) FROM y"}],
                **_window(),
            },
            "ValidationError",
        ),
        (
            "cloudwatch",
            "put_metric_data",
            {"Namespace": "AWS/ECS", "MetricData": [{"MetricName": "x", "Value": 1.0}]},
            "InvalidParameterValue",
        ),
        (
            "secretsmanager",
            "remove_regions_from_replication",
            {"SecretId": "news-api/database", "RemoveReplicaRegions": ["eu-west-1"]},
            "InvalidRequestException",
        ),
        (
            "secretsmanager",
            "stop_replication_to_replica",
            {"SecretId": "news-api/database"},
            "InvalidRequestException",
        ),
        (
            "ce",
            "get_cost_and_usage",
            {
                "TimePeriod": {"Start": "2026-01-02", "End": "2026-01-01"},
                "Granularity": "DAILY",
                "Metrics": ["UnblendedCost"],
            },
            "ValidationException",
        ),
    ],
)
def test_refusals_are_typed_errors(account, service, method, parameters, code):
    client = account.client(service)

    with pytest.raises(client.exceptions.ClientError) as refused:
        getattr(client, method)(**parameters)

    assert refused.value.response["Error"]["Code"] == code
