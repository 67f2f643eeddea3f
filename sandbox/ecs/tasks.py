"""ECS's operations on tasks that exist."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sandbox.ecs import fargate_only, task_views
from sandbox.ecs.account import named_in
from sandbox.ecs.model import Cluster, Task, now
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing
from sandbox.ecs.validation import one_of, refuse
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, refused
from sandbox.names import ecs_arn, last_part

MOST_TASKS = 100
MOST_PROTECTED = 10
LONGEST_PROTECTION = 2880
PROTECTION_MINUTES = 120


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
        **unsupported: Any,
    ) -> Answer:
        """ARNs of tasks by desired status, by page; raises ClusterNotFound and ServiceNotFound."""
        where = self.account.cluster(cluster)
        fargate_only.nothing_else(unsupported)
        one_of("desiredStatus", desiredStatus, ("RUNNING", "PENDING", "STOPPED"))
        if startedBy is not None and (serviceName or family):
            raise refuse("startedBy must be the only filter.")
        service = self.account.service(cluster, serviceName) if serviceName else None
        chosen = [
            task.arn
            for task in self.account.tasks.values()
            if task.cluster_arn == where.arn
            and task.desired_status == desiredStatus
            and (service is None or task.service == service.name)
            and (family is None or f"/{family}:" in task.task_definition)
            and (startedBy is None or task.started_by == startedBy)
            and launchType == "FARGATE"
        ]
        asked = {
            "tasks of": where.arn,
            "filters": [serviceName, family, desiredStatus, startedBy, launchType],
        }
        arns, more = page(sorted(chosen), nextToken, maxResults, of=asked, default=100, most=100)
        return {"taskArns": arns, **more}

    def describe_tasks(
        self, tasks: Sequence[str], cluster: str | None = None, include: Sequence[str] = ()
    ) -> Answer:
        """Tasks by id or ARN, at most 100; the unknown ones as failures."""
        if not 1 <= len(tasks) <= MOST_TASKS:
            raise refuse(f"Tasks must have between 1 and {MOST_TASKS} items.")
        found, failures = self._sort_out(self.account.cluster(cluster), tasks)
        return {"tasks": [self._told(task, include) for task in found], "failures": failures}

    def _sort_out(
        self, where: Cluster, references: Sequence[str]
    ) -> tuple[list[Task], list[dict[str, str]]]:
        names = [named_in(where, each) for each in references]
        if any(len(name) not in (32, 36) for name in names):
            raise refuse("taskId length should be one of [32,36]")
        wanted = [ecs_arn("task", where.name, name) for name in names]
        known = self.account.tasks
        return (
            [known[arn] for arn in wanted if arn in known],
            [missing(arn) for arn in wanted if arn not in known],
        )

    def _task(self, cluster: str | None, reference: str) -> Task:
        found, _ = self._sort_out(self.account.cluster(cluster), [reference])
        if not found:
            raise refuse("The referenced task was not found.")
        return found[0]

    def _told(self, task: Task, include: Sequence[str] = ("TAGS",)) -> dict[str, Any]:
        container = self.account.task_definitions[task.task_definition].container
        return task_views.task(task, container, include)

    def stop_task(self, task: str, cluster: str | None = None, reason: str = "") -> Answer:
        """Stop one task; its service starts another. Raises InvalidParameterException."""
        found = self._task(cluster, task)
        self.scheduler.stop(found, reason or "Task stopped by user", "UserInitiated")
        return {"task": self._told(found)}

    # -- protection ------------------------------------------------------------------------------

    @our_reading(
        "A protected task that a deployment wants to stop keeps running, and the deployment "
        "waits, until the protection ends."
    )
    def update_task_protection(
        self,
        cluster: str,
        tasks: Sequence[str],
        protectionEnabled: bool,
        expiresInMinutes: int = PROTECTION_MINUTES,
    ) -> Answer:
        """Keep scale-in and deployments from stopping tasks; standalone ones are TASK_NOT_VALID.

        Raises ClusterNotFound… or InvalidParameterException.
        """
        if not 1 <= len(tasks) <= MOST_PROTECTED:
            raise refuse(f"tasks must have between 1 and {MOST_PROTECTED} items.")
        if not 1 <= expiresInMinutes <= LONGEST_PROTECTION:
            raise refuse(f"expiresInMinutes must be between 1 and {LONGEST_PROTECTION}.")
        found, failures = self._sort_out(self.account.cluster(cluster), tasks)
        valid = [task for task in found if task.service and task.live]
        for task in valid:
            end = now() + timedelta(minutes=expiresInMinutes)
            task.protected_until = end if protectionEnabled else None
            self.account.save(task)
        return _protection(valid, failures + [_invalid(t) for t in found if t not in valid])

    def get_task_protection(self, cluster: str, tasks: Sequence[str] = ()) -> Answer:
        """Protection of a service's tasks. Raises ClusterNotFoundException."""
        where = self.account.cluster(cluster)
        every = [t.arn for t in self.account.tasks.values() if t.cluster_arn == where.arn]
        asked = tasks or [a for a in every if self.account.tasks[a].service]
        found, failures = self._sort_out(where, asked)
        valid = [task for task in found if task.service]
        return _protection(valid, failures + [_invalid(t) for t in found if not t.service])

    # -- exec ------------------------------------------------------------------------------------

    @refused(
        "No session is ever opened: InvalidParameter…, or TargetNotConnected with exec enabled."
    )
    def execute_command(
        self,
        task: str,
        command: str,
        interactive: bool,
        cluster: str | None = None,
        container: str | None = None,
    ) -> Answer:
        """Always refused. Raises InvalidParameter… or TargetNotConnectedException."""
        found = self._task(cluster, task)
        service = self.account.services.get(
            ecs_arn("service", last_part(found.cluster_arn), found.service)
        )
        enabled = service is not None and service.settings.get("enableExecuteCommand", False)
        if not enabled or found.last_status != "RUNNING":
            raise refuse(
                "The execute command failed because execute command was not enabled when the task "
                "was run or the execute command agent isn't running. Wait and try again or run a "
                "new task with execute command enabled and try again."
            )
        raise AwsError(
            "TargetNotConnectedException",
            "The execute command failed due to an internal error. Try again later.",
        )


def _protection(tasks: Sequence[Task], failures: list[dict[str, str]]) -> Answer:
    return {"protectedTasks": [_protected(task) for task in tasks], "failures": failures}


def _protected(task: Task) -> dict[str, Any]:
    entry = {"taskArn": task.arn, "protectionEnabled": task.protected()}
    return entry | ({"expirationDate": task.protected_until} if task.protected() else {})


def _invalid(task: Task) -> dict[str, str]:
    return {"arn": task.arn, "reason": "TASK_NOT_VALID"}
