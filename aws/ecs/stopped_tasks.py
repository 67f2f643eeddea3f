"""Why tasks of a service stopped."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from aws.ecs.deployments import reader
from aws.errors import required, rows, translated


@dataclass(frozen=True, slots=True)
class StoppedTask:
    arn: str
    task_definition: str
    reason: str
    stopped_at: datetime | None
    containers: tuple[str, ...] = ()


def latest(*, cluster: str, service: str) -> list[StoppedTask]:
    """Return why tasks stopped lately. ECS forgets them after about an hour."""
    with translated("ecs:ListTasks"):
        listed = reader().list_tasks(cluster=cluster, serviceName=service, desiredStatus="STOPPED")
    arns = required(listed, "taskArns", "ecs:ListTasks")[:100]
    if not arns:
        return []
    with translated("ecs:DescribeTasks"):
        answer = reader().describe_tasks(cluster=cluster, tasks=arns)
    return [_stopped(row) for row in rows(answer, "tasks", "ecs:DescribeTasks")]


def _stopped(row: dict[str, Any]) -> StoppedTask:
    return StoppedTask(
        arn=required(row, "taskArn", "ecs:DescribeTasks"),
        task_definition=row.get("taskDefinitionArn", ""),
        reason=row.get("stoppedReason", ""),
        stopped_at=row.get("stoppedAt"),
        containers=tuple(_exit(each) for each in row.get("containers", [])),
    )


def _exit(container: dict[str, Any]) -> str:
    code = container.get("exitCode")
    parts = [container.get("name", ""), f"exit code {code}" if code is not None else ""]
    return ": ".join(part for part in [*parts, container.get("reason", "")] if part)
