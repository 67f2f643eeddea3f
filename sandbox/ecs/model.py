"""What ECS remembers. Everything here is plain data and can be stored as JSON."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sandbox import clock

IN_FLIGHT = (
    "PENDING",
    "IN_PROGRESS",
    "STOP_REQUESTED",
    "ROLLBACK_REQUESTED",
    "ROLLBACK_IN_PROGRESS",
)
ENDED = ("SUCCESSFUL", "STOPPED", "ROLLBACK_SUCCESSFUL", "ROLLBACK_FAILED")
ROLLING_BACK = ("STOP_REQUESTED", "ROLLBACK_REQUESTED", "ROLLBACK_IN_PROGRESS")


def now() -> datetime:
    """The current time in UTC."""
    return clock.now()


@dataclass
class Cluster:
    """A cluster; `tags` as a plain mapping, `settings` as AWS lists them."""

    arn: str
    name: str
    tags: dict[str, str] = field(default_factory=dict)
    settings: list[dict[str, str]] = field(
        default_factory=lambda: [{"name": "containerInsights", "value": "enhanced"}]
    )


@dataclass
class TaskDefinition:
    """One registered revision; `body` holds what was registered, in botocore's shape."""

    arn: str
    family: str
    revision: int
    status: str
    registered_at: datetime
    body: dict[str, Any]
    tags: dict[str, str] = field(default_factory=dict)
    deregistered_at: datetime | None = None

    @property
    def container(self) -> dict[str, Any]:
        """The first container, which is the one the sandbox runs."""
        container: dict[str, Any] = self.body["containerDefinitions"][0]
        return container


@dataclass
class Revision:
    """A service revision: one immutable configuration, how many tasks it shall have, its weight."""

    arn: str
    service_arn: str
    cluster_arn: str
    task_definition: str
    target_group: str | None
    rule: str | None
    images: list[dict[str, str]]
    created_at: datetime
    settings: dict[str, Any]
    want: int = 0
    production_weight: float = 0.0
    test_weight: float = 0.0
    failures: int = 0
    failures_ever: int = 0
    last_failure: str = ""
    test_rule: str | None = None


@dataclass
class Hook:
    """One invocation of a PAUSE hook; `move` is the move of the deployment that invoked it."""

    hook_id: str
    stage: str
    status: str
    expires_at: datetime
    timeout_action: str
    move: int = 0

    @property
    def waits(self) -> bool:
        """Whether somebody may still answer it."""
        return self.status == "AWAITING_ACTION"


@dataclass
class Deployment:
    """A service deployment; revisions are named by ARN.

    `position` counts the moves of its walk that are done and `bake_until` ends the bake of the
    current one: with both, a sandbox that was killed goes on where it was.
    """

    arn: str
    service_arn: str
    cluster_arn: str
    sources: list[str]
    target: str
    configuration: dict[str, Any]
    created_at: datetime
    status: str = "PENDING"
    status_reason: str = ""
    stage: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    stopped_at: datetime | None = None
    updated_at: datetime | None = None
    rollback: dict[str, Any] | None = None
    hooks: list[Hook] = field(default_factory=list)
    position: int = 0
    bake_until: datetime | None = None
    failed_tasks: int = 0
    threshold: int = 0
    breaker_tripped: bool = False
    alarms_checked: bool = False
    ignored_alarms: bool = False
    triggered_alarms: list[str] = field(default_factory=list)
    listed: bool = True
    reconciles: bool = False

    @property
    def in_flight(self) -> bool:
        """Whether it may still change."""
        return self.status in IN_FLIGHT

    @property
    def strategy(self) -> str:
        """ROLLING, BLUE_GREEN, CANARY or LINEAR."""
        return str(self.configuration.get("strategy", "ROLLING"))


@dataclass
class Service:
    """A service; `active` is the revision that last became steady, `status` ECS's word."""

    arn: str
    name: str
    cluster: str
    cluster_arn: str
    desired: int
    task_definition: str
    configuration: dict[str, Any]
    settings: dict[str, Any]
    created_at: datetime
    tags: dict[str, str] = field(default_factory=dict)
    active: str | None = None
    deployment: str | None = None
    events: list[dict[str, Any]] = field(default_factory=list)
    status: str = "ACTIVE"
    token: str = ""

    @property
    def load_balancers(self) -> list[dict[str, Any]]:
        """The service's loadBalancers."""
        found: list[dict[str, Any]] = self.settings.get("loadBalancers", [])
        return found


@dataclass
class Task:
    """One task; statuses, codes and reasons in ECS's words.

    A task that RunTask started has neither `service` nor `revision`; `overrides` is what it was
    started with. `address` is its private IPv4 address, `port` where its process listens.
    """

    arn: str
    cluster_arn: str
    task_definition: str
    image: str
    created_at: datetime
    cpu: int
    memory: int
    container: str
    group: str
    started_by: str
    availability_zone: str
    subnet: str
    address: str
    service: str = ""
    revision: str = ""
    digest: str = ""
    last_status: str = "PROVISIONING"
    desired_status: str = "RUNNING"
    health: str = "UNKNOWN"
    port: int | None = None
    pull_started_at: datetime | None = None
    pull_stopped_at: datetime | None = None
    started_at: datetime | None = None
    stopping_at: datetime | None = None
    stopped_at: datetime | None = None
    stopped_reason: str = ""
    stop_code: str = ""
    exit_code: int | None = None
    container_reason: str = ""
    was_healthy: bool = False
    protected_until: datetime | None = None
    overrides: dict[str, Any] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    version: int = 1
    token: str = ""

    @property
    def live(self) -> bool:
        """Whether it counts towards its revision's tasks."""
        return self.desired_status == "RUNNING"

    @property
    def short_id(self) -> str:
        """The last part of its ARN."""
        return self.arn.rsplit("/", 1)[-1]

    @property
    def started_running(self) -> bool:
        """Whether it ever reached RUNNING."""
        return self.started_at is not None

    def protected(self) -> bool:
        """Whether scaling in and deployments must leave it alone now."""
        return self.protected_until is not None and self.protected_until > now()
