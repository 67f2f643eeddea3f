"""What the fleet and the load balancer measure, and how the sandbox names what it measures.

Both sides of the sandbox import this module: the fleet fills these samples, the publisher turns
them into CloudWatch points, and both derive resource ids the same way.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import NotRequired, Protocol, TypedDict


def resource_id(name: str) -> str:
    """The 16 hexadecimal digits AWS would have invented for `name`, the same on every machine."""
    return hashlib.blake2b(name.encode(), digest_size=8).hexdigest()


def load_balancer_dimension(name: str) -> str:
    """The value of CloudWatch's LoadBalancer dimension: `app/<name>/<id>`."""
    return f"app/{name}/{resource_id(name)}"


def target_group_dimension(name: str) -> str:
    """The value of CloudWatch's TargetGroup dimension: `targetgroup/<name>/<id>`."""
    return f"targetgroup/{name}/{resource_id(name)}"


@dataclass(frozen=True)
class TaskSample:
    """One running task as the fleet sees it now: vCPU-seconds since its start, bytes resident.

    `cpu_units` are ECS's (1024 is one vCPU); `memory_mib` is the task's reservation. A busy vCPU
    spends one vCPU-second in a second of sandbox time (see `sandbox.fargate`).
    """

    cluster: str
    service: str
    task_arn: str
    cpu_units: int
    memory_mib: int
    cpu_seconds: float
    rss_bytes: int


@dataclass(frozen=True)
class ServiceSample:
    """How many tasks and deployments one service has now, as ECS counts them."""

    cluster: str
    service: str
    running: int
    desired: int
    pending: int
    deployments: int


@dataclass(frozen=True)
class TargetHealthSample:
    """How many targets of one target group are healthy now; both names are dimension values."""

    load_balancer: str
    target_group: str
    healthy: int
    unhealthy: int


class Latency(TypedDict):
    """Response times of one minute in seconds; bucket `i` counts those in (1.02^(i-1), 1.02^i]."""

    sum: float
    min: float
    max: float
    buckets: dict[str, int]


class AlbMinute(TypedDict):
    """What one target group of one load balancer answered in one minute (minutes since 1970).

    `target_group` is None for answers the load balancer gave by itself.
    """

    minute: int
    load_balancer: str
    target_group: str | None
    requests: int
    target_2xx: int
    target_3xx: int
    target_4xx: int
    target_5xx: int
    elb_4xx: int
    elb_5xx: int
    elb_502: int
    elb_503: int
    elb_504: int
    connection_errors: int
    rejected: int
    bytes: int
    latency: NotRequired[Latency]


class AlbReport(TypedDict):
    """The load balancer's answer to "what did you measure since that minute?".

    `run` names the process that counted, which began at zero; it is empty when none answered.
    """

    run: str
    minutes: list[AlbMinute]
    active_connections: dict[str, int]


AlbMinutes = Callable[[int], Awaitable[AlbReport]]
Health = Callable[[], Sequence[TargetHealthSample]]
Services = Callable[[], Sequence[ServiceSample]]


class Fleet(Protocol):
    """Whoever runs the tasks."""

    def task_samples(self) -> Sequence[TaskSample]:
        """One sample of every task that is running now."""


class Running:
    """The tasks ECS calls RUNNING, as it publishes them: one that drains or stops is none."""

    def __init__(self, fleet: Fleet, is_running: Callable[[str], bool]) -> None:
        self._fleet = fleet
        self._is_running = is_running

    def task_samples(self) -> list[TaskSample]:
        """One sample of every task whose ARN `is_running` knows."""
        return [each for each in self._fleet.task_samples() if self._is_running(each.task_arn)]
