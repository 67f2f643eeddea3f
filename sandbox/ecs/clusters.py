"""ECS's operations on clusters."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs.model import Cluster
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing, tag_mapping
from sandbox.ecs.validation import refuse
from sandbox.names import ecs_arn, last_part


class Clusters(Part):
    """Clusters."""

    def create_cluster(
        self, clusterName: str = "default", tags: Sequence[Mapping[str, str]] = (), **_: Any
    ) -> Answer:
        """Create a cluster, or return the one of that name."""
        arn = ecs_arn("cluster", clusterName)
        cluster = self.account.clusters.get(arn) or Cluster(arn, clusterName, tag_mapping(tags))
        self.account.save(cluster)
        return {"cluster": self.views.cluster(cluster, ["TAGS"])}

    def list_clusters(self, nextToken: str | None = None, maxResults: int | None = None) -> Answer:
        """ARNs of all clusters, by page."""
        arns, more = page(
            sorted(self.account.clusters), nextToken, maxResults, default=100, most=100
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
            "clusters": [self.views.cluster(known[n], list(include)) for n in wanted if n in known],
            "failures": [missing(ecs_arn("cluster", n)) for n in wanted if n not in known],
        }
