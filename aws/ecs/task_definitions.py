"""What the portal reads of, and writes to, ECS task definitions."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from aws import clients
from aws.errors import required, translated

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
    with translated("ecs:DescribeTaskDefinition"):
        answer = client().describe_task_definition(taskDefinition=arn, include=["TAGS"])
    raw = required(answer, "taskDefinition", "ecs:DescribeTaskDefinition")
    return _task_definition(raw, answer.get("tags", []))


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
    with translated("ecs:RegisterTaskDefinition"):
        answer = changer().register_task_definition(**content, tags=tagged)
    raw = required(answer, "taskDefinition", "ecs:RegisterTaskDefinition")
    return _task_definition(raw, answer.get("tags", tagged))


def _task_definition(raw: dict[str, Any], tags: list[dict[str, str]]) -> TaskDefinition:
    containers = raw.get("containerDefinitions", [])
    return TaskDefinition(
        arn=raw["taskDefinitionArn"],
        family=raw["family"],
        revision=raw["revision"],
        cpu=int(raw.get("cpu") or 0),
        memory=int(raw.get("memory") or 0),
        image=containers[_first_essential(containers)]["image"] if containers else "",
        content={name: raw[name] for name in COPIED if name in raw},
        tags={tag["key"]: tag.get("value", "") for tag in tags},
    )


def _first_essential(containers: list[dict[str, Any]]) -> int:
    return next((at for at, one in enumerate(containers) if one.get("essential", True)), 0)
