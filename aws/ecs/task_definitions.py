"""What the portal reads of, and writes to, ECS task definitions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from aws import clients
from aws.errors import required, translated

if TYPE_CHECKING:
    from mypy_boto3_ecs import ECSClient


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One revision. `cpu` is in CPU units (1024 are one vCPU), `memory` in MiB; 0 when unset."""

    arn: str
    family: str
    revision: int
    cpu: int
    memory: int
    image: str


@cache
def client() -> ECSClient:
    return clients.make("ecs")  # type: ignore[no-any-return]


def describe(arn: str) -> TaskDefinition:
    """Return one revision; `image` is that of its first essential container.

    :raises AwsError: see `aws.errors`.
    """
    with translated("ecs:DescribeTaskDefinition"):
        answer = client().describe_task_definition(taskDefinition=arn)
    raw = required(answer, "taskDefinition", "ecs:DescribeTaskDefinition")
    containers = raw.get("containerDefinitions", [])
    essential = [one for one in containers if one.get("essential", True)] or containers
    return TaskDefinition(
        arn=raw["taskDefinitionArn"],
        family=raw["family"],
        revision=raw["revision"],
        cpu=int(raw.get("cpu") or 0),
        memory=int(raw.get("memory") or 0),
        image=essential[0]["image"] if essential else "",
    )
