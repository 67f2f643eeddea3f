"""All of ECS's operations. Methods are named like operations and take botocore's parameters."""

from __future__ import annotations

from sandbox.ecs.clusters import Clusters
from sandbox.ecs.service_deployments import ServiceDeployments
from sandbox.ecs.services import Services
from sandbox.ecs.task_definitions import TaskDefinitions
from sandbox.ecs.tasks import Tasks


class Ecs(Clusters, TaskDefinitions, Services, Tasks, ServiceDeployments):
    """All operations of ECS this sandbox answers; the gateway looks them up by name."""
