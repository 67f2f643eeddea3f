"""ECS's answers, in botocore's output shapes."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from sandbox.ecs import breaker, reasons
from sandbox.ecs.account import Account
from sandbox.ecs.alarms import watched
from sandbox.ecs.model import Cluster, Deployment, Hook, Revision, Service, TaskDefinition
from sandbox.ecs.registering import compatibilities
from sandbox.ecs.scheduler import Scheduler
from sandbox.names import CALLER

# What CreateService takes to be unless it is told otherwise.
DEFAULTS: Mapping[str, Any] = {
    "enableECSManagedTags": False,
    "propagateTags": "NONE",
    "enableExecuteCommand": False,
    "availabilityZoneRebalancing": "DISABLED",
}


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
        compatibilities=compatibilities(definition.body),
        requiresAttributes=[],
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

    def cluster(self, cluster: Cluster, include: Collection[str]) -> dict[str, Any]:
        """One entry of `clusters`; what only some callers want only when asked for, as on AWS."""
        tasks = [t for t in self._account.tasks.values() if t.cluster_arn == cluster.arn]
        services = [s for s in self._account.services.values() if s.cluster_arn == cluster.arn]
        running = sum(t.last_status == "RUNNING" for t in tasks)
        pending = sum(t.last_status in ("PROVISIONING", "PENDING") for t in tasks)
        active = sum(s.status == "ACTIVE" for s in services)
        return {
            "clusterArn": cluster.arn,
            "clusterName": cluster.name,
            "status": "ACTIVE",
            "registeredContainerInstancesCount": 0,
            "runningTasksCount": running,
            "pendingTasksCount": pending,
            "activeServicesCount": active,
            "statistics": _statistics(running, pending, active) if "STATISTICS" in include else [],
            "settings": cluster.settings if "SETTINGS" in include else [],
            "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
            "defaultCapacityProviderStrategy": [],
            "tags": tag_list(cluster.tags) if "TAGS" in include else [],
        }

    def service(self, service: Service, include: Collection[str]) -> dict[str, Any]:
        """One entry of `services`."""
        revisions = self._account.current_revisions(service)
        counts = [self.counts(revision) for revision in revisions]
        deployment = self._account.current_deployment(service)
        shown = deployment if deployment and self._visible(deployment) else None
        in_flight = shown.arn if shown and shown.in_flight else None
        return present(
            **{n: v for n, v in service.settings.items() if n not in DEFAULTS},
            serviceArn=service.arn,
            serviceName=service.name,
            clusterArn=service.cluster_arn,
            status=service.status,
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
            **{name: service.settings.get(name, value) for name, value in DEFAULTS.items()},
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
        used = [r.arn for r in self._account.current_revisions(service)]
        shown: list[str] = []
        if current and (current.in_flight or current.status == "STOPPED" or not active):
            shown.append(current.target)
        shown += [active.arn] if active else []
        # What a rollback returns to is the primary deployment again.
        returning = bool(active and current and current.in_flight and current.rollback)
        shown = list(reversed(shown)) if returning else shown
        shown += used
        return [
            self._classic(item, "ACTIVE" if number else "PRIMARY", returning and not number)
            for number, arn in enumerate(dict.fromkeys(shown))
            for item in self._deployments_of(arn)
        ]

    def _deployments_of(self, revision: str) -> list[Deployment]:
        """The one deployment that brought a revision."""
        return [d for d in self._account.deployments.values() if d.target == revision][:1]

    def _classic(self, item: Deployment, status: str, returning: bool) -> dict[str, Any]:
        revision = self._account.revisions[item.target]
        running, pending = self.counts(revision)
        name = f"ecs-svc/{revision.arn.rsplit('/', 1)[-1]}"
        state = "IN_PROGRESS" if returning else _rollout_state(item)
        return present(
            id=name,
            status=status,
            taskDefinition=revision.task_definition,
            desiredCount=revision.want,
            runningCount=running,
            pendingCount=pending,
            failedTasks=revision.failures,
            createdAt=item.created_at,
            updatedAt=item.updated_at or item.created_at,
            launchType="FARGATE",
            platformVersion="1.4.0",
            platformFamily="Linux",
            networkConfiguration=revision.settings.get("networkConfiguration"),
            rolloutState=state,
            rolloutStateReason=_said(item, name, state, returning),
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
            deploymentCircuitBreaker=self._breaker(item),
            alarms=_alarms(item),
        )

    def _breaker(self, item: Deployment) -> dict[str, Any]:
        configured = breaker.configured(item)
        desired = self._account.service_of(item).desired
        return {
            "status": _monitor(item, configured.get("enable", False), item.breaker_tripped),
            "failureCount": item.failed_tasks,
            "threshold": item.threshold or breaker.threshold(configured, desired),
        }

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


def _said(item: Deployment, name: str, state: str, returning: bool) -> str:
    """rolloutStateReason of the classic deployment called `name`."""
    if returning:
        return reasons.rolling_back_to(name)
    if state == "FAILED":
        return reasons.rollout(name, item.status_reason)
    return f"ECS deployment {name} {'completed' if state == 'COMPLETED' else 'in progress'}."


def _rollout_state(item: Deployment) -> str:
    if item.status == "SUCCESSFUL":
        return "COMPLETED"
    going = item.status in ("PENDING", "IN_PROGRESS") and not item.breaker_tripped
    return "IN_PROGRESS" if going else "FAILED"


def _statistics(running: int, pending: int, active: int) -> list[dict[str, str]]:
    numbers = {
        "runningEC2TasksCount": 0,
        "runningFargateTasksCount": running,
        "pendingEC2TasksCount": 0,
        "pendingFargateTasksCount": pending,
        "activeEC2ServiceCount": 0,
        "activeFargateServiceCount": active,
    }
    return [{"name": name, "value": str(number)} for name, number in numbers.items()]


def _hook(hook: Hook) -> dict[str, Any]:
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


def _alarms(item: Deployment) -> dict[str, Any]:
    names = item.configuration.get("alarms", {}).get("alarmNames", [])
    watching = bool(watched(item)) and not item.ignored_alarms
    return {
        "status": _monitor(item, watching, bool(item.triggered_alarms)),
        "alarmNames": names,
        "triggeredAlarmNames": item.triggered_alarms,
    }
