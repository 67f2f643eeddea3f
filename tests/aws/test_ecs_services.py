from __future__ import annotations

import pytest

from aws import paging
from aws.ecs import services
from aws.errors import Denied, Unreachable
from tests import make
from tests.aws.stubs import stubbed

CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/production"
ARN = "arn:aws:ecs:us-east-1:123456789012:service/production/news-api"


@pytest.fixture
def stub(monkeypatch):
    with stubbed(monkeypatch, services, "ecs") as stubber:
        yield stubber


def described(**changes):
    return {
        "serviceArn": ARN,
        "serviceName": "news-api",
        "clusterArn": CLUSTER,
        "status": "ACTIVE",
        "desiredCount": 2,
        "runningCount": 1,
        "pendingCount": 1,
        "taskDefinition": "arn:td:1",
    } | changes


def test_clusters_come_with_their_tags(stub):
    stub.add_response("list_clusters", {"clusterArns": [CLUSTER]}, {})
    stub.add_response(
        "describe_clusters",
        {
            "clusters": [
                {
                    "clusterArn": CLUSTER,
                    "clusterName": "production",
                    "tags": [{"key": "quarterdeck:notice", "value": "Sandbox"}],
                }
            ]
        },
        {"clusters": [CLUSTER], "include": ["TAGS"]},
    )

    [cluster] = services.clusters()

    assert (cluster.name, cluster.tags) == ("production", {"quarterdeck:notice": "Sandbox"})


def test_services_are_listed_by_pages_and_described_ten_at_a_time(stub):
    arns = [f"{ARN}-{number}" for number in range(12)]
    stub.add_response(
        "list_services",
        {"serviceArns": arns[:7], "nextToken": "more"},
        {"cluster": "production"},
    )
    stub.add_response(
        "list_services",
        {"serviceArns": arns[7:]},
        {"cluster": "production", "nextToken": "more"},
    )
    for some in (arns[:10], arns[10:]):
        stub.add_response(
            "describe_services",
            {"services": [described(serviceArn=arn) for arn in some]},
            {"cluster": "production", "services": some, "include": ["TAGS"]},
        )

    found = services.services("production")

    assert [service.arn for service in found] == arns


def test_both_target_groups_and_the_rule_are_read(stub):
    balancer = {
        "targetGroupArn": make.BLUE,
        "containerName": "news-api",
        "containerPort": 8000,
        "advancedConfiguration": {
            "alternateTargetGroupArn": make.GREEN,
            "productionListenerRule": "arn:rule",
            "roleArn": "arn:role",
        },
    }
    stub.add_response(
        "describe_services",
        {
            "services": [
                described(
                    loadBalancers=[balancer],
                    deploymentConfiguration={"strategy": "CANARY"},
                )
            ]
        },
    )

    [service] = services.describe("production", [ARN])

    assert service.target_groups == (make.BLUE, make.GREEN)
    assert (service.production_rule, service.strategy) == ("arn:rule", "CANARY")


def test_a_service_without_strategy_is_rolling(stub):
    stub.add_response("describe_services", {"services": [described()]})

    [service] = services.describe("production", [ARN])

    assert (service.strategy, service.controller, service.target_groups) == ("ROLLING", "ECS", ())


def test_a_truncated_answer_is_not_an_empty_cluster(stub):
    stub.add_response("describe_services", {})

    with pytest.raises(Unreachable):
        services.describe("production", [ARN])


def test_a_missing_permission_is_named(stub):
    stub.add_client_error(
        "list_clusters", service_error_code="AccessDeniedException", http_status_code=400
    )

    with pytest.raises(Denied, match="ecs:ListClusters"):
        services.clusters()


def test_pages_that_never_end_are_no_answer(stub, monkeypatch):
    monkeypatch.setattr(paging, "MOST_PAGES", 3)
    for number in range(4):
        stub.add_response("list_clusters", {"clusterArns": [], "nextToken": f"page {number}"})

    with pytest.raises(Unreachable, match="do not end"):
        services.clusters()
