"""Container Insights: how many tasks and deployments a service has, where a cluster wants it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.ecs.api import Ecs
from sandbox.measurements import ServiceSample

NAMESPACE = "ECS/ContainerInsights"
# DescribeServices takes ten at a time.
_AT_ONCE = 10


def samples(ecs: Ecs) -> list[ServiceSample]:
    """The services of all clusters whose setting containerInsights is enabled or enhanced."""
    arns = ecs.list_clusters()["clusterArns"]
    clusters = ecs.describe_clusters(clusters=arns, include=["SETTINGS"])["clusters"]
    return [
        _sample(cluster["clusterName"], service)
        for cluster in clusters
        if _observed(cluster)
        for service in _services(ecs, cluster["clusterArn"])
    ]


def _observed(cluster: Mapping[str, Any]) -> bool:
    settings = {one["name"]: one["value"] for one in cluster.get("settings", ())}
    return settings.get("containerInsights") in {"enabled", "enhanced"}


def _services(ecs: Ecs, cluster: str) -> Iterator[Mapping[str, Any]]:
    arns: list[str] = []
    token: str | None = None
    while True:
        page = ecs.list_services(cluster=cluster, maxResults=100, nextToken=token)
        arns += page["serviceArns"]
        token = page.get("nextToken")
        if not token:
            break
    for first in range(0, len(arns), _AT_ONCE):
        chunk = arns[first : first + _AT_ONCE]
        yield from ecs.describe_services(cluster=cluster, services=chunk)["services"]


def _sample(cluster: str, service: Mapping[str, Any]) -> ServiceSample:
    return ServiceSample(
        cluster=cluster,
        service=service["serviceName"],
        running=service["runningCount"],
        desired=service["desiredCount"],
        pending=service["pendingCount"],
        deployments=len(service["deployments"]),
    )
