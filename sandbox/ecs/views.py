"""ECS's answers, in botocore's output shapes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import Cluster, Deployment, Revision, Service, Task, TaskDefinition
from sandbox.ecs.scheduler import Scheduler
from sandbox.names import CALLER


def tag_list(tags: Mapping[str, str]) -> list[dict[str, str]]:
    """AWS's list of key and value."""
    return [{"key": key, "value": value} for key, value in tags.items()]


def present(**values: Any) -> dict[str, Any]:
    """Only what is known: AWS leaves out members rather than sending null."""
    return {name: value for name, value in values.items() if value is not None}


def task_definition(definition: TaskDefinition) -> dict[str, Any]:
    """`taskDefinition` of the register and describe answers."""
    return present(
        **{"volumes": [], "placementConstraints": [], **definition.body},
        taskDefinitionArn=definition.arn,
        family=definition.family,
        revision=definition.revision,
        status=definition.status,
        registeredAt=definition.registered_at,
        deregisteredAt=definition.deregistered_at,
        registeredBy=CALLER,
        compatibilities=["EC2", "FARGATE"],
        requiresAttributes=[],
    )


def task(item: Task, health: str) -> dict[str, Any]:
    """One entry of `tasks`; `health` is HEALTHY, UNHEALTHY or UNKNOWN."""
    return present(
        taskArn=item.arn,
        clusterArn=item.cluster_arn,
        taskDefinitionArn=item.task_definition,
        group=f"service:{item.service}",
        startedBy=f"ecs-svc/{item.revision.rsplit('/', 1)[-1]}",
        lastStatus=item.last_status,
        desiredStatus=item.desired_status,
        healthStatus=health,
        launchType="FARGATE",
        platformVersion="1.4.0",
        platformFamily="Linux",
        availabilityZone="us-east-1a",
        connectivity="CONNECTED",
        cpu=str(item.cpu),
        memory=str(item.memory),
        version=1,
        createdAt=item.created_at,
        startedAt=item.started_at,
        stoppingAt=item.stopping_at,
        stoppedAt=item.stopped_at,
        executionStoppedAt=item.stopped_at,
        stoppedReason=item.stopped_reason or None,
        stopCode=item.stop_code or None,
        attachments=[],
        attributes=[],
        overrides={"containerOverrides": [{"name": item.container}]},
        tags=[],
        containers=[_container(item, health)],
    )


def _container(item: Task, health: str) -> dict[str, Any]:
    container_arn = item.arn.replace(":task/", ":container/") + "/0"
    interfaces = [{"attachmentId": "loopback", "privateIpv4Address": "127.0.0.1"}]
    bindings = [{"bindIP": "127.0.0.1", "hostPort": item.port, "protocol": "tcp"}]
    return present(
        containerArn=container_arn,
        taskArn=item.arn,
        name=item.container,
        image=item.image,
        imageDigest=item.digest or None,
        lastStatus=item.last_status,
        healthStatus=health,
        exitCode=item.exit_code,
        reason=item.container_reason or None,
        networkInterfaces=interfaces,
        networkBindings=bindings if item.port else [],
        cpu="0",
    )


class Views:
    """Answers that need counts of running tasks."""

    def __init__(self, account: Account, scheduler: Scheduler, visible: Any) -> None:
        self._account = account
        self._scheduler = scheduler
        self._visible = visible

    def counts(self, revision: Revision) -> tuple[int, int]:
        """Running and pending tasks of a revision."""
        live = self._account.live_tasks(revision)
        running = sum(t.last_status == "RUNNING" for t in live)
        return running, len(live) - running

    def cluster(self, cluster: Cluster, include: list[str]) -> dict[str, Any]:
        """One entry of `clusters`; tags only when asked for, as on AWS."""
        tasks = [t for t in self._account.tasks.values() if t.cluster_arn == cluster.arn]
        services = [s for s in self._account.services.values() if s.cluster_arn == cluster.arn]
        return {
            "clusterArn": cluster.arn,
            "clusterName": cluster.name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": sum(t.last_status == "RUNNING" for t in tasks),
            "pendingTasksCount": sum(t.last_status in ("PROVISIONING", "PENDING") for t in tasks),
            "activeServicesCount": len(services),
            "statistics": [],
            "settings": [{"name": "containerInsights", "value": "enhanced"}],
            "capacityProviders": ["FARGATE"],
            "defaultCapacityProviderStrategy": [],
            "tags": tag_list(cluster.tags) if "TAGS" in include else [],
        }

    def service(self, service: Service, include: list[str]) -> dict[str, Any]:
        """One entry of `services`."""
        revisions = self._account.current_revisions(service)
        counts = [self.counts(revision) for revision in revisions]
        deployment = self._account.current_deployment(service)
        shown = deployment if deployment and self._visible(deployment) else None
        in_flight = shown.arn if shown and shown.in_flight else None
        return present(
            **service.settings,
            serviceArn=service.arn,
            serviceName=service.name,
            clusterArn=service.cluster_arn,
            status="ACTIVE",
            desiredCount=service.desired,
            runningCount=sum(running for running, _ in counts),
            pendingCount=sum(pending for _, pending in counts),
            taskDefinition=service.task_definition,
            deploymentConfiguration=service.configuration,
            deploymentController={"type": "ECS"},
            deployments=self._deployments(service),
            events=service.events,
            createdAt=service.created_at,
            currentServiceDeployment=in_flight,
            currentServiceRevisions=[self._current(r) for r in revisions],
            schedulingStrategy="REPLICA",
            createdBy=CALLER,
            enableECSManagedTags=False,
            propagateTags="NONE",
            enableExecuteCommand=False,
            placementConstraints=[],
            placementStrategy=[],
            tags=tag_list(service.tags) if "TAGS" in include else None,
        )

    def _current(self, revision: Revision) -> dict[str, Any]:
        running, pending = self.counts(revision)
        return {
            "arn": revision.arn,
            "requestedTaskCount": revision.want,
            "runningTaskCount": running,
            "pendingTaskCount": pending,
        }

    def _deployments(self, service: Service) -> list[dict[str, Any]]:
        """The classic list: the newest is PRIMARY, what it replaces is ACTIVE."""
        current = self._account.current_deployment(service)
        active = self._account.active_revision(service)
        entries = []
        if current and current.in_flight:
            entries.append(self._classic(service, current, "PRIMARY"))
        if active:
            before = self._deployment_of(active)
            if before:
                entries.append(self._classic(service, before, "ACTIVE" if entries else "PRIMARY"))
        if not entries and current:
            entries.append(self._classic(service, current, "PRIMARY"))
        return entries

    def _deployment_of(self, revision: Revision) -> Deployment | None:
        found = (d for d in self._account.deployments.values() if d.target == revision.arn)
        return next(found, None)

    def _classic(self, service: Service, item: Deployment, status: str) -> dict[str, Any]:
        revision = self._account.revisions[item.target]
        running, pending = self.counts(revision)
        state = "IN_PROGRESS" if item.status in ("PENDING", "IN_PROGRESS") else "FAILED"
        state = "COMPLETED" if item.status == "SUCCESSFUL" else state
        name = f"ecs-svc/{revision.arn.rsplit('/', 1)[-1]}"
        return present(
            id=name,
            status=status,
            taskDefinition=revision.task_definition,
            desiredCount=revision.want,
            runningCount=running,
            pendingCount=pending,
            failedTasks=item.failed_tasks,
            createdAt=item.created_at,
            updatedAt=item.updated_at or item.created_at,
            launchType="FARGATE",
            platformVersion="1.4.0",
            platformFamily="Linux",
            networkConfiguration=service.settings.get("networkConfiguration"),
            rolloutState=state,
            rolloutStateReason=item.status_reason or f"ECS deployment {name} {state.lower()}.",
        )

    # -- service deployments and revisions -------------------------------------------------------

    def brief(self, item: Deployment) -> dict[str, Any]:
        """One entry of ListServiceDeployments."""
        return present(
            serviceDeploymentArn=item.arn,
            serviceArn=item.service_arn,
            clusterArn=item.cluster_arn,
            createdAt=item.created_at,
            startedAt=item.started_at,
            finishedAt=item.finished_at,
            targetServiceRevisionArn=item.target,
            status=item.status,
            statusReason=item.status_reason or None,
        )

    def deployment(self, item: Deployment) -> dict[str, Any]:
        """One entry of DescribeServiceDeployments."""
        brief = self.brief(item)
        del brief["targetServiceRevisionArn"]
        return brief | present(
            stoppedAt=item.stopped_at,
            updatedAt=item.updated_at or item.created_at,
            sourceServiceRevisions=[
                self._summary(self._account.revisions[a]) for a in item.sources
            ],
            targetServiceRevision=self._summary(self._account.revisions[item.target]),
            lifecycleStage=item.stage,
            lifecycleHookDetails=[_hook(hook) for hook in item.hooks],
            deploymentConfiguration=item.configuration,
            rollback=item.rollback,
            deploymentCircuitBreaker=_breaker(item),
            alarms=_alarms(item),
        )

    def _summary(self, revision: Revision) -> dict[str, Any]:
        return self._current(revision) | {
            "requestedProductionTrafficWeight": revision.production_weight,
            "requestedTestTrafficWeight": revision.test_weight,
        }

    def revision(self, item: Revision) -> dict[str, Any]:
        """One entry of DescribeServiceRevisions."""
        resolved = present(targetGroupArn=item.target_group, productionListenerRule=item.rule)
        settings: dict[str, Any] = {
            name: item.settings[name]
            for name in ("launchType", "platformVersion", "networkConfiguration", "loadBalancers")
            if name in item.settings
        }
        return {
            "serviceRevisionArn": item.arn,
            "serviceArn": item.service_arn,
            "clusterArn": item.cluster_arn,
            "taskDefinition": item.task_definition,
            "platformFamily": "Linux",
            "containerImages": item.images,
            "guardDutyEnabled": False,
            "createdAt": item.created_at,
            "resolvedConfiguration": {"loadBalancers": [resolved] if resolved else []},
            **settings,
        }


def _hook(hook: Any) -> dict[str, Any]:
    return {
        "hookId": hook.hook_id,
        "targetType": "PAUSE",
        "status": hook.status,
        "expiresAt": hook.expires_at,
        "timeoutAction": hook.timeout_action,
    }


def _monitor(item: Deployment, enabled: bool, triggered: bool) -> str:
    if not enabled:
        return "DISABLED"
    if triggered:
        return "TRIGGERED"
    return "MONITORING" if item.in_flight else "MONITORING_COMPLETE"


def _breaker(item: Deployment) -> dict[str, Any]:
    enabled = item.configuration.get("deploymentCircuitBreaker", {}).get("enable", False)
    tripped = "circuit breaker" in item.status_reason
    return {
        "status": _monitor(item, enabled and item.strategy == "ROLLING", tripped),
        "failureCount": item.failed_tasks,
        "threshold": 3,
    }


def _alarms(item: Deployment) -> dict[str, Any]:
    configured = item.configuration.get("alarms", {})
    watching = configured.get("enable", False) and not item.ignored_alarms
    return {
        "status": _monitor(item, watching, bool(item.triggered_alarms)),
        "alarmNames": configured.get("alarmNames", []),
        "triggeredAlarmNames": item.triggered_alarms,
    }
