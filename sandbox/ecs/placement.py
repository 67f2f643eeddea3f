"""Where the next task goes, and what it is called there."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import count
from typing import Any

from sandbox.ecs.model import Service, Task, TaskDefinition, now
from sandbox.estate.plan import SUBNETS, Subnet
from sandbox.names import ecs_arn

CAPACITY = (
    "Capacity is unavailable at this time. "
    "Please try again later or in a different availability zone"
)
# AWS keeps the first four addresses of a subnet and the last.
_FIRST_HOST = 4


def subnets(network: Mapping[str, Any]) -> list[Subnet]:
    """The subnets of a networkConfiguration, in its order; unknown ones are left out."""
    wanted: list[str] = network.get("awsvpcConfiguration", {}).get("subnets", [])
    known = {subnet.id: subnet for subnet in SUBNETS}
    return [known[each] for each in wanted if each in known]


def open_subnets(network: Mapping[str, Any], closed: Collection[str]) -> list[Subnet]:
    """Those of them whose availability zone is open."""
    return [subnet for subnet in subnets(network) if subnet.zone not in closed]


def choose(choices: Sequence[Subnet], among: Iterable[Task]) -> Subnet:
    """The subnet whose zone has the fewest of these tasks, as the service scheduler spreads.

    Raises ValueError when there is no choice.
    """
    counts = Counter(task.availability_zone for task in among)
    return min(choices, key=lambda each: counts[each.zone])


def address(subnet: Subnet, taken: Iterable[Task]) -> str:
    """A private IPv4 address of the subnet that no running task has."""
    used = {task.address for task in taken if task.last_status != "STOPPED"}
    hosts = (subnet.host(number) for number in count(_FIRST_HOST))
    # A subnet has more addresses than this machine can run tasks.
    return next(each for each in hosts if each not in used)


def new_task(
    cluster: tuple[str, str],
    definition: TaskDefinition,
    network: Mapping[str, Any],
    *,
    peers: Sequence[Task],
    closed: Collection[str],
    taken: Iterable[Task],
    **more: Any,
) -> Task:
    """A PROVISIONING task in the zone its peers use least. `cluster` is its name and ARN.

    Raises ValueError when the zone of every subnet is closed.
    """
    container = definition.container
    subnet = choose(open_subnets(network, closed), peers)
    return Task(
        arn=ecs_arn("task", cluster[0], secrets.token_hex(16)),
        cluster_arn=cluster[1],
        task_definition=definition.arn,
        image=container["image"],
        created_at=now(),
        container=container["name"],
        availability_zone=subnet.zone,
        subnet=subnet.id,
        address=address(subnet, taken),
        **{"cpu": cpu_units(definition.body), "memory": memory_mib(definition.body), **more},
    )


def inherited_tags(
    settings: Mapping[str, Any], cluster: str, definition: TaskDefinition, service: Service | None
) -> dict[str, str]:
    """What a new task is tagged with by propagateTags and enableECSManagedTags."""
    sources = {"TASK_DEFINITION": definition.tags, "SERVICE": service.tags if service else {}}
    tags = sources.get(settings.get("propagateTags", "NONE"), {})
    if not settings.get("enableECSManagedTags"):
        return dict(tags)
    named = {"aws:ecs:serviceName": service.name} if service else {}
    return {**tags, "aws:ecs:clusterName": cluster, **named}


def cpu_units(body: Mapping[str, Any]) -> int:
    """The task-level CPU of a task definition or an override in units (1024 is one vCPU)."""
    return units(str(body.get("cpu", 256)), 1024, ("vcpu",))


def memory_mib(body: Mapping[str, Any]) -> int:
    """The task-level memory of a task definition or an override in MiB."""
    return units(str(body.get("memory", 512)), 1024, ("gb",))


def units(text: str, factor: int, suffixes: Sequence[str]) -> int:
    """`512`, `1 vCPU` or `2GB` as a whole number; raises ValueError for anything else."""
    plain = text.strip().lower()
    for suffix in suffixes:
        if plain.endswith(suffix):
            return round(float(plain.removesuffix(suffix)) * factor)
    return int(plain)
