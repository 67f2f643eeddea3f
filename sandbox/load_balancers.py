"""Listeners, rules, target groups and target health: the control plane of the load balancers.

How they are made up is moto's to tell (`sandbox.balancing.picture`), and its journal keeps it.
The weights in force and the registered targets are kept here; moto is shown them. Everything is
written down as well, so that the first moment after a restart is as the last one before it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import aiohttp

from sandbox.balancing.data_plane import DataPlane, PortTaken
from sandbox.balancing.model import (
    USUAL_DRAIN,
    USUAL_INTERVAL,
    HealthCheck,
    Listener,
    Picture,
    Rule,
    Target,
    TargetGroup,
)
from sandbox.measurements import AlbReport, TargetHealthSample
from sandbox.names import dimension

__all__ = ["Listener", "LoadBalancers", "Rule", "Target"]

log = logging.getLogger("sandbox.elbv2")

HOME = "127.0.0.1"
FIRST_CHECKS_EVERY = 0.3
Weights = Mapping[str, float]


class LoadBalancers:
    """Keeps rules and targets, checks targets, and pushes every change to the data plane."""

    def __init__(self, socket: Path, interval: float, drain_seconds: float) -> None:
        self.listeners: dict[str, Listener] = {}
        self.rules: dict[str, Rule] = {}
        self.groups: dict[str, TargetGroup] = {}
        self.on_weights: Callable[[Rule], None] = lambda rule: None
        self.remember: Callable[[Rule], None] = lambda rule: None
        self.keep: Callable[[dict[str, Any]], None] = lambda document: None
        self._by_clients: dict[tuple[str, str, int], Target] = {}
        self._targets: dict[tuple[str, str, int], Target] = {}
        self._plane = DataPlane(socket)
        self._health: aiohttp.ClientSession | None = None
        self._pace = interval / USUAL_INTERVAL
        self._drain_pace = drain_seconds / USUAL_DRAIN
        self._checks: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()

    async def open(self) -> None:
        """Connect to the data plane; returns when it has taken its first routing.

        One that is down is waited for. Raises PortTaken.
        """
        self._plane.open()
        self._health = aiohttp.ClientSession()
        while not await self._take_first():
            await asyncio.sleep(FIRST_CHECKS_EVERY)
        for target in self._by_clients.values():
            await self.register(target)

    async def _take_first(self) -> bool:
        try:
            await self.push()
        except PortTaken:
            raise
        except aiohttp.ClientError as error:
            log.warning("the load balancer is not there yet: %s", error)
            return False
        return True

    async def close(self) -> None:
        """Stop checking and disconnect."""
        for job in (*self._checks.values(), *self._leaving):
            job.cancel()
        await self._plane.close()
        if self._health is not None:
            await self._health.close()

    # -- what there is -------------------------------------------------------------------------

    def restore(self, document: Mapping[str, Any]) -> None:
        """Be as before a restart, from what `keep` was given."""
        self._take(Picture.of(document))
        for group, host, port, address in document["targets"]:
            target = Target(group, port, "", address=address, container_port=port, host=host)
            self._by_clients[target.key] = target

    async def adopt(self, picture: Picture, moved: str = "") -> None:
        """Work by what moto tells now; `moved` is the rule whose weights a client gave anew."""
        self.rules.pop(moved, None)
        self._take(picture)
        if moved in self.rules:
            self.remember(self.rules[moved])
        for target in [t for t in self._targets.values() if t.group not in self.groups]:
            self._drop(target)
        self._write_down()
        await self.try_to_push()

    def _take(self, picture: Picture) -> None:
        """Weights in force stay as long as the rule forwards to the same target groups."""
        rules, listeners = self.rules, self.listeners
        self.rules = {rule.arn: _with_weights(rule, rules.get(rule.arn)) for rule in picture.rules}
        self.listeners = {new.arn: _open(new, listeners.get(new.arn)) for new in picture.listeners}
        self.groups = {group.arn: group for group in picture.groups}

    def _write_down(self) -> None:
        picture = Picture(
            list(self.listeners.values()), list(self.rules.values()), list(self.groups.values())
        )
        targets = [[*target.key, target.address] for target in self._by_clients.values()]
        self.keep({**picture.document(), "targets": targets})

    # -- rules ---------------------------------------------------------------------------------

    def knows(self, target_group: str) -> bool:
        """Whether a rule forwards to `target_group`."""
        return any(target_group in rule.weights for rule in self.rules.values())

    def rules_of(self, listener: str) -> list[Rule]:
        """By priority, the default rule last."""
        rules = [rule for rule in self.rules.values() if rule.listener == listener]
        return sorted(rules, key=lambda rule: rule.place)

    def weights(self) -> dict[str, Weights]:
        """The weights in force of every rule that forwards."""
        return {rule.arn: dict(rule.weights) for rule in self.rules.values() if rule.weights}

    async def set_weights(self, rule_arn: str, weights: Weights) -> None:
        """Give the rule's target groups these weights (percent), at once."""
        if rule_arn in self.rules:
            await self.replace_weights(rule_arn, {**self.rules[rule_arn].weights, **weights})
        else:
            log.warning("%s was deleted while a deployment moved its weights", rule_arn)

    async def replace_weights(self, rule_arn: str, weights: Weights) -> None:
        """Let the rule forward to these target groups and to no other, at once."""
        rule = self.rules[rule_arn]
        rule.weights = dict(weights)
        self.remember(rule)
        await self.try_to_push()
        self.on_weights(rule)

    # -- targets -------------------------------------------------------------------------------

    async def register(self, target: Target) -> None:
        """Add a target; it gets traffic once its health checks pass."""
        known = self._checks.pop(target.key, None)
        if known is not None:
            known.cancel()
        self._targets[target.key] = target
        self._checks[target.key] = asyncio.create_task(self._check(target))

    async def register_by_client(self, target: Target) -> None:
        """Add a target that outlives a restart; one that is registered already stays as it is."""
        known = self._targets.get(target.key)
        if known is None or known.state == "draining":
            self._by_clients[target.key] = target
            self._write_down()
            await self.register(target)

    def deregister_by_client(self, target: Target) -> None:
        """Take a target out in the background."""
        if self._by_clients.pop(target.key, None):
            self._write_down()
        job = asyncio.create_task(self.deregister(target.group, target.port, target.host))
        self._leaving.add(job)
        job.add_done_callback(self._leaving.discard)

    async def deregister(self, group: str, port: int, host: str = HOME) -> None:
        """Take a target out, and wait until its last request is answered or time is up."""
        target = self._targets.get((group, host, port))
        if target is None:
            return
        if target.state != "draining":
            self._checks.pop(target.key).cancel()
            target.drain()
            await self.try_to_push()
        await self._drained(target)
        if self._targets.get(target.key) is target:
            del self._targets[target.key]

    async def forget(self, group: str, port: int) -> None:
        """Take a dead target out at once."""
        target = self._targets.get((group, HOME, port))
        if target is not None:
            self._drop(target)
            await self.try_to_push()

    def _drop(self, target: Target) -> None:
        check = self._checks.pop(target.key, None)
        if check is not None:
            check.cancel()
        self._targets.pop(target.key, None)
        self._by_clients.pop(target.key, None)

    def state(self, group: str, port: int) -> str:
        """The target's state, `unused` when it is not registered."""
        target = self.target(group, port)
        return target.state if target else "unused"

    def target(self, group: str, port: int) -> Target | None:
        """A target on the usual host, None when it is not registered (any more)."""
        return self._targets.get((group, HOME, port))

    def targets(self, group: str) -> Sequence[Target]:
        """Every target registered with the group."""
        return [t for t in self._targets.values() if t.group == group]

    def all_serve(self) -> bool:
        """Whether every target group that readers are sent to has a healthy target."""
        first = [
            self.rules_of(arn)[0] for arn, each in self.listeners.items() if not each.elsewhere
        ]
        return all(
            any(target.state == "healthy" for target in self.targets(group))
            for rule in first
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

    def health_check(self, group: str) -> HealthCheck:
        """How targets of a group are checked."""
        return self.groups[group].check if group in self.groups else HealthCheck()

    async def _check(self, target: Target) -> None:
        while True:
            check = self.health_check(target.group)
            if self.knows(target.group) and target.judge(await self._status(target, check), check):
                await self.try_to_push()
            pause = check.interval * self._pace
            # Quick until the first verdict, as a fresh target waits for it.
            settled = target.state != "initial"
            await asyncio.sleep(pause if settled else min(pause, FIRST_CHECKS_EVERY))

    async def _status(self, target: Target, check: HealthCheck) -> int | None:
        if self._health is None:
            return None
        url = f"http://{target.host}:{target.checked_at(check)}{check.path}"
        limit = aiohttp.ClientTimeout(total=check.timeout)
        try:
            async with self._health.get(url, timeout=limit, allow_redirects=False) as response:
                return response.status
        except (aiohttp.ClientError, TimeoutError):
            return None

    # -- the data plane ------------------------------------------------------------------------

    async def push(self) -> None:
        """Send the whole routing state. Raises aiohttp.ClientError when it is not taken."""
        listeners = {listener.name: self._plan(listener) for listener in self.listeners.values()}
        ports = await self._plane.push({"listeners": listeners, "groups": self._routable_groups()})
        opened = [each for each in self.listeners.values() if each.answers != ports.get(each.name)]
        for listener in opened:
            listener.answers = ports.get(listener.name, listener.answers)
        if opened:
            self._write_down()

    async def try_to_push(self) -> bool:
        """What was begun must go on while the data plane restarts; it gets everything then.

        False when it was not taken.
        """
        try:
            await self.push()
        except aiohttp.ClientError as error:
            log.warning("the load balancer does not take its routing: %s", error)
            return False
        return True

    def _plan(self, listener: Listener) -> dict[str, Any]:
        return {
            "port": listener.answers,
            "elsewhere": listener.elsewhere,
            "protocol": listener.protocol.lower(),
            "idle_seconds": listener.idle_seconds,
            "rules": [_row(rule) for rule in self.rules_of(listener.arn)],
        }

    def _routable_groups(self) -> dict[str, list[dict[str, Any]]]:
        groups = {group: None for rule in self.rules.values() for group in rule.weights}
        return {dimension(group): self._routable(group) for group in groups}

    def _routable(self, group: str) -> list[dict[str, Any]]:
        """Healthy targets; if none is, all unhealthy ones, because an ALB fails open."""
        targets = self.targets(group)
        chosen = [t for t in targets if t.state == "healthy"]
        chosen = chosen or [t for t in targets if t.state == "unhealthy"]
        return [{"host": t.host, "port": t.port, "version": t.version} for t in chosen]

    async def _drained(self, target: Target) -> None:
        group = self.groups.get(target.group)
        seconds = (group.drain_seconds if group else USUAL_DRAIN) * self._drain_pace
        try:
            await self._plane.drained(dimension(target.group), target.host, target.port, seconds)
        except (aiohttp.ClientError, TimeoutError) as error:
            # Its requests ended with the data plane: nothing is left to wait for.
            log.warning("the load balancer went away while a target drained: %s", error)

    async def minutes(self, since: int) -> AlbReport:
        """What the data plane measured since epoch minute `since`."""
        return await self._plane.minutes(since)


def _with_weights(rule: Rule, known: Rule | None) -> Rule:
    same = known is not None and known.weights.keys() == rule.weights.keys()
    return replace(rule, weights=dict(known.weights)) if known and same else rule


def _open(listener: Listener, known: Listener | None) -> Listener:
    """A listener stays where it answers, whatever else of it changes."""
    if known is None:
        return listener
    return replace(listener, answers=known.answers, elsewhere=known.elsewhere)


def _row(rule: Rule) -> dict[str, Any]:
    """A rule as the data plane takes it."""
    forward = {dimension(group): weight for group, weight in rule.weights.items()}
    return {"conditions": list(rule.conditions), **(rule.answer or {"forward": forward})}
