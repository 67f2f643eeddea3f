"""ECS's operations on tasks."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sandbox.ecs import views
from sandbox.ecs.model import Task
from sandbox.ecs.pages import page
from sandbox.ecs.part import Answer, Part, missing
from sandbox.ecs.validation import refuse
from sandbox.names import ecs_arn, last_part


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
            "failures": [missing(arn) for arn in wanted if arn not in known],
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
