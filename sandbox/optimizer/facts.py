"""What advice is made from: services and databases with their measured use."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import clock
from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context
from sandbox.costexplorer.meter import pages
from sandbox.ecs.account import Account
from sandbox.ecs.model import Revision, Service
from sandbox.names import ACCOUNT, REGION
from sandbox.optimizer.sizing import Size, Use

LOOK_BACK = timedelta(days=14)
_HOUR = 3600


@dataclass(frozen=True)
class ServiceFacts:
    """A Fargate service: its size, how many tasks run, its use and what scales it."""

    arn: str
    name: str
    tags: Mapping[str, str]
    task_definition: str
    container: str
    size: Size
    tasks: int
    cpu: Use
    memory: Use
    scales_by: frozenset[str]


@dataclass(frozen=True)
class DatabaseFacts:
    """A DB instance and its CPU use."""

    arn: str
    name: str
    engine: str
    instance_class: str
    multi_az: bool
    tags: tuple[tuple[str, str], ...]
    cpu: Use


class Facts:
    """Reads the live account; metrics are read free of charge, as AWS's own services do."""

    def __init__(self, sandbox: Context) -> None:
        self._sandbox = sandbox
        self._account = sandbox.of(Account)
        self._cloudwatch = sandbox.of(CloudWatch)

    async def services(self) -> list[ServiceFacts]:
        """Every service that runs tasks and has a day of metrics of its present size."""
        found = [await self._service(service) for service in self._account.services.values()]
        return [facts for facts in found if facts]

    async def databases(self) -> list[DatabaseFacts]:
        """Every DB instance."""
        known = await self._sandbox.in_moto(_databases)
        since = clock.now() - LOOK_BACK
        return [
            DatabaseFacts(
                **body,
                cpu=await self._use(
                    "AWS/RDS", "CPUUtilization", {"DBInstanceIdentifier": body["name"]}, since
                ),
            )
            for body in known
        ]

    async def _service(self, service: Service) -> ServiceFacts | None:
        tasks = self._account.running(service.arn)
        revision = self._account.active_revision(service)
        if revision is None or not tasks:
            return None
        since = max(clock.now() - LOOK_BACK, self._size_since(service, revision))
        dimensions = {"ClusterName": service.cluster, "ServiceName": service.name}
        cpu = await self._use("AWS/ECS", "CPUUtilization", dimensions, since)
        memory = await self._use("AWS/ECS", "MemoryUtilization", dimensions, since)
        if not (cpu.enough and memory.enough):
            return None
        definition = self._account.task_definitions[revision.task_definition]
        return ServiceFacts(
            arn=service.arn,
            name=f"{service.cluster}/{service.name}",
            tags=service.tags,
            task_definition=definition.arn,
            container=definition.container["name"],
            size=self._size(revision),
            tasks=tasks,
            cpu=cpu,
            memory=memory,
            scales_by=await self._scales_by(service),
        )

    def _size(self, revision: Revision) -> Size:
        body = self._account.task_definitions[revision.task_definition].body
        platform = body.get("runtimePlatform") or {}
        arm = platform.get("cpuArchitecture") == "ARM64"
        return Size(int(body.get("cpu", 256)), int(body.get("memory", 512)), arm)

    def _size_since(self, service: Service, current: Revision) -> datetime:
        """Since when the service has had its present size: use is a share of that."""
        since = current.created_at
        older = sorted(
            (r for r in self._account.revisions.values() if r.service_arn == service.arn),
            key=lambda revision: revision.created_at,
            reverse=True,
        )
        for revision in older:
            if revision.created_at > current.created_at:
                continue
            if self._size(revision) != self._size(current):
                return since
            since = revision.created_at
        # The history of metrics is older than that of revisions.
        return min(since, clock.now() - LOOK_BACK)

    async def _scales_by(self, service: Service) -> frozenset[str]:
        policies = await pages(
            self._sandbox,
            "application-autoscaling",
            "describe_scaling_policies",
            "ScalingPolicies",
            ServiceNamespace="ecs",
            ResourceId=f"service/{service.cluster}/{service.name}",
        )
        return frozenset(_predefined(policies))

    async def _use(
        self, namespace: str, name: str, dimensions: Mapping[str, str], since: datetime
    ) -> Use:
        now = clock.now()
        answer = await self._cloudwatch.get_metric_statistics(
            Namespace=namespace,
            MetricName=name,
            Dimensions=[{"Name": key, "Value": value} for key, value in dimensions.items()],
            StartTime=since,
            EndTime=now,
            Period=_HOUR,
            Statistics=["Maximum", "Average"],
        )
        points = answer["Datapoints"]
        return Use([p["Maximum"] for p in points], [p["Average"] for p in points])


def _predefined(policies: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for policy in policies:
        tracking = policy.get("TargetTrackingScalingPolicyConfiguration") or {}
        metric = tracking.get("PredefinedMetricSpecification") or {}
        if metric:
            yield metric["PredefinedMetricType"]


def _databases() -> list[dict[str, Any]]:
    from sandbox.moto_adapter import backend

    return [
        {
            "arn": database.db_instance_arn,
            "name": database.db_instance_identifier,
            "engine": database.engine,
            "instance_class": database.db_instance_class,
            "multi_az": bool(database.multi_az),
            "tags": tuple((tag["Key"], tag["Value"]) for tag in database.tags),
        }
        for database in backend("rds", ACCOUNT, REGION).databases.values()
        if database.status == "available"
    ]


def cents(amount: Decimal) -> float:
    """USD to the cent, as both services answer."""
    return float(round(amount, 2))
