"""Listener rules, target groups and target health: the control plane of the load balancer."""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.measurements import AlbReport, TargetHealthSample
from sandbox.names import dimension

log = logging.getLogger("sandbox.elbv2")

HEALTHY_AFTER = 2
UNHEALTHY_AFTER = 3
PUSH_WITHIN = 3.0
CHECK_TIMEOUT = aiohttp.ClientTimeout(total=3)


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

    def judge(self, status: int | None) -> bool:
        """Take in one check (None: no answer); True when the state changed."""
        good = status is not None and 200 <= status < 300
        self.passed, self.failed = (self.passed + 1, 0) if good else (0, self.failed + 1)
        before = self.state
        if good and self.passed >= HEALTHY_AFTER:
            self.state, self.reason, self.description = "healthy", "", ""
        elif self.failed >= UNHEALTHY_AFTER:
            self._fail(status)
        return self.state != before

    def _fail(self, status: int | None) -> None:
        self.state = "unhealthy"
        if status is None:
            self.reason, self.description = "Target.Timeout", "Request timed out"
        else:
            self.reason = "Target.ResponseCodeMismatch"
            self.description = f"Health checks failed with these codes: [{status}]"


@dataclass
class Listener:
    """One listener: the port AWS knows it by, and the loopback port where it `answers`.

    `answers` 0 is a port that the system chooses when the listener opens. With `elsewhere` another
    one will do when that port is taken.
    """

    arn: str
    load_balancer: str
    port: int
    protocol: str = "HTTP"
    answers: int = 0
    elsewhere: bool = True

    @property
    def name(self) -> str:
        """`app/<name>/<id>/<id>`, as the data plane calls it."""
        return self.arn.rsplit(":listener/", 1)[-1]


@dataclass
class Rule:
    """A listener rule that forwards to weighted target groups; everything named by ARN.

    `conditions` are in botocore's shape; `priority` is a number or `default`.
    """

    arn: str
    load_balancer: str
    weights: dict[str, float] = field(default_factory=dict)
    listener: str = ""
    priority: str = "1"
    conditions: Sequence[Mapping[str, Any]] = ()


class LoadBalancers:
    """Keeps rules and targets, checks targets, and pushes every change to the data plane."""

    def __init__(self, socket: Path, interval: float, drain_seconds: float) -> None:
        self.listeners: dict[str, Listener] = {}
        self.rules: dict[str, Rule] = {}
        self.on_ports: Callable[[Mapping[str, int]], None] = lambda answers: None
        self.on_weights: Callable[[Rule], None] = lambda rule: None
        self.remember: Callable[[Rule], None] = lambda rule: None
        self._seen: set[str] = set()
        self._targets: dict[tuple[str, int], Target] = {}
        self._socket = socket
        self._interval = interval
        self._drain_seconds = drain_seconds
        self._version = 0
        self._sessions: list[aiohttp.ClientSession] = []
        self._checks: dict[tuple[str, int], asyncio.Task[None]] = {}

    async def open(self) -> None:
        """Connect to the data plane and push the first snapshot. Raises OSError if it is down."""
        control = aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(self._socket)))
        checks = aiohttp.ClientSession(timeout=CHECK_TIMEOUT)
        self._sessions = [control, checks]
        await self.push()

    async def close(self) -> None:
        """Stop checking and disconnect."""
        for check in self._checks.values():
            check.cancel()
        for session in self._sessions:
            await session.close()

    # -- rules ---------------------------------------------------------------------------------

    def knows(self, target_group: str) -> bool:
        """Whether a rule forwards to `target_group`, or did."""
        return target_group in self._groups_ever()

    def _groups_ever(self) -> set[str]:
        self._seen.update(group for rule in self.rules.values() for group in rule.weights)
        return self._seen

    async def set_weights(self, rule_arn: str, weights: Mapping[str, float]) -> None:
        """Give the rule's target groups these weights (percent), at once."""
        await self.replace_weights(rule_arn, {**self.rules[rule_arn].weights, **weights})

    async def replace_weights(self, rule_arn: str, weights: Mapping[str, float]) -> None:
        """Let the rule forward to these target groups and to no other, at once."""
        self._groups_ever()
        rule = self.rules[rule_arn]
        rule.weights = dict(weights)
        self.remember(rule)
        await self.try_to_push()
        self.on_weights(rule)

    # -- targets -------------------------------------------------------------------------------

    async def register(self, target: Target) -> None:
        """Add a target; it gets traffic once its health checks pass."""
        key = target.group, target.port
        self._targets[key] = target
        self._checks[key] = asyncio.create_task(self._check(target))

    async def deregister(self, group: str, port: int) -> None:
        """Take a target out, and wait until its last request is answered or time is up."""
        target = self._targets.get((group, port))
        if target is None:
            return
        self._checks.pop((group, port)).cancel()
        target.state, target.reason = "draining", "Target.DeregistrationInProgress"
        target.description = "Target deregistration is in progress"
        await self.try_to_push()
        await self._drained(target)
        self._targets.pop((group, port), None)

    async def forget(self, group: str, port: int) -> None:
        """Take a dead target out at once."""
        check = self._checks.pop((group, port), None)
        if check:
            check.cancel()
        if self._targets.pop((group, port), None):
            await self.try_to_push()

    def state(self, group: str, port: int) -> str:
        """The target's state, `unused` when it is not registered."""
        target = self.target(group, port)
        return target.state if target else "unused"

    def target(self, group: str, port: int) -> Target | None:
        """A registered target, None when it is not (any more)."""
        return self._targets.get((group, port))

    def targets(self, group: str) -> Sequence[Target]:
        """Every target registered with the group."""
        return [t for t in self._targets.values() if t.group == group]

    def all_serve(self) -> bool:
        """Whether every target group that gets traffic has a healthy target."""
        return all(
            any(target.state == "healthy" for target in self.targets(group))
            for rule in self.rules.values()
            for group, weight in rule.weights.items()
            if weight
        )

    def health_samples(self) -> list[TargetHealthSample]:
        """Healthy and unhealthy counts of every target group behind every load balancer."""
        pairs = {(r.load_balancer, group): None for r in self.rules.values() for group in r.weights}
        return [
            TargetHealthSample(
                load_balancer=balancer,
                target_group=dimension(group),
                healthy=sum(t.state == "healthy" for t in self.targets(group)),
                unhealthy=sum(t.state == "unhealthy" for t in self.targets(group)),
            )
            for balancer, group in pairs
        ]

    def status(self) -> dict[str, Any]:
        """Every load balancer by name: where its listeners answer, weights and targets.

        `url` and `weights` are those of its first listener and that one's first rule.
        """
        shown: dict[str, Any] = {}
        for listener in self.listeners.values():
            rules = self._rules_of(listener)
            row = {
                "port": listener.port,
                "protocol": listener.protocol,
                "url": f"http://127.0.0.1:{listener.answers}",
                "weights": _short(rules[0].weights),
            }
            balancer = shown.setdefault(
                listener.load_balancer.split("/")[1],
                {"url": row["url"], "weights": row["weights"], "targets": [], "listeners": []},
            )
            balancer["listeners"].append(row)
            balancer["targets"] = balancer["targets"] or self._shown_targets(rules[0])
        return shown

    def _rules_of(self, listener: Listener) -> list[Rule]:
        """By priority, the default rule last."""
        rules = [rule for rule in self.rules.values() if rule.listener == listener.arn]
        return sorted(rules, key=_by_priority)

    def _shown_targets(self, rule: Rule) -> list[dict[str, Any]]:
        return [
            {"target_group": group.split("/")[1], "port": t.port, "state": t.state}
            | {"version": t.version}
            for group in rule.weights
            for t in self.targets(group)
        ]

    async def _check(self, target: Target) -> None:
        url = f"http://{target.host}:{target.port}/healthz"
        while True:
            if target.judge(await self._status(url)):
                await self.try_to_push()
            # Quick until the first verdict, as a fresh target waits for it.
            settled = target.state != "initial"
            await asyncio.sleep(self._interval if settled else min(self._interval, 0.3))

    async def _status(self, url: str) -> int | None:
        try:
            async with self._sessions[1].get(url) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    # -- the data plane ------------------------------------------------------------------------

    async def push(self) -> None:
        """Send the whole routing state; versions let the data plane ignore a late one.

        A data plane that has just started listens a moment after its socket appeared. Raises
        aiohttp.ClientError when it does not take the state within a few seconds.
        """
        give_up = asyncio.get_running_loop().time() + PUSH_WITHIN
        while True:
            try:
                await self._push()
            except aiohttp.ClientConnectorError:
                if asyncio.get_running_loop().time() >= give_up:
                    raise
                await asyncio.sleep(0.05)
            else:
                return

    async def _push(self) -> None:
        self._version += 1
        listeners = {listener.name: self._plan(listener) for listener in self.listeners.values()}
        body = {"version": self._version, "listeners": listeners, "groups": self._groups()}
        async with self._sessions[0].put("http://alb/routing", json=body) as response:
            response.raise_for_status()
            self._opened((await response.json())["ports"])

    def _opened(self, ports: Mapping[str, int]) -> None:
        before = {arn: listener.answers for arn, listener in self.listeners.items()}
        for listener in self.listeners.values():
            listener.answers = ports.get(listener.name, listener.answers)
        answers = {arn: listener.answers for arn, listener in self.listeners.items()}
        if answers != before:
            self.on_ports(answers)

    async def try_to_push(self) -> None:
        """What was begun must go on while the data plane restarts; it gets everything then."""
        try:
            await self.push()
        except aiohttp.ClientError as error:
            log.warning("the load balancer does not take its routing: %s", error)

    def _plan(self, listener: Listener) -> dict[str, Any]:
        return {
            "port": listener.answers,
            "elsewhere": listener.elsewhere,
            "rules": [_row(rule) for rule in self._rules_of(listener)],
        }

    def _groups(self) -> dict[str, list[dict[str, Any]]]:
        return {dimension(group): self._routable(group) for group in self._groups_ever()}

    def _routable(self, group: str) -> list[dict[str, Any]]:
        """Healthy targets; if none is, all unhealthy ones, because an ALB fails open."""
        targets = self.targets(group)
        chosen = [t for t in targets if t.state == "healthy"]
        chosen = chosen or [t for t in targets if t.state == "unhealthy"]
        return [{"host": t.host, "port": t.port, "version": t.version} for t in chosen]

    async def _drained(self, target: Target) -> None:
        query = {
            "group": dimension(target.group),
            "host": target.host,
            "port": str(target.port),
            "timeout": str(self._drain_seconds),
        }
        try:
            async with self._sessions[0].get("http://alb/drained", params=query) as response:
                await response.read()
        except aiohttp.ClientError as error:
            # Its requests ended with the data plane: nothing is left to wait for.
            log.warning("the load balancer went away while a target drained: %s", error)

    async def minutes(self, since: int) -> AlbReport:
        """What the data plane measured since epoch minute `since`."""
        async with self._sessions[0].get(
            "http://alb/minutes", params={"since": str(since)}
        ) as response:
            report: AlbReport = await response.json()
            return report


def _by_priority(rule: Rule) -> float:
    return math.inf if rule.priority == "default" else int(rule.priority)


def _short(weights: Mapping[str, float]) -> dict[str, float]:
    return {group.split("/")[1]: weight for group, weight in weights.items()}


def _row(rule: Rule) -> dict[str, Any]:
    forward = {dimension(group): weight for group, weight in rule.weights.items()}
    return {"conditions": list(rule.conditions), "forward": forward}
