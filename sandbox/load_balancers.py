"""Listeners, rules, target groups and target health: the control plane of the load balancers.

How they are made up is moto's to tell (`sandbox.balancing.picture`), and its journal keeps it.
The weights in force and the registered targets are kept here; moto is shown them. Everything is
written down as well, so that the first moment after a restart is as the last one before it.
"""

from __future__ import annotations

import asyncio
import contextlib
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
from sandbox.balancing.probing import Prober
from sandbox.balancing.routing import routing
from sandbox.measurements import AlbReport, TargetHealthSample
from sandbox.names import dimension
from sandbox.repeating import repeat

__all__ = ["Listener", "LoadBalancers", "Rule", "Target"]

log = logging.getLogger("sandbox.elbv2")

HOME = "127.0.0.1"
FIRST_CHECKS_EVERY = 0.3
# Real seconds; a load balancer that hangs must not keep anybody from seeing its targets.
IN_FORCE_WITHIN = 30.0
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
        # Held from asking moto for a change until it is taken over here. Else weights that ECS
        # moves meanwhile would be in force and not in DescribeRules, or the other way round.
        self.changing = asyncio.Lock()
        self._by_clients: dict[tuple[str, str, int], Target] = {}
        self._targets: dict[tuple[str, str, int], Target] = {}
        self._plane = DataPlane(socket)
        self._prober = Prober()
        self._pace = interval / USUAL_INTERVAL
        self._drain_pace = drain_seconds / USUAL_DRAIN
        self._checks: dict[tuple[str, str, int], asyncio.Task[None]] = {}
        self._leaving: set[asyncio.Task[None]] = set()
        self._verdict, self._pushed = asyncio.Event(), asyncio.Event()
        self._pushed.set()
        self._verdicts: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect to the data plane; returns when it has taken its first routing.

        One that is down is waited for. Raises PortTaken.
        """
        self._plane.open()
        self._prober.open()
        while not await self._take_first():
            await asyncio.sleep(FIRST_CHECKS_EVERY)
        self._verdicts = asyncio.create_task(
            repeat(self._push_verdicts, "telling the load balancer of targets", every=0)
        )
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
        if self._verdicts is not None:
            self._verdicts.cancel()
        await self._plane.close()
        await self._prober.close()

    # -- what there is -------------------------------------------------------------------------

    def restore(self, document: Mapping[str, Any]) -> None:
        """Be as before a restart, from what `keep` was given."""
        self._take(Picture.of(document))
        for group, host, port, address in document["targets"]:
            target = Target(group, port, "", address=address, container_port=port, host=host)
            self._by_clients[target.key] = target

    async def adopt(self, picture: Picture) -> None:
        """Work by what moto tells now, at once."""
        self.take_over(picture)
        await self.try_to_push()

    def take_over(self, picture: Picture, moved: str = "") -> None:
        """Work by what moto tells now, from the next push on.

        `moved` is the rule whose weights a client gave anew.
        """
        self.rules.pop(moved, None)
        self._take(picture)
        if moved in self.rules:
            self.remember(self.rules[moved])
        for target in [t for t in self._targets.values() if t.group not in self.groups]:
            self._drop(target)
        self._rest()
        self._write_down()

    def _rest(self) -> None:
        """Targets of groups that no rule forwards to (any more) are unused, and begin anew."""
        used = {group for rule in self.rules.values() for group in rule.weights}
        for target in self._targets.values():
            if target.group not in used and target.state in ("healthy", "unhealthy"):
                target.rest()
                self._watch(target)

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
        await self._move(rule_arn, lambda known: {**known, **weights})

    async def replace_weights(self, rule_arn: str, weights: Weights) -> None:
        """Let the rule forward to these target groups and to no other, at once."""
        await self._move(rule_arn, lambda _: dict(weights))

    async def _move(self, arn: str, change: Callable[[Weights], dict[str, float]]) -> None:
        """Traffic first, then what DescribeRules tells: the weights that are in force by then."""
        async with self.changing:
            rule = self.rules.get(arn)
            if rule is None:
                log.warning("%s was deleted while a deployment moved its weights", arn)
                return
            rule.weights, rule.answer = change(rule.weights), {}
            self.remember(rule)
        await self.try_to_push()
        async with self.changing:
            rule = self.rules.get(arn)
            if rule is not None and rule.weights:
                self.on_weights(rule)

    # -- targets -------------------------------------------------------------------------------

    async def register(self, target: Target) -> None:
        """Add a target; it gets traffic once its health checks pass."""
        self._targets[target.key] = target
        self._watch(target)

    def _watch(self, target: Target) -> None:
        """Check it from now on, quickly until the first verdict."""
        known = self._checks.pop(target.key, None)
        if known is not None:
            known.cancel()
        self._checks[target.key] = asyncio.create_task(self._check(target))

    async def register_by_client(self, targets: Sequence[Target]) -> None:
        """Add targets that outlive a restart; those registered already stay as they are."""
        for target in targets:
            known = self._targets.get(target.key)
            if known is None or known.state == "draining":
                self._by_clients[target.key] = target
                await self.register(target)
        self._write_down()

    async def deregister_by_client(self, targets: Sequence[Target]) -> None:
        """Take targets out: they get no request after this, and are gone when they are idle."""
        leaving = [target for target in targets if target.state != "draining"]
        for target in leaving:
            self._by_clients.pop(target.key, None)
            self._drain(target)
        self._write_down()
        await self.try_to_push()
        for target in leaving:
            job = asyncio.create_task(self._leave(target))
            self._leaving.add(job)
            job.add_done_callback(self._leaving.discard)

    async def deregister(self, group: str, port: int, host: str = HOME) -> None:
        """Take a target out, and wait until its last request is answered or time is up."""
        target = self._targets.get((group, host, port))
        if target is None:
            return
        if target.state != "draining":
            self._drain(target)
            await self.try_to_push()
        await self._leave(target)

    def _drain(self, target: Target) -> None:
        check = self._checks.pop(target.key, None)
        if check is not None:
            check.cancel()
        target.drain()

    async def _leave(self, target: Target) -> None:
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
            if self.knows(target.group) and target.judge(
                await self._prober.status(target, check), check
            ):
                self._pushed.clear()
                self._verdict.set()
            pause = check.interval * self._pace
            # Quick until the first verdict, as a fresh target waits for it.
            settled = target.state != "initial"
            await asyncio.sleep(pause if settled else min(pause, FIRST_CHECKS_EVERY))

    async def _push_verdicts(self) -> None:
        """One push for all the targets that changed while the one before was under way."""
        await self._verdict.wait()
        self._verdict.clear()
        try:
            await self.try_to_push()
        finally:
            if not self._verdict.is_set():
                self._pushed.set()

    async def in_force(self) -> None:
        """Wait until requests meet what the health checks have found, but not for ever."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(IN_FORCE_WITHIN):
                while not self._pushed.is_set():
                    await self._pushed.wait()

    # -- the data plane ------------------------------------------------------------------------

    async def push(self) -> None:
        """Send the whole routing state. Raises aiohttp.ClientError when it is not taken."""
        ports = await self._plane.push(self._routing)
        moved = [e for e in self.listeners.values() if ports.get(e.name, e.answers) != e.answers]
        for listener in moved:
            if listener.answers:
                told = "port %d of listener %s is taken; it answers on port %d instead"
                log.warning(told, listener.answers, listener.name, ports[listener.name])
            listener.answers = ports[listener.name]
        if moved:
            self._write_down()

    def _routing(self) -> dict[str, Any]:
        return routing(self.listeners.values(), self.rules.values(), self._targets.values())

    async def try_to_push(self) -> bool:
        """What was begun must go on while the data plane restarts; it gets everything then.

        False when it was not taken.
        """
        try:
            await self.push()
        except (aiohttp.ClientError, OSError) as error:  # a TimeoutError is one of these
            log.warning("the load balancer does not take its routing: %s", error)
            return False
        return True

    async def _drained(self, target: Target) -> None:
        group = self.groups.get(target.group)
        seconds = (group.drain_seconds if group else USUAL_DRAIN) * self._drain_pace
        try:
            await self._plane.drained(dimension(target.group), target.host, target.port, seconds)
        except (aiohttp.ClientError, OSError) as error:
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
