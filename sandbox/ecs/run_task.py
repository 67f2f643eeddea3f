"""RunTask: one-off tasks beside the services, as runbooks and migrations use them."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs import fargate_only, placement
from sandbox.ecs.model import Cluster, Task, TaskDefinition
from sandbox.ecs.part import Answer, tag_mapping
from sandbox.ecs.registering import compatibilities
from sandbox.ecs.tasks import Tasks
from sandbox.ecs.validation import refuse
from sandbox.errors import AwsError
from sandbox.honesty import simplified

MOST_AT_ONCE = 10
_CONTAINER = {"name", "command", "environment"}
_TASK = {"containerOverrides", "cpu", "memory"}
# `referenceId` is only the caller's own word: no answer ever tells it.
_KNOWN = {"enableECSManagedTags", "propagateTags", "referenceId"}


class OneOffTasks(Tasks):
    """Tasks that belong to no service."""

    @simplified("Overrides of command, environment, cpu and memory; the others are refused.")
    @simplified("A task that runs when the sandbox stops is not started again.")
    def run_task(
        self,
        taskDefinition: str,
        cluster: str | None = None,
        count: int = 1,
        overrides: Mapping[str, Any] | None = None,
        group: str = "",
        startedBy: str = "",
        clientToken: str = "",
        tags: Sequence[Mapping[str, str]] = (),
        networkConfiguration: Mapping[str, Any] | None = None,
        **settings: Any,
    ) -> Answer:
        """Start 1 to 10 tasks. Without capacity there are none, and failures say why.

        Raises ClusterNotFound…, Client…, Conflict…, InvalidParameter…, PlatformUnknown… or
        UnsupportedFeatureException.
        """
        where = self.account.cluster(cluster)
        if not 1 <= count <= MOST_AT_ONCE:
            raise refuse(f"Count must be between 1 and {MOST_AT_ONCE}.")
        again = self._of_token(where, clientToken)
        if again:
            self._same(again, taskDefinition, count, overrides or {})
            return {"tasks": [self._told(task) for task in again], "failures": []}
        network = networkConfiguration or {}
        definition = self._runnable(taskDefinition, settings, network)
        chosen = _overrides(definition, overrides or {})
        cannot = self.scheduler.cannot_place(network)
        if cannot:
            failure = {"arn": where.arn, "reason": cannot}
            return {"tasks": [], "failures": [failure] * count}
        marks = {
            "group": group or f"family:{definition.family}",
            "started_by": startedBy,
            "overrides": chosen,
            "tags": placement.inherited_tags(settings, where.name, definition, None)
            | tag_mapping(tags),
            "token": clientToken,
        }
        begun = [self._begin(where, definition, network, marks) for _ in range(count)]
        return {"tasks": [self._told(task) for task in begun], "failures": []}

    def _of_token(self, where: Cluster, token: str) -> list[Task]:
        known = self.account.tasks.values()
        return [t for t in known if token and t.token == token and t.cluster_arn == where.arn]

    def _same(
        self, tasks: Sequence[Task], reference: str, count: int, overrides: Mapping[str, Any]
    ) -> None:
        """Raises ConflictException when the token began another request's tasks."""
        definition = self.account.task_definition(reference).arn
        same = tasks[0].task_definition == definition and tasks[0].overrides == overrides
        if not same or len(tasks) != count:
            message = "The provided clientToken is already in use with a different RunTask request."
            arns = [task.arn for task in tasks]
            raise AwsError("ConflictException", message, detail={"resourceIds": arns})

    def _runnable(
        self, reference: str, settings: Mapping[str, Any], network: Mapping[str, Any]
    ) -> TaskDefinition:
        rest = {k: v for k, v in settings.items() if k not in _KNOWN}
        if settings.get("propagateTags", "NONE") not in ("TASK_DEFINITION", "NONE"):
            raise refuse("Tags of a task can be propagated from its task definition only.")
        fargate_only.launch(rest)
        allowed = ("launchType", "platformVersion")
        fargate_only.nothing_else({k: v for k, v in rest.items() if k not in allowed})
        definition = self.account.task_definition(reference)
        if definition.status != "ACTIVE":
            raise AwsError("ClientException", "TaskDefinition is inactive")
        if "FARGATE" not in compatibilities(definition.body):
            raise refuse("Task definition does not support launch_type FARGATE.")
        fargate_only.network({"networkConfiguration": network})
        return definition

    def _begin(
        self,
        where: Cluster,
        definition: TaskDefinition,
        network: Mapping[str, Any],
        marks: Mapping[str, Any],
    ) -> Task:
        known = list(self.account.tasks.values())
        sizes = {**definition.body, **marks["overrides"]}
        task = placement.new_task(
            (where.name, where.arn),
            definition,
            network,
            peers=[t for t in known if not t.service and t.live],
            closed=self.scheduler.closed_zones,
            taken=known,
            **{"cpu": placement.cpu_units(sizes), "memory": placement.memory_mib(sizes), **marks},
        )
        self.scheduler.lives.begin(task)
        return task


def _overrides(definition: TaskDefinition, given: Mapping[str, Any]) -> dict[str, Any]:
    """What the caller overrides; raises InvalidParameter… or UnsupportedFeatureException."""
    fargate_only.nothing_else({f"overrides.{k}": v for k, v in given.items() if k not in _TASK})
    for each in given.get("containerOverrides", []):
        fargate_only.nothing_else({k: v for k, v in each.items() if k not in _CONTAINER})
        name = each.get("name")
        if name != definition.container["name"]:
            raise refuse(
                f"Override for container named {name} is not a container in the TaskDefinition."
            )
    sizes = {**definition.body, **{k: given[k] for k in ("cpu", "memory") if k in given}}
    if "FARGATE" not in compatibilities(sizes):
        raise refuse("No Fargate configuration exists for given values.")
    return dict(given)
