"""ECS's operations. Each method is named like the operation and takes botocore's parameters."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sandbox.ecs import validation, views
from sandbox.ecs.account import Account
from sandbox.ecs.controller import Controller
from sandbox.ecs.model import Cluster, Deployment, Service, Task, TaskDefinition, now
from sandbox.ecs.pages import page
from sandbox.ecs.scheduler import Scheduler
from sandbox.ecs.validation import refuse
from sandbox.ecs.views import Views, tag_list
from sandbox.errors import AwsError
from sandbox.names import ecs_arn, last_part
from sandbox.settings import Settings

Answer = dict[str, Any]


class Part:
    """What every group of operations works with."""

    def __init__(
        self,
        account: Account,
        scheduler: Scheduler,
        controller: Controller,
        settings: Settings,
    ) -> None:
        self.account = account
        self.scheduler = scheduler
        self.controller = controller
        self.visibility = timedelta(seconds=settings.visibility_seconds)
        self.views = Views(account, scheduler, self.visible)

    def visible(self, deployment: Deployment) -> bool:
        """A new deployment shows up a moment after UpdateService answered, as on AWS."""
        return now() >= deployment.created_at + self.visibility


class Clusters(Part):
    """Clusters."""

    def create_cluster(
        self, clusterName: str = "default", tags: Sequence[Mapping[str, str]] = (), **_: Any
    ) -> Answer:
        """Create a cluster, or return the one of that name."""
        arn = ecs_arn("cluster", clusterName)
        cluster = self.account.clusters.get(arn) or Cluster(arn, clusterName, _tags(tags))
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
            "failures": [_missing(ecs_arn("cluster", n)) for n in wanted if n not in known],
        }


class TaskDefinitions(Part):
    """Task definitions."""

    def register_task_definition(
        self, family: str, tags: Sequence[Mapping[str, str]] = (), **body: Any
    ) -> Answer:
        """Register the next revision of a family. The image is not looked at, as on AWS."""
        validation.task_definition(family, body)
        revisions = [
            t.revision for t in self.account.task_definitions.values() if t.family == family
        ]
        revision = max(revisions, default=0) + 1
        definition = TaskDefinition(
            arn=ecs_arn("task-definition", f"{family}:{revision}"),
            family=family,
            revision=revision,
            status="ACTIVE",
            registered_at=now(),
            body=body,
            tags=_tags(tags),
        )
        self.account.save(definition)
        return self._shown(definition, ["TAGS"])

    def describe_task_definition(self, taskDefinition: str, include: Sequence[str] = ()) -> Answer:
        """One task definition; raises ClientException."""
        return self._shown(self.account.task_definition(taskDefinition), include)

    def deregister_task_definition(self, taskDefinition: str) -> Answer:
        """Mark a revision INACTIVE; running services keep it."""
        definition = self.account.task_definition(taskDefinition)
        definition.status, definition.deregistered_at = "INACTIVE", now()
        self.account.save(definition)
        return {"taskDefinition": views.task_definition(definition)}

    def list_task_definitions(
        self,
        familyPrefix: str = "",
        status: str = "ACTIVE",
        sort: str = "ASC",
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """ARNs by family and revision, by page."""
        chosen = [
            t
            for t in self.account.task_definitions.values()
            if t.status == status and familyPrefix in ("", t.family)
        ]
        chosen.sort(key=lambda t: (t.family, t.revision), reverse=sort == "DESC")
        arns, more = page([t.arn for t in chosen], nextToken, maxResults, default=100, most=100)
        return {"taskDefinitionArns": arns, **more}

    def _shown(self, definition: TaskDefinition, include: Sequence[str]) -> Answer:
        answer: Answer = {"taskDefinition": views.task_definition(definition)}
        return answer | ({"tags": tag_list(definition.tags)} if "TAGS" in include else {})


class Tasks(Part):
    """Tasks."""

    def list_tasks(
        self,
        cluster: str | None = None,
        serviceName: str | None = None,
        family: str | None = None,
        desiredStatus: str = "RUNNING",
        startedBy: str | None = None,
        launchType: str = "FARGATE",
        nextToken: str | None = None,
        maxResults: int | None = None,
        **_: Any,
    ) -> Answer:
        """ARNs of tasks by desired status, by page; raises ClusterNotFound and ServiceNotFound."""
        where = self.account.cluster(cluster)
        service = self.account.service(cluster, serviceName) if serviceName else None
        chosen = [
            task.arn
            for task in self.account.tasks.values()
            if task.cluster_arn == where.arn
            and task.desired_status == desiredStatus
            and (service is None or task.service == service.name)
            and (family is None or f"/{family}:" in task.task_definition)
            and (startedBy is None or task.revision.endswith(last_part(startedBy)))
            and launchType == "FARGATE"
        ]
        arns, more = page(sorted(chosen), nextToken, maxResults, default=100, most=100)
        return {"taskArns": arns, **more}

    def describe_tasks(
        self, tasks: Sequence[str], cluster: str | None = None, include: Sequence[str] = ()
    ) -> Answer:
        """Tasks by id or ARN, at most 100; the unknown ones as failures."""
        where = self.account.cluster(cluster)
        if len(tasks) > 100:
            raise refuse("Tasks can have at most 100 items.")
        wanted = [ecs_arn("task", where.name, last_part(reference)) for reference in tasks]
        known = self.account.tasks
        return {
            "tasks": [self._task(known[arn]) for arn in wanted if arn in known],
            "failures": [_missing(arn) for arn in wanted if arn not in known],
        }

    def stop_task(self, task: str, cluster: str | None = None, reason: str = "") -> Answer:
        """Stop one task; its service starts another. Raises InvalidParameterException."""
        where = self.account.cluster(cluster)
        found = self.account.tasks.get(ecs_arn("task", where.name, last_part(task)))
        if found is None:
            raise refuse("The referenced task was not found.")
        self.scheduler.stop(found, reason or "Task stopped by user", "UserInitiated")
        return {"task": self._task(found)}

    def _task(self, task: Task) -> dict[str, Any]:
        healthy = self.scheduler.is_healthy(task, self.account.revisions[task.revision])
        return views.task(task, "HEALTHY" if healthy else "UNKNOWN")


class ServiceDeployments(Part):
    """Service deployments and revisions."""

    def list_service_deployments(
        self,
        service: str,
        cluster: str | None = None,
        status: Sequence[str] = (),
        createdAt: Mapping[str, datetime] | None = None,
        nextToken: str | None = None,
        maxResults: int | None = None,
    ) -> Answer:
        """Newest first, 20 a page unless asked for another number (at most 100)."""
        owner = self.account.service(cluster, service)
        window = createdAt or {}
        chosen = [
            d
            for d in self.account.deployments.values()
            if d.service_arn == owner.arn
            and self.visible(d)
            and (not status or d.status in status)
            and ("after" not in window or d.created_at >= window["after"])
            and ("before" not in window or d.created_at <= window["before"])
        ]
        chosen.sort(key=lambda d: d.created_at, reverse=True)
        shown, more = page(chosen, nextToken, maxResults, default=20, most=100)
        return {"serviceDeployments": [self.views.brief(d) for d in shown], **more}

    def describe_service_deployments(self, serviceDeploymentArns: Sequence[str]) -> Answer:
        """At most 20 deployments by ARN; unknown ones as failures MISSING."""
        known, missing = _sort_out(serviceDeploymentArns, self.account.deployments)
        return {
            "serviceDeployments": [self.views.deployment(d) for d in known],
            "failures": missing,
        }

    def describe_service_revisions(self, serviceRevisionArns: Sequence[str]) -> Answer:
        """At most 20 revisions by ARN; unknown ones as failures MISSING."""
        known, missing = _sort_out(serviceRevisionArns, self.account.revisions)
        return {"serviceRevisions": [self.views.revision(r) for r in known], "failures": missing}

    def continue_service_deployment(
        self, serviceDeploymentArn: str, hookId: str, action: str = "CONTINUE"
    ) -> Answer:
        """Answer a waiting PAUSE hook with CONTINUE or ROLLBACK."""
        deployment = self.account.deployment(serviceDeploymentArn)
        if action not in ("CONTINUE", "ROLLBACK"):
            raise refuse(f"The action {action} is not supported.")
        self.controller.resume(deployment, hookId, action)
        return {"serviceDeploymentArn": deployment.arn}

    def stop_service_deployment(
        self, serviceDeploymentArn: str, stopType: str = "ROLLBACK"
    ) -> Answer:
        """Roll a deployment back; only ROLLBACK is supported, as on AWS."""
        deployment = self.account.deployment(serviceDeploymentArn)
        if stopType != "ROLLBACK":
            raise refuse(f"The stop type {stopType} is not supported.")
        self.controller.stop(deployment)
        return {"serviceDeploymentArn": deployment.arn}


class Services(Part):
    """Services."""

    def create_service(
        self,
        serviceName: str,
        taskDefinition: str,
        cluster: str | None = None,
        desiredCount: int = 0,
        deploymentConfiguration: Mapping[str, Any] | None = None,
        tags: Sequence[Mapping[str, str]] = (),
        **settings: Any,
    ) -> Answer:
        """Create a service and start its first deployment."""
        where = self.account.cluster(cluster)
        if self.account.find_service(where, serviceName):
            raise refuse("Creation of service was not idempotent.")
        definition = self.account.task_definition(taskDefinition)
        configuration = validation.deployment_configuration(deploymentConfiguration or {})
        validation.strategy_fits(configuration, settings.get("loadBalancers", []))
        service = Service(
            arn=ecs_arn("service", where.name, serviceName),
            name=serviceName,
            cluster=where.name,
            cluster_arn=where.arn,
            desired=desiredCount,
            task_definition=definition.arn,
            configuration=configuration,
            settings=_settings(settings),
            created_at=now(),
            tags=_tags(tags),
        )
        self.account.save(service)
        self.controller.start(service, definition)
        return {"service": self.views.service(service, ["TAGS"])}

    def update_service(
        self,
        service: str,
        cluster: str | None = None,
        desiredCount: int | None = None,
        taskDefinition: str | None = None,
        deploymentConfiguration: Mapping[str, Any] | None = None,
        forceNewDeployment: bool = False,
        **settings: Any,
    ) -> Answer:
        """Change a service. A new task definition starts a deployment.

        The same task definition without forceNewDeployment starts none. AWS's documents do not
        say what happens then; a no-op is the reading under which a retry does no harm.
        """
        found = self.account.service(cluster, service)
        wanted = taskDefinition or found.task_definition
        definition = self.account.task_definition(wanted)
        if definition.status != "ACTIVE" and taskDefinition:
            raise AwsError("ClientException", "TaskDefinition is inactive")
        if deploymentConfiguration is not None:
            configuration = validation.deployment_configuration(deploymentConfiguration)
            validation.strategy_fits(configuration, found.load_balancers)
            found.configuration = configuration
        found.settings |= _settings(settings) if settings else {}
        if desiredCount is not None:
            self.controller.scale(found, desiredCount)
        if forceNewDeployment or definition.arn != found.task_definition:
            self.controller.start(found, definition)
        self.account.save(found)
        return {"service": self.views.service(found, ["TAGS"])}

    def describe_services(
        self, services: Sequence[str], cluster: str | None = None, include: Sequence[str] = ()
    ) -> Answer:
        """At most 10 services; unknown ones as failures MISSING."""
        where = self.account.cluster(cluster)
        if not 1 <= len(services) <= 10:
            raise refuse("Services must have between 1 and 10 items.")
        pairs = [(name, self.account.find_service(where, name)) for name in services]
        return {
            "services": [self.views.service(s, list(include)) for _, s in pairs if s],
            "failures": [
                _missing(ecs_arn("service", where.name, last_part(n))) for n, s in pairs if not s
            ],
        }

    def list_services(
        self,
        cluster: str | None = None,
        nextToken: str | None = None,
        maxResults: int | None = None,
        launchType: str = "FARGATE",
        schedulingStrategy: str = "REPLICA",
        **_: Any,
    ) -> Answer:
        """ARNs of the cluster's services, 10 a page unless asked for another number."""
        where = self.account.cluster(cluster)
        fits = launchType == "FARGATE" and schedulingStrategy == "REPLICA"
        arns = sorted(a for a, s in self.account.services.items() if s.cluster_arn == where.arn)
        shown, more = page(arns if fits else [], nextToken, maxResults, default=10, most=100)
        return {"serviceArns": shown, **more}

    def list_tags_for_resource(self, resourceArn: str) -> Answer:
        """Tags of a cluster, service or task definition; raises InvalidParameterException."""
        shelves: tuple[Mapping[str, Any], ...] = (
            self.account.clusters,
            self.account.services,
            self.account.task_definitions,
        )
        for shelf in shelves:
            if resourceArn in shelf:
                return {"tags": tag_list(shelf[resourceArn].tags)}
        raise refuse("The specified resource was not found.")


class Ecs(Clusters, TaskDefinitions, Services, Tasks, ServiceDeployments):
    """All operations of ECS this sandbox answers; the gateway looks them up by name."""


_KEPT = (
    "loadBalancers",
    "networkConfiguration",
    "platformVersion",
    "launchType",
    "healthCheckGracePeriodSeconds",
)


def _tags(tags: Sequence[Mapping[str, str]]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in tags}


def _missing(arn: str) -> dict[str, str]:
    return {"arn": arn, "reason": "MISSING"}


def _settings(given: Mapping[str, Any]) -> dict[str, Any]:
    """What of CreateService and UpdateService is kept as it was given."""
    return {name: given[name] for name in _KEPT if name in given}


def _sort_out(arns: Sequence[str], shelf: Mapping[str, Any]) -> tuple[list[Any], list[Answer]]:
    if not 1 <= len(arns) <= 20:
        raise refuse("The list must have between 1 and 20 ARNs.")
    known = [shelf[arn] for arn in arns if arn in shelf]
    return known, [_missing(arn) for arn in arns if arn not in shelf]
