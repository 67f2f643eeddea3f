"""ECS service deployments: what runs, what waits for a decision, and the calls that move it.

botocore has neither paginator nor waiter for these operations; `services_stable` also succeeds
after a rollback and says nothing about a release. The pinned service deployment does.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache
from typing import Any, Literal

from aws import clients
from aws.errors import Refused, Unreachable, required, rows, translated

SERVICES = "ecs:DescribeServices"
LIST = "ecs:ListServiceDeployments"
DESCRIBE = "ecs:DescribeServiceDeployments"
DESCRIBE_AT_ONCE = 20  # the most ARNs one Describe call takes
LIST_PAGES = 10  # of 100 deployments; a longer history is cut, never looped over for ever

IN_FLIGHT = (
    "PENDING",
    "IN_PROGRESS",
    "STOP_REQUESTED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
)
AWAITING_ACTION = "AWAITING_ACTION"
_GONE = {
    "ServiceDeploymentNotFoundException",
    "ServiceNotFoundException",
    "ClusterNotFoundException",
}


@dataclass(frozen=True, slots=True)
class RevisionState:
    """One revision's part in a deployment. Weights are percent of the production traffic."""

    arn: str
    requested: int = 0
    running: int = 0
    pending: int = 0
    production_weight: float | None = None
    test_weight: float | None = None


@dataclass(frozen=True, slots=True)
class Hook:
    """A lifecycle hook that ECS invoked; each pause has an id of its own."""

    hook_id: str
    target_type: str
    status: str
    expires_at: datetime | None = None
    timeout_action: str = ""

    @property
    def awaits_action(self) -> bool:
        return self.target_type == "PAUSE" and self.status == AWAITING_ACTION


@dataclass(frozen=True, slots=True)
class ServiceDeployment:
    """A service deployment as ECS describes it now. Unknown words of ECS are kept as they are."""

    arn: str
    status: str
    service_arn: str = ""
    cluster_arn: str = ""
    status_reason: str = ""
    lifecycle_stage: str = ""
    created_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    sources: tuple[RevisionState, ...] = ()
    target: RevisionState | None = None
    hooks: tuple[Hook, ...] = ()
    configuration: dict[str, Any] = field(default_factory=dict)
    rollback_reason: str = ""
    triggered_alarms: tuple[str, ...] = ()

    @property
    def waiting_hooks(self) -> tuple[Hook, ...]:
        return tuple(hook for hook in self.hooks if hook.awaits_action)

    @property
    def strategy(self) -> str:
        return str(self.configuration.get("strategy", "ROLLING"))


@dataclass(frozen=True, slots=True)
class DeploymentBrief:
    """One line of ListServiceDeployments."""

    arn: str
    status: str
    target_revision_arn: str
    created_at: datetime
    finished_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ServiceFacts:
    """What DescribeServices says about a service's readiness for a release. Counts are tasks."""

    status: str
    controller: str
    task_definition: str
    desired: int
    running: int
    pending: int
    configuration: dict[str, Any] = field(default_factory=dict)
    rollout_state: str = ""
    current_deployment: str = ""
    current_revision: str = ""
    load_balancers: int = 0

    @property
    def is_steady(self) -> bool:
        return self.running == self.desired and not self.pending

    @property
    def alarm_names(self) -> tuple[str, ...]:
        """The alarms that would roll a deployment back; none if they are switched off."""
        alarms = self.configuration.get("alarms", {})
        return tuple(alarms.get("alarmNames", ())) if alarms.get("enable") else ()


@cache
def reader() -> Any:
    return clients.make("ecs")


@cache
def changer() -> Any:
    return clients.make("ecs", changes=True)


def list_deployments(
    *,
    cluster: str,
    service: str,
    created_after: datetime | None = None,
    status: Sequence[str] = (),
) -> list[DeploymentBrief]:
    """Return the service's deployments, newest first as ECS lists them.

    A long history is cut; a list that was narrowed to a status is whole.

    :raises aws.errors.AwsError: if ECS cannot be asked.
    """
    request: dict[str, Any] = {"cluster": cluster, "service": service, "maxResults": 100}
    if created_after:
        request["createdAt"] = {"after": created_after}
    if status:
        request["status"] = list(status)
    found: list[DeploymentBrief] = []
    for _ in range(LIST_PAGES):
        with translated(LIST):
            answer = reader().list_service_deployments(**request)
        found += [_brief(row) for row in rows(answer, "serviceDeployments", LIST)]
        if not answer.get("nextToken"):
            return found
        request["nextToken"] = answer["nextToken"]
    if status:
        # "None is in flight" must not be said of a list that was not read to its end.
        raise Unreachable(f"{LIST}: the pages do not end.", operation=LIST)
    return found


def describe_deployments(arns: Iterable[str]) -> dict[str, ServiceDeployment]:
    """Return the deployments by ARN; one that ECS no longer knows is left out."""
    found: dict[str, ServiceDeployment] = {}
    for chunk in chunks(arns):
        with translated(DESCRIBE):
            answer = reader().describe_service_deployments(serviceDeploymentArns=chunk)
        seen = [_deployment(row) for row in rows(answer, "serviceDeployments", DESCRIBE)]
        found |= {deployment.arn: deployment for deployment in seen}
    return found


def service_facts(*, cluster: str, service: str) -> ServiceFacts:
    """Return the service as ECS describes it now.

    :raises aws.errors.Refused: if ECS does not know it.
    """
    with translated(SERVICES):
        answer = reader().describe_services(cluster=cluster, services=[service])
    found = rows(answer, "services", SERVICES)
    if not found:
        raise Refused(
            f"ECS does not know the service {service} in cluster {cluster}.",
            code="MISSING",
            operation=SERVICES,
        )
    return _facts(found[0])


def update_service(
    *, cluster: str, service: str, task_definition: str = "", configuration: dict[str, Any]
) -> dict[str, Any]:
    """Start a deployment of `task_definition`; without one, only the configuration is stored.

    Never sends `loadBalancers` (ECS itself alternates the target groups) nor `forceNewDeployment`.

    :returns: `{"taskDefinition": ARN the service now wants}`
    """
    request: dict[str, Any] = {
        "cluster": cluster,
        "service": service,
        "deploymentConfiguration": configuration,
    }
    if task_definition:
        request["taskDefinition"] = task_definition
    with translated("ecs:UpdateService"):
        answer = changer().update_service(**request)
    updated = required(answer, "service", "ecs:UpdateService")
    return {"taskDefinition": updated.get("taskDefinition", "")}


def continue_deployment(*, arn: str, hook_id: str, action: Literal["CONTINUE", "ROLLBACK"]) -> None:
    """Answer one waiting pause.

    :raises aws.errors.Refused: also if the pause has been answered or has expired meanwhile.
    """
    with translated("ecs:ContinueServiceDeployment"):
        answer = changer().continue_service_deployment(
            serviceDeploymentArn=arn, hookId=hook_id, action=action
        )
    # What does not say so was not said by ECS: a proxy's page is an empty answer to botocore.
    required(answer, "serviceDeploymentArn", "ecs:ContinueServiceDeployment")


def stop_deployment(*, arn: str) -> None:
    """Have ECS roll the deployment back; also works where rollback was never configured.

    :raises aws.errors.Refused: also if the deployment is already finished.
    """
    with translated("ecs:StopServiceDeployment"):
        answer = changer().stop_service_deployment(serviceDeploymentArn=arn, stopType="ROLLBACK")
    required(answer, "serviceDeploymentArn", "ecs:StopServiceDeployment")


def is_gone(error: Refused) -> bool:
    """Whether ECS says that it does not know the deployment, its service or its cluster."""
    return error.code in _GONE


def chunks(arns: Iterable[str]) -> list[list[str]]:
    """Return the distinct ARNs in parts as large as one Describe call takes."""
    wanted = list(dict.fromkeys(arns))
    return [wanted[at : at + DESCRIBE_AT_ONCE] for at in range(0, len(wanted), DESCRIBE_AT_ONCE)]


def _brief(row: dict[str, Any]) -> DeploymentBrief:
    return DeploymentBrief(
        arn=required(row, "serviceDeploymentArn", LIST),
        status=required(row, "status", LIST),
        target_revision_arn=required(row, "targetServiceRevisionArn", LIST),
        created_at=required(row, "createdAt", LIST),
        finished_at=row.get("finishedAt"),
    )


def _deployment(row: dict[str, Any]) -> ServiceDeployment:
    target = row.get("targetServiceRevision")
    return ServiceDeployment(
        arn=required(row, "serviceDeploymentArn", DESCRIBE),
        status=required(row, "status", DESCRIBE),
        service_arn=row.get("serviceArn", ""),
        cluster_arn=row.get("clusterArn", ""),
        status_reason=row.get("statusReason", ""),
        lifecycle_stage=row.get("lifecycleStage", ""),
        created_at=required(row, "createdAt", DESCRIBE),
        started_at=row.get("startedAt"),
        finished_at=row.get("finishedAt"),
        sources=tuple(_revision_state(each) for each in row.get("sourceServiceRevisions", [])),
        target=_revision_state(target) if target else None,
        hooks=tuple(_hook(each) for each in row.get("lifecycleHookDetails", [])),
        configuration=row.get("deploymentConfiguration", {}),
        rollback_reason=row.get("rollback", {}).get("reason", ""),
        triggered_alarms=tuple(row.get("alarms", {}).get("triggeredAlarmNames", ())),
    )


def _revision_state(row: dict[str, Any]) -> RevisionState:
    return RevisionState(
        arn=required(row, "arn", DESCRIBE),
        requested=row.get("requestedTaskCount", 0),
        running=row.get("runningTaskCount", 0),
        pending=row.get("pendingTaskCount", 0),
        production_weight=row.get("requestedProductionTrafficWeight"),
        test_weight=row.get("requestedTestTrafficWeight"),
    )


def _hook(row: dict[str, Any]) -> Hook:
    return Hook(
        hook_id=row.get("hookId", ""),
        target_type=row.get("targetType", ""),
        status=required(row, "status", DESCRIBE),
        expires_at=row.get("expiresAt"),
        timeout_action=row.get("timeoutAction", ""),
    )


def _facts(row: dict[str, Any]) -> ServiceFacts:
    primary: dict[str, Any] = next(
        (each for each in row.get("deployments", []) if each.get("status") == "PRIMARY"), {}
    )
    revisions = row.get("currentServiceRevisions", [])
    return ServiceFacts(
        status=required(row, "status", SERVICES),
        controller=row.get("deploymentController", {}).get("type", "ECS"),
        task_definition=row.get("taskDefinition", ""),
        desired=required(row, "desiredCount", SERVICES),
        running=required(row, "runningCount", SERVICES),
        pending=required(row, "pendingCount", SERVICES),
        configuration=row.get("deploymentConfiguration", {}),
        rollout_state=primary.get("rolloutState", ""),
        current_deployment=row.get("currentServiceDeployment", ""),
        current_revision=revisions[0].get("arn", "") if revisions else "",
        load_balancers=len(row.get("loadBalancers", [])),
    )
