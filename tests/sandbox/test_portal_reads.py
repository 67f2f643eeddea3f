"""The portal's own adapters against a sandbox whose answers are broken on the way."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from aws import alarms, cloudwatch, costexplorer, ecr, elbv2, sts
from aws.cloudwatch import MetricQuery
from aws.costexplorer import Question
from aws.ecs import deployments, revisions, services, stopped_tasks, task_definitions
from aws.errors import Unreachable

CPU = MetricQuery(
    "AWS/ECS",
    "CPUUtilization",
    "Average",
    (("ClusterName", "production"), ("ServiceName", "news-api")),
)
CLIENTS = (
    (alarms, "client", "cloudwatch"),
    (cloudwatch, "client", "cloudwatch"),
    (costexplorer, "client", "ce"),
    (ecr, "client", "ecr"),
    (elbv2, "client", "elbv2"),
    (sts, "client", "sts"),
    (services, "client", "ecs"),
    (task_definitions, "client", "ecs"),
    (deployments, "reader", "ecs"),
    (revisions, "reader", "ecs"),
    (stopped_tasks, "reader", "ecs"),
)


@pytest.fixture
def portal(account, monkeypatch):
    for module, function, service in CLIENTS:
        monkeypatch.setattr(module, function, lambda name=service: account.client(name))


def _metrics():
    now = datetime.now(UTC)
    return cloudwatch.get_metric_data([CPU], start=now - timedelta(hours=3), end=now, period=60)


def _costs():
    today = datetime.now(UTC).date()
    days = (today - timedelta(days=3), today)
    question = Question(*days, "DAILY", ("SERVICE",), ("UnblendedCost",))
    return costexplorer.get_cost_and_usage(question, most_pages=3, charged=lambda: None)


def _deployments():
    return deployments.list_deployments(cluster="production", service="news-api")


# By operation: what the portal reads with it, of a service as it was before AWS broke.
READS = {
    "sts.GetCallerIdentity": lambda news: sts.account_id(),
    "ecs.ListClusters": lambda news: services.clusters(),
    "ecs.DescribeClusters": lambda news: services.clusters(),
    "ecs.ListServices": lambda news: services.services("production"),
    "ecs.DescribeServices": lambda news: services.describe("production", ["news-api"]),
    "ecs.ListServiceDeployments": lambda news: _deployments(),
    "ecs.DescribeServiceRevisions": lambda news: revisions.describe_revisions(
        [each.target_revision_arn for each in _deployments()[:1]]
    ),
    "ecs.DescribeServiceDeployments": lambda news: deployments.describe_deployments(
        [each.arn for each in _deployments()[:1]]
    ),
    "ecs.DescribeTaskDefinition": lambda news: task_definitions.describe(news.task_definition),
    "cloudwatch.DescribeAlarms": lambda news: alarms.states(["news-api-unavailable"]),
    "cloudwatch.GetMetricData": lambda news: _metrics(),
    "ce.GetCostAndUsage": lambda news: _costs(),
    "ecr.DescribeImages": lambda news: ecr.images("news-api"),
    "elbv2.DescribeTargetGroups": lambda news: elbv2.target_groups(news.target_groups),
    "elbv2.DescribeRules": lambda news: elbv2.rule_weights(news.production_rule),
    "elbv2.DescribeTargetHealth": lambda news: elbv2.target_health(news.target_groups[0]),
}


@pytest.mark.parametrize("how", ["truncated", "html"])
@pytest.mark.parametrize("operation", READS)
@pytest.mark.usefixtures("portal")
def test_a_broken_answer_is_never_an_empty_one(account, operation, how):
    [news] = services.describe("production", ["news-api"])
    assert READS[operation](news)
    fault = {"fault": "corrupt", "operation": operation, "how": how, "count": 1}
    account.control("POST", "faults", fault)

    with pytest.raises(Unreachable):
        READS[operation](news)
