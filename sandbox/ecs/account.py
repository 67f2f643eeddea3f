"""Everything ECS knows, in memory and on disk, with ECS's own not-found errors."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict
from datetime import timedelta
from typing import Any

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

Stored = Cluster | TaskDefinition | Revision | Deployment | Service


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
        self.tasks: dict[str, Task] = {}

    def save(self, *things: Stored) -> None:
        """Keep things in memory and on disk."""
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
        }
        return shelves[type(thing).__name__]

    # -- finding -------------------------------------------------------------------------------

    def cluster(self, reference: str | None) -> Cluster:
        """A cluster by name or ARN; raises ClusterNotFoundException."""
        name = last_part(reference or "default")
        for cluster in self.clusters.values():
            if cluster.name == name:
                return cluster
        raise AwsError("ClusterNotFoundException", "Cluster not found.")

    def service(self, cluster: str | None, reference: str) -> Service:
        """A service by name or ARN; raises ServiceNotFoundException."""
        found = self.find_service(self.cluster(cluster), reference)
        if found is None:
            raise AwsError("ServiceNotFoundException", "Service not found.")
        return found

    def find_service(self, cluster: Cluster, reference: str) -> Service | None:
        """A service of `cluster` by name or ARN, or None."""
        name = last_part(reference)
        for service in self.services.values():
            if service.cluster_arn == cluster.arn and service.name == name:
                return service
        return None

    def task_definition(self, reference: str) -> TaskDefinition:
        """`family`, `family:revision` or an ARN; the newest active one for a bare family."""
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
        found = self.deployments.get(arn)
        if found is None:
            message = "The specified service deployment wasn't found."
            raise AwsError("ServiceDeploymentNotFoundException", message)
        return found

    def service_of(self, thing: Deployment | Revision) -> Service:
        """The service a deployment or revision belongs to."""
        return self.services[thing.service_arn]

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

    def forget_old_tasks(self) -> None:
        """ECS shows stopped tasks for about an hour."""
        limit = now() - KEPT_STOPPED
        old: Iterable[Task] = [
            t for t in self.tasks.values() if t.stopped_at and t.stopped_at < limit
        ]
        for task in old:
            del self.tasks[task.arn]

    def event(self, service: Service, message: str) -> None:
        """Add to the service's events."""
        newest = int(service.events[0]["id"], 16) if service.events else 0
        entry = {"id": f"{newest + 1:032x}", "createdAt": now(), "message": message}
        service.events.insert(0, entry)
        del service.events[KEPT_EVENTS:]
        self.save(service)


def _deployment(body: dict[str, Any]) -> Deployment:
    hooks = [Hook(**hook) for hook in body.pop("hooks")]
    return Deployment(**body, hooks=hooks)
