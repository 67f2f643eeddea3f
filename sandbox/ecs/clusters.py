"""ECS's operations on clusters and their capacity providers."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs import fargate_only
from sandbox.ecs.model import Cluster
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing, tag_mapping
from sandbox.ecs.validation import refuse
from sandbox.errors import AwsError
from sandbox.names import ecs_arn, last_part

PROVIDERS = ("FARGATE", "FARGATE_SPOT")
_NAME = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
_INSIGHTS = ("enabled", "enhanced", "disabled")


class Clusters(Part):
    """Clusters."""

    def create_cluster(
        self,
        clusterName: str = "default",
        tags: Sequence[Mapping[str, str]] = (),
        settings: Sequence[Mapping[str, str]] = (),
        capacityProviders: Sequence[str] = PROVIDERS,
        **unsupported: Any,
    ) -> Answer:
        """Create a cluster, or return the one of that name.

        Raises InvalidParameter… or UnsupportedFeatureException.
        """
        if not _NAME.match(clusterName):
            raise refuse("Cluster name contains invalid characters.")
        if unknown := [each for each in capacityProviders if each not in PROVIDERS]:
            raise refuse(f"The specified capacity provider {unknown[0]} was not found.")
        fargate_only.nothing_else(unsupported)
        arn = ecs_arn("cluster", clusterName)
        cluster = self.account.clusters.get(arn) or Cluster(arn, clusterName, tag_mapping(tags))
        if settings:
            cluster.settings = _settings(settings)
        self.account.save(cluster)
        return {"cluster": self.views.cluster(cluster, ["TAGS", "SETTINGS"])}

    def update_cluster_settings(
        self, cluster: str, settings: Sequence[Mapping[str, str]]
    ) -> Answer:
        """Turn Container Insights on or off. Raises ClusterNotFound… or InvalidParameter…"""
        found = self.account.cluster(cluster)
        found.settings = _settings(settings)
        self.account.save(found)
        return {"cluster": self.views.cluster(found, ["SETTINGS"])}

    def delete_cluster(self, cluster: str) -> Answer:
        """Delete an empty cluster.

        Raises ClusterNotFound…, ClusterContainsServices… or ClusterContainsTasksException.
        """
        found = self.account.cluster(cluster)
        services = [s for s in self.account.services.values() if s.cluster_arn == found.arn]
        if any(service.status == "ACTIVE" for service in services):
            message = "The Cluster cannot be deleted while Services are active."
            raise AwsError("ClusterContainsServicesException", message)
        tasks = [t for t in self.account.tasks.values() if t.cluster_arn == found.arn]
        if any(task.last_status != "STOPPED" for task in tasks):
            message = "The Cluster cannot be deleted while Tasks are active."
            raise AwsError("ClusterContainsTasksException", message)
        self.account.forget(found)
        return {"cluster": self.views.cluster(found, []) | {"status": "INACTIVE"}}

    def list_clusters(self, nextToken: str | None = None, maxResults: int | None = None) -> Answer:
        """ARNs of all clusters, by page."""
        arns, more = page(
            sorted(self.account.clusters),
            nextToken,
            maxResults,
            of={"operation": "ListClusters"},
            default=100,
            most=100,
        )
        return {"clusterArns": arns, **more}

    def describe_clusters(
        self, clusters: Sequence[str] = ("default",), include: Sequence[str] = ()
    ) -> Answer:
        """Clusters by name or ARN; the unknown ones as failures."""
        if len(clusters) > 100:
            raise refuse("Clusters can have at most 100 items.")
        known = {c.name: c for c in self.account.clusters.values()}
        wanted = [last_part(reference) for reference in clusters]
        return {
            "clusters": [self.views.cluster(known[n], include) for n in wanted if n in known],
            "failures": [missing(ecs_arn("cluster", n)) for n in wanted if n not in known],
        }

    def describe_capacity_providers(
        self,
        capacityProviders: Sequence[str] = PROVIDERS,
        cluster: str | None = None,
        include: Sequence[str] = (),
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """FARGATE and FARGATE_SPOT; others as failures. Raises ClusterNotFoundException."""
        if cluster is not None:
            self.account.cluster(cluster)
        names = [last_part(each) for each in capacityProviders]
        shown, more = page(
            [n for n in names if n in PROVIDERS],
            nextToken,
            maxResults,
            of={"operation": "DescribeCapacityProviders", "names": names},
            default=10,
            most=10,
        )
        failures = [missing(ecs_arn("capacity-provider", n)) for n in names if n not in PROVIDERS]
        return {"capacityProviders": [_provider(n) for n in shown], "failures": failures, **more}


def _provider(name: str) -> dict[str, Any]:
    arn = ecs_arn("capacity-provider", name)
    return {
        "capacityProviderArn": arn,
        "name": name,
        "status": "ACTIVE",
        "type": name,
        "tags": [],
    }


def _settings(given: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    for each in given:
        if each.get("name") != "containerInsights" or each.get("value") not in _INSIGHTS:
            raise refuse("Cluster settings are containerInsights: enabled, enhanced or disabled.")
    return [dict(each) for each in given]
