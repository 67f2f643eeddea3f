"""What RegisterTaskDefinition refuses, in ECS's words, and what a definition is fit for."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from sandbox.ecs.placement import cpu_units, memory_mib
from sandbox.errors import AwsError

_FAMILY = re.compile(r"^[A-Za-z0-9_-]{1,255}$")
# https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-cpu-memory-error.html (MiB)
_FARGATE_MEMORY = {
    256: (512, 1024, 2048),
    512: tuple(range(1024, 4097, 1024)),
    1024: tuple(range(2048, 8193, 1024)),
    2048: tuple(range(4096, 16385, 1024)),
    4096: tuple(range(8192, 30721, 1024)),
    8192: tuple(range(16384, 61441, 4096)),
    16384: tuple(range(32768, 122881, 8192)),
}
_NETWORK_MODES = ("bridge", "host", "awsvpc", "none")
_COMPATIBILITIES = ("EC2", "FARGATE", "EXTERNAL", "MANAGED_INSTANCES")


def refuse(message: str) -> AwsError:
    """ECS's word for a task definition it does not take."""
    return AwsError("ClientException", message)


def task_definition(family: str, body: Mapping[str, Any]) -> None:
    """Raises ClientException as RegisterTaskDefinition does. The image need not exist."""
    if not _FAMILY.match(family):
        raise refuse("Family contains invalid characters.")
    mode = body.get("networkMode", "bridge")
    if mode not in _NETWORK_MODES:
        raise refuse(f"Network mode '{mode}' is not valid.")
    wanted = body.get("requiresCompatibilities", [])
    if unknown := [each for each in wanted if each not in _COMPATIBILITIES]:
        raise refuse(f"Invalid compatibility: {', '.join(unknown)}.")
    _containers(body)
    if "FARGATE" in wanted:
        _fargate(body)


def _containers(body: Mapping[str, Any]) -> None:
    containers = body.get("containerDefinitions", [])
    if not containers:
        raise refuse("Container list cannot be empty.")
    for container in containers:
        _container(container, body)
    if len({container["name"] for container in containers}) < len(containers):
        raise refuse("Container names must be unique.")
    if len(containers) > 1:
        raise refuse("This sandbox runs one container in a task; sidecars are not supported.")
    if not containers[0].get("essential", True):
        raise refuse("A task definition must have at least one essential container.")


def _container(container: Mapping[str, Any], body: Mapping[str, Any]) -> None:
    if not container.get("name") or not container.get("image"):
        raise refuse("Container.name and Container.image should not be null or empty.")
    sized = "memory" in body or "memory" in container or "memoryReservation" in container
    if not sized:
        raise refuse(
            f"Invalid setting for container '{container['name']}'. "
            "At least one of 'memory' or 'memoryReservation' must be specified."
        )
    for mapping in container.get("portMappings", []):
        port = mapping.get("containerPort")
        if body.get("networkMode") == "awsvpc" and mapping.get("hostPort", port) != port:
            raise refuse(
                "When networkMode=awsvpc, the host ports and container ports in port mappings "
                "must match."
            )


def _fargate(body: Mapping[str, Any]) -> None:
    if body.get("networkMode") != "awsvpc":
        raise refuse("Fargate only supports network mode \u2018awsvpc\u2019.")
    if not body.get("cpu") or not body.get("memory"):
        raise refuse("Fargate requires task definition to have execution cpu and memory.")
    if not _fits_fargate(body):
        raise refuse("No Fargate configuration exists for given values.")
    images = [container["image"] for container in body["containerDefinitions"]]
    if not body.get("executionRoleArn") and any(".dkr.ecr." in image for image in images):
        raise refuse(
            "Fargate requires task definition to have execution role ARN to support ECR images."
        )


def _fits_fargate(body: Mapping[str, Any]) -> bool:
    try:
        cpu, memory = cpu_units(body), memory_mib(body)
    except ValueError:
        return False
    return memory in _FARGATE_MEMORY.get(cpu, ())


def sizes(body: Mapping[str, Any]) -> dict[str, str]:
    """Task-level cpu and memory as ECS keeps them: in units and MiB. Raises ClientException."""
    try:
        known = {"cpu": cpu_units, "memory": memory_mib}
        return {name: str(read(body)) for name, read in known.items() if name in body}
    except ValueError as error:
        raise refuse("Invalid 'cpu' or 'memory' setting for task.") from error


def compatibilities(body: Mapping[str, Any]) -> list[str]:
    """The launch types a registered definition is valid for."""
    sized = "cpu" in body and "memory" in body
    fargate = body.get("networkMode") == "awsvpc" and sized and _fits_fargate(body)
    return ["EC2", "FARGATE"] if fargate else ["EC2"]
