"""Container Insights: only where a cluster asks for it, and what ECS counts."""

from __future__ import annotations

import pytest

from sandbox.cloudwatch import container_insights
from sandbox.measurements import ServiceSample


class Ecs:
    """Two pages of services in every cluster, and clusters with these settings."""

    def __init__(self, **settings):
        self.settings = settings

    def list_clusters(self):
        return {"clusterArns": list(self.settings)}

    def describe_clusters(self, clusters, include):
        assert include == ["SETTINGS"]
        found = [{"clusterArn": name, "clusterName": name} for name in clusters]
        for cluster in found:
            if self.settings[cluster["clusterName"]]:
                value = self.settings[cluster["clusterName"]]
                cluster["settings"] = [{"name": "containerInsights", "value": value}]
        return {"clusters": found}

    def list_services(self, cluster, maxResults, nextToken):  # noqa: N803
        if nextToken:
            return {"serviceArns": ["last"]}
        return {"serviceArns": [f"s{number}" for number in range(14)], "nextToken": "more"}

    def describe_services(self, cluster, services):
        assert len(services) <= 10
        return {
            "services": [
                {
                    "serviceName": name,
                    "runningCount": 3,
                    "desiredCount": 2,
                    "pendingCount": 1,
                    "deployments": [{}, {}],
                }
                for name in services
            ]
        }


def test_every_service_of_an_observed_cluster_is_counted():
    found = container_insights.samples(Ecs(production="enabled"))

    assert len(found) == 15
    assert found[-1] == ServiceSample(
        "production", "last", running=3, desired=2, pending=1, deployments=2
    )


@pytest.mark.parametrize(
    ("setting", "observed"), [("enhanced", True), ("disabled", False), (None, False)]
)
def test_the_clusters_setting_decides(setting, observed):
    assert bool(container_insights.samples(Ecs(staging=setting))) is observed
