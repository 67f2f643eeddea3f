"""What the portal reads of, and writes to, ECS task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aws import clients
from aws.errors import required, rows, translated

# What RegisterTaskDefinition takes back of what DescribeTaskDefinition answers.
COPIED = (
    "family",
    "taskRoleArn",
    "executionRoleArn",
    "networkMode",
    "containerDefinitions",
    "volumes",
    "placementConstraints",
    "requiresCompatibilities",
    "cpu",
    "memory",
    "pidMode",
    "ipcMode",
    "proxyConfiguration",
    "inferenceAccelerators",
    "ephemeralStorage",
    "runtimePlatform",
    "enableFaultInjection",
)


DESCRIBE = "ecs:DescribeTaskDefinition"
REGISTER = "ecs:RegisterTaskDefinition"


@dataclass(frozen=True, slots=True)
class TaskDefinition:
    """One revision. `cpu` is in CPU units (1024 are one vCPU), `memory` in MiB; 0 when unset.

    `content` is all that RegisterTaskDefinition would take to make the same once more.
    """

    arn: str
    family: str
    revision: int
    cpu: int
    memory: int
    image: str
    content: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)


@cache
def client() -> Any:
    return clients.make("ecs")


@cache
def changer() -> Any:
    return clients.make("ecs", changes=True)


def describe(arn: str) -> TaskDefinition:
    """Return one revision by ARN, or the newest active one of a family by name.

    `image` is that of its first essential container.

    :raises AwsError: see `aws.errors`.
    """
    with translated(DESCRIBE):
        answer = client().describe_task_definition(taskDefinition=arn, include=["TAGS"])
    return _task_definition(answer, DESCRIBE, answer.get("tags", []))


def with_image(content: Mapping[str, Any], image: str) -> dict[str, Any]:
    """Return a copy of `content` whose first essential container runs `image`."""
    containers = [dict(each) for each in content.get("containerDefinitions", [])]
    if containers:
        containers[_first_essential(containers)]["image"] = image
    return {**content, "containerDefinitions": containers}


def register(content: Mapping[str, Any], *, tags: Mapping[str, str]) -> TaskDefinition:
    """Register a new revision of the family that `content` names.

    :raises AwsError: see `aws.errors`.
    """
    tagged = [{"key": key, "value": value} for key, value in tags.items()]
    with translated(REGISTER):
        answer = changer().register_task_definition(**content, tags=tagged)
    return _task_definition(answer, REGISTER, answer.get("tags", tagged))


def _task_definition(
    answer: Mapping[str, Any], operation: str, tags: list[dict[str, str]]
) -> TaskDefinition:
    raw = required(answer, "taskDefinition", operation)
    containers = rows(raw, "containerDefinitions", operation)
    first = containers[_first_essential(containers)] if containers else {}
    return TaskDefinition(
        arn=required(raw, "taskDefinitionArn", operation),
        family=required(raw, "family", operation),
        revision=required(raw, "revision", operation),
        cpu=int(raw.get("cpu") or 0),
        memory=int(raw.get("memory") or 0),
        image=required(first, "image", operation),
        content={name: raw[name] for name in COPIED if name in raw},
        tags={tag["key"]: tag.get("value", "") for tag in tags},
    )


def _first_essential(containers: list[dict[str, Any]]) -> int:
    return next((at for at, one in enumerate(containers) if one.get("essential", True)), 0)
