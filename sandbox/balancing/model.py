"""What the load balancers work by: listeners, rules, target groups, targets; named by ARN."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

# Seconds between health checks of the target groups that the account begins with, and AWS's
# default deregistration delay: what SANDBOX_HEALTH_INTERVAL and SANDBOX_DRAIN_SECONDS stand for.
USUAL_INTERVAL = 5.0
USUAL_DRAIN = 300.0
DEFAULT = "default"
# In place of a health check's status: the connection failed, or what came was not HTTP.
NO_ANSWER = 0


@dataclass(frozen=True)
class HealthCheck:
    """How a target group checks its targets. `interval` is in AWS's seconds, `timeout` in real."""

    path: str = "/healthz"
    port: str = "traffic-port"
    interval: float = USUAL_INTERVAL
    timeout: float = 3.0
    healthy_after: int = 2
    unhealthy_after: int = 3
    codes: str = "200-299"

    def passes(self, status: int | None) -> bool:
        """Whether an answer (None: there was none) is one of the codes `200`, `200-299,302`."""
        if status is None:
            return False
        spans = (part.partition("-") for part in self.codes.split(","))
        return any(int(low) <= status <= int(high or low) for low, _, high in spans)


@dataclass(frozen=True)
class TargetGroup:
    """A target group; `drain_seconds` is its deregistration delay in AWS's seconds."""

    arn: str
    port: int = 80
    target_type: str = "ip"
    check: HealthCheck = HealthCheck()
    drain_seconds: float = USUAL_DRAIN


@dataclass
class Target:
    """One registered address and what its health checks say; `state` in ELB's words.

    `address` and `container_port` are what AWS would call the target; its process answers on
    `host` and `port`.
    """

    group: str
    port: int
    version: str
    address: str = "127.0.0.1"
    container_port: int = 0
    availability_zone: str = ""
    host: str = "127.0.0.1"
    state: str = "initial"
    reason: str = "Elb.RegistrationInProgress"
    description: str = "Target registration is in progress"
    passed: int = 0
    failed: int = 0

    @property
    def key(self) -> tuple[str, str, int]:
        """Target group, and where the process answers."""
        return self.group, self.host, self.port

    def checked_at(self, check: HealthCheck) -> int:
        """The port that health checks go to; a task's container port is its process's own."""
        own = check.port in ("traffic-port", str(self.container_port))
        return self.port if own else int(check.port)

    def judge(self, status: int | None, check: HealthCheck = HealthCheck()) -> bool:
        """Take in one check (None: time was up, or NO_ANSWER); True when the state changed.

        A fresh target must pass one check: "Health checks for Application Load Balancer target
        groups" in the user guide.
        """
        good = check.passes(status)
        self.passed, self.failed = (self.passed + 1, 0) if good else (0, self.failed + 1)
        before = self.state
        if good and (before == "initial" or self.passed >= check.healthy_after):
            self.state, self.reason, self.description = "healthy", "", ""
        elif self.failed >= check.unhealthy_after:
            self._fail(status)
        return self.state != before

    def _fail(self, status: int | None) -> None:
        self.state = "unhealthy"
        if status is None:
            self.reason, self.description = "Target.Timeout", "Request timed out"
        elif status == NO_ANSWER:
            self.reason, self.description = "Target.FailedHealthChecks", "Health checks failed"
        else:
            self.reason = "Target.ResponseCodeMismatch"
            self.description = f"Health checks failed with these codes: [{status}]"

    def rest(self) -> None:
        """Be as when it was registered: nobody forwards to its group any more."""
        self.state, self.passed, self.failed = "initial", 0, 0
        self.reason = "Elb.RegistrationInProgress"
        self.description = "Target registration is in progress"

    def drain(self) -> None:
        """Begin to leave."""
        self.state, self.reason = "draining", "Target.DeregistrationInProgress"
        self.description = "Target deregistration is in progress"


@dataclass
class Listener:
    """One listener: the port AWS knows it by, and the loopback port where it `answers`.

    `answers` 0 is a port that the system chooses when the listener opens. With `elsewhere` another
    one will do when that port is taken. `idle_seconds` is the load balancer's idle time-out.
    """

    arn: str
    load_balancer: str
    port: int
    protocol: str = "HTTP"
    answers: int = 0
    elsewhere: bool = True
    idle_seconds: float = 60.0

    @property
    def name(self) -> str:
        """`app/<name>/<id>/<id>`, as the data plane calls it."""
        return self.arn.rsplit(":listener/", 1)[-1]


@dataclass
class Rule:
    """A listener rule. It forwards by `weights`, or gives the load balancer's own `answer`.

    `conditions` are in botocore's shape; `priority` is a number or `default`. `answer` is
    {"fixed": {"status", "content_type", "body"}} or {"redirect": {"status", …}}, else empty.
    """

    arn: str
    load_balancer: str
    weights: dict[str, float] = field(default_factory=dict)
    listener: str = ""
    priority: str = "1"
    conditions: Sequence[Mapping[str, Any]] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)

    @property
    def place(self) -> float:
        """Where it stands among the rules of its listener: the default rule is the last."""
        return math.inf if self.priority == DEFAULT else int(self.priority)


@dataclass(frozen=True)
class Picture:
    """Everything that Describe… tells and the data plane works by."""

    listeners: Sequence[Listener] = ()
    rules: Sequence[Rule] = ()
    groups: Sequence[TargetGroup] = ()

    def document(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Picture:
        """From its JSON."""
        groups = [
            TargetGroup(**row | {"check": HealthCheck(**row["check"])})
            for row in document["groups"]
        ]
        listeners = [Listener(**row) for row in document["listeners"]]
        return cls(listeners, [Rule(**row) for row in document["rules"]], groups)
