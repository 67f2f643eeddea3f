"""What the portal reads of ECS clusters and services."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from aws import clients
from aws.errors import Garbled, required, rows, translated
from aws.paging import pages

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient

CLUSTERS = "ecs:DescribeClusters"
SERVICES = "ecs:DescribeServices"
# Limits of the API: DescribeServices takes 10 names, DescribeClusters 100.
SERVICES_PER_CALL = 10
CLUSTERS_PER_CALL = 100


@dataclass(frozen=True, slots=True)
class Cluster:
    arn: str
    name: str
    tags: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class EcsService:
    """One service as DescribeServices answers; counts are tasks."""

    arn: str
    name: str
    cluster: str
    status: str
    controller: str
    strategy: str
    desired_count: int
    running_count: int
    pending_count: int
    task_definition: str
    # The target group of the service, then its alternate if it has one.
    target_groups: tuple[str, ...]
    production_rule: str
    current_deployment: str
    tags: Mapping[str, str]


@cache
def client() -> ECSClient:
    return clients.make("ecs")  # type: ignore[no-any-return]


def clusters() -> list[Cluster]:
    """Return all clusters of the account and region with their tags.

    :raises AwsError: see `aws.errors`.
    """
    listed = pages(client().get_paginator("list_clusters"), "ecs:ListClusters")
    arns = [arn for page in listed for arn in required(page, "clusterArns", "ecs:ListClusters")]
    return [cluster for some in _parts(arns, CLUSTERS_PER_CALL) for cluster in _describe(some)]


def _describe(arns: Sequence[str]) -> Iterator[Cluster]:
    with translated(CLUSTERS):
        answer = client().describe_clusters(clusters=arns, include=["TAGS"])
    for raw in _told(answer, "clusters", CLUSTERS, asked=len(arns)):
        yield Cluster(
            required(raw, "clusterArn", CLUSTERS),
            required(raw, "clusterName", CLUSTERS),
            _tags(raw.get("tags", [])),
        )


def services(cluster: str) -> list[EcsService]:
    """Return all services of a cluster.

    :raises AwsError: see `aws.errors`.
    """
    listed = pages(client().get_paginator("list_services"), "ecs:ListServices", cluster=cluster)
    arns = [arn for page in listed for arn in required(page, "serviceArns", "ecs:ListServices")]
    return [found for some in _parts(arns, SERVICES_PER_CALL) for found in describe(cluster, some)]


def describe(cluster: str, names: Sequence[str]) -> list[EcsService]:
    """Return up to 10 services of a cluster by name or ARN; unknown ones are left out.

    :raises aws.errors.Garbled: if ECS says neither what one of them is nor that it is not.
    """
    with translated(SERVICES):
        answer = client().describe_services(cluster=cluster, services=names, include=["TAGS"])
    return [_service(raw) for raw in _told(answer, "services", SERVICES, asked=len(names))]


def _told(answer: Mapping[str, Any], name: str, operation: str, *, asked: int) -> list[Any]:
    """Return the rows; together with `failures` they must speak of everything asked for."""
    found = rows(answer, name, operation)
    if len(found) + len(answer.get("failures", [])) < asked:
        raise Garbled(f"{operation}: the answer lacks {name}.", operation=operation)
    return found


def _service(raw: Any) -> EcsService:
    balancers = raw.get("loadBalancers", [])
    advanced = balancers[0].get("advancedConfiguration", {}) if balancers else {}
    groups = [balancer.get("targetGroupArn", "") for balancer in balancers[:1]]
    groups.append(advanced.get("alternateTargetGroupArn", ""))
    return EcsService(
        arn=required(raw, "serviceArn", SERVICES),
        name=required(raw, "serviceName", SERVICES),
        cluster=required(raw, "clusterArn", SERVICES).rpartition("/")[2],
        status=required(raw, "status", SERVICES),
        controller=raw.get("deploymentController", {}).get("type", "ECS"),
        strategy=raw.get("deploymentConfiguration", {}).get("strategy", "ROLLING"),
        desired_count=required(raw, "desiredCount", SERVICES),
        running_count=required(raw, "runningCount", SERVICES),
        pending_count=required(raw, "pendingCount", SERVICES),
        task_definition=raw.get("taskDefinition", ""),
        target_groups=tuple(group for group in groups if group),
        production_rule=advanced.get("productionListenerRule", ""),
        current_deployment=raw.get("currentServiceDeployment", ""),
        tags=_tags(raw.get("tags", [])),
    )


def _tags(raw: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in raw}


def _parts(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]
