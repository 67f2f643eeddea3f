"""Everything ECS knows, in memory and on disk, with ECS's own not-found errors."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sandbox.ecs.model import (
    Cluster,
    Deployment,
    Hook,
    Revision,
    Service,
    Task,
    TaskDefinition,
    now,
)
from sandbox.errors import AwsError
from sandbox.names import last_part
from sandbox.state import State

KEPT_EVENTS = 100
KEPT_STOPPED = timedelta(hours=1)
# ECS omits an event that says what the newest of its kind said, for as long.
REPEATED_AFTER = timedelta(hours=6)
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/service-deployment.html
KEPT_DEPLOYMENTS = timedelta(days=90)
INTERRUPTED = "The host of the task was lost when the sandbox was restarted."

Stored = Cluster | TaskDefinition | Revision | Deployment | Service | Task


class Account:
    """Clusters, task definitions, services, revisions and deployments by ARN; tasks by ARN."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.clusters = {c.arn: c for c in (Cluster(**d) for d in state.all("Cluster"))}
        self.task_definitions = {
            t.arn: t for t in (TaskDefinition(**d) for d in state.all("TaskDefinition"))
        }
        self.services = {s.arn: s for s in (Service(**d) for d in state.all("Service"))}
        self.revisions = {r.arn: r for r in (Revision(**d) for d in state.all("Revision"))}
        self.deployments = {d.arn: d for d in (_deployment(d) for d in state.all("Deployment"))}
        self.tasks = {t.arn: t for t in (Task(**d) for d in state.all("Task"))}

    def save(self, *things: Stored) -> None:
        """Keep things in memory and on disk: all of them, or none when the sandbox is killed."""
        with self._state.together():
            for thing in things:
                self._shelf(thing)[thing.arn] = thing
                self._state.put(type(thing).__name__, thing.arn, asdict(thing))

    def _shelf(self, thing: Stored) -> dict[str, Any]:
        shelves: dict[str, dict[str, Any]] = {
            "Cluster": self.clusters,
            "TaskDefinition": self.task_definitions,
            "Service": self.services,
            "Revision": self.revisions,
            "Deployment": self.deployments,
            "Task": self.tasks,
        }
        return shelves[type(thing).__name__]

    def forget(self, thing: Stored) -> None:
        """Remove a thing from memory and disk."""
        self._shelf(thing).pop(thing.arn, None)
        self._state.delete(type(thing).__name__, thing.arn)

    # -- finding -------------------------------------------------------------------------------

    def cluster(self, reference: str | None) -> Cluster:
        """A cluster by name or ARN; raises ClusterNotFoundException."""
        name = last_part(reference or "default")
        for cluster in self.clusters.values():
            if cluster.name == name:
                return cluster
        raise AwsError("ClusterNotFoundException", "Cluster not found.")

    def service(self, cluster: str | None, reference: str) -> Service:
        """A service that is not deleted by name or ARN; raises ServiceNotFoundException."""
        found = self.find_service(self.cluster(cluster), reference)
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return found

    def active_service(self, cluster: str | None, reference: str) -> Service:
        """A service that takes changes; raises ServiceNotFound or ServiceNotActiveException."""
        found = self.service(cluster, reference)
        if found.status != "ACTIVE":
            raise AwsError("ServiceNotActiveException", "Service was not ACTIVE.")
        return found

    def find_service(self, cluster: Cluster, reference: str) -> Service | None:
        """A service of `cluster` by name or ARN, or None."""
        name = named_in(cluster, reference)
        for service in self.services.values():
            if service.cluster_arn == cluster.arn and service.name == name:
                return service
        return None

    def task_definition(self, reference: str) -> TaskDefinition:
        """`family`, `family:revision` or an ARN; the newest active one for a bare family.

        Raises ClientException.
        """
        name = last_part(reference)
        family, _, revision = name.partition(":")
        known = [
            t
            for t in self.task_definitions.values()
            if t.family == family
            and (str(t.revision) == revision if revision else t.status == "ACTIVE")
        ]
        if not known:
            raise AwsError("ClientException", "Unable to describe task definition.")
        return max(known, key=lambda t: t.revision)

    def deployment(self, arn: str) -> Deployment:
        """A deployment by ARN; raises ServiceDeploymentNotFoundException."""
        found = self.kept_deployments().get(arn)
        if found is None:
            message = "The service deployment does not exist."
            raise AwsError("ServiceDeploymentNotFoundException", message)
        return found

    def kept_deployments(self) -> dict[str, Deployment]:
        """The deployments of the last 90 days by ARN; ECS shows no older ones."""
        oldest = now() - KEPT_DEPLOYMENTS
        return {d.arn: d for d in self.deployments.values() if d.created_at >= oldest}

    def service_of(self, thing: Deployment | Revision) -> Service:
        """The service a deployment or revision belongs to."""
        return self.services[thing.service_arn]

    def owner_arn(self, task: Task) -> str:
        """The ARN of the service a task belongs to, its own when it belongs to none."""
        revision = self.revisions.get(task.revision)
        return revision.service_arn if revision else task.arn

    def running(self, service_arn: str) -> int:
        """How many tasks of a service run."""
        return sum(
            task.last_status == "RUNNING" and self.owner_arn(task) == service_arn
            for task in self.tasks.values()
        )

    # -- tasks and revisions of a service --------------------------------------------------------

    def live_tasks(self, revision: Revision) -> list[Task]:
        """Tasks of a revision that are meant to run."""
        return [t for t in self.tasks.values() if t.revision == revision.arn and t.live]

    def remaining_tasks(self, revision: Revision) -> list[Task]:
        """Tasks of a revision that have not stopped yet."""
        unstopped = (t for t in self.tasks.values() if t.last_status != "STOPPED")
        return [t for t in unstopped if t.revision == revision.arn]

    def current_revisions(self, service: Service) -> list[Revision]:
        """Revisions that want tasks or still have some, newest first."""
        arns = {t.revision for t in self.tasks.values() if t.last_status != "STOPPED"}
        found = [
            r
            for r in self.revisions.values()
            if r.service_arn == service.arn and (r.want or r.arn in arns)
        ]
        return sorted(found, key=lambda r: r.created_at, reverse=True)

    def active_revision(self, service: Service) -> Revision | None:
        """The revision that last became steady."""
        return self.revisions[service.active] if service.active else None

    def current_deployment(self, service: Service) -> Deployment | None:
        """The newest deployment of the service."""
        return self.deployments[service.deployment] if service.deployment else None

    def in_flight(self, service: Service) -> list[Deployment]:
        """Deployments of the service that are not over, oldest first."""
        found = [
            d for d in self.deployments.values() if d.service_arn == service.arn and d.in_flight
        ]
        return sorted(found, key=lambda d: d.created_at)

    def forget_old_tasks(self) -> None:
        """ECS shows stopped tasks for about an hour."""
        limit = now() - KEPT_STOPPED
        old = [t for t in self.tasks.values() if t.stopped_at and t.stopped_at < limit]
        for task in old:
            self.forget(task)

    def forget_old_deployments(self) -> None:
        """What ECS no longer shows is gone, but for what its services still stand on.

        A deleted service goes with the last of its deployments.
        """
        shown = self.kept_deployments()
        old = {a: d for a, d in self.deployments.items() if a not in shown and not self._stands(d)}
        if not old:
            return
        left = [d for d in self.deployments.values() if d.arn not in old]
        used = {t.revision for t in self.tasks.values()}
        used |= {arn for d in left for arn in (d.target, *d.sources)}
        alive = {d.service_arn for d in left}
        things: list[Stored] = [*old.values()]
        things += [r for r in self.revisions.values() if r.arn not in used]
        things += [
            s for s in self.services.values() if s.status == "INACTIVE" and s.arn not in alive
        ]
        with self._state.together():
            for thing in things:
                self.forget(thing)

    def _stands(self, deployment: Deployment) -> bool:
        """Whether it is still going on, or a service that is there shows it in `deployments`."""
        service = self.services.get(deployment.service_arn)
        if service is None or service.status == "INACTIVE":
            return False
        shown = deployment.arn == service.deployment or deployment.target == service.active
        return shown or deployment.in_flight

    def lose_tasks(self) -> None:
        """After a restart no process of before runs: its task has stopped and says why."""
        for task in list(self.tasks.values()):
            if task.last_status == "STOPPED":
                continue
            task.last_status = task.desired_status = "STOPPED"
            task.stopped_at = now()
            task.stopping_at = task.stopping_at or task.stopped_at
            task.stopped_reason = task.stopped_reason or INTERRUPTED
            task.stop_code = task.stop_code or "InfrastructureHealth"
            self.save(task)

    # -- events and traffic ----------------------------------------------------------------------

    def event(self, service: Service, message: str) -> None:
        """Add to the service's events."""
        entry = {"id": str(uuid4()), "createdAt": now(), "message": message}
        service.events.insert(0, entry)
        del service.events[KEPT_EVENTS:]
        self.save(service)

    def event_once(self, service: Service, message: str) -> None:
        """Add an event unless the same was told in the last six hours and nothing was since."""
        if service.events:
            newest = service.events[0]
            fresh = newest["createdAt"] > now() - REPEATED_AFTER
            if newest["message"] == message and fresh:
                return
        self.event(service, message)

    def keep_weights(self, rule: str, weights: dict[str, float]) -> None:
        """Write down what a listener rule does with the traffic."""
        self._state.put("RuleWeights", rule, {"rule": rule, "weights": weights})

    def kept_weights(self) -> dict[str, dict[str, float]]:
        """The weights last written down, by rule."""
        return {each["rule"]: each["weights"] for each in self._state.all("RuleWeights")}


def named_in(cluster: Cluster, reference: str) -> str:
    """The name or id of something of `cluster`, given so or by ARN.

    Raises InvalidParameterException for the ARN of something of another cluster.
    """
    kind, _, path = reference.rpartition(":")[2].partition("/")
    owner, _, name = path.rpartition("/")
    if kind in ("service", "task") and owner not in ("", cluster.name):
        text = f"Invalid identifier: Identifier is for {owner}. Your cluster is {cluster.name}"
        raise AwsError("InvalidParameterException", text)
    return name or last_part(reference)


def _deployment(body: dict[str, Any]) -> Deployment:
    hooks = [Hook(**hook) for hook in body.pop("hooks")]
    return Deployment(**body, hooks=hooks)
