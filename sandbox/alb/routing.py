"""Where a request goes: an immutable snapshot of rules and target groups, swapped at once."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from sandbox.alb.actions import Action, FixedResponse, Forward, action
from sandbox.alb.conditions import Predicate, compiled
from sandbox.alb.message import Request

EJECTION_SECONDS = 5.0


class IdleConnection(Protocol):
    """A kept-alive connection to a target that waits for its next request."""

    def close(self) -> None:
        """Close the connection."""


@dataclass(eq=False)
class Target:
    """One task's address. It outlives snapshots, so that in-flight requests keep their counts."""

    group: str
    host: str
    port: int
    version: str
    idle: deque[Any] = field(default_factory=deque)
    in_flight: int = 0
    draining: bool = False
    ejected_until: float = 0.0
    quiet: asyncio.Event = field(default_factory=asyncio.Event)

    def begin(self) -> None:
        """Count a request in."""
        self.in_flight += 1
        self.quiet.clear()

    def end(self) -> None:
        """Count a request out."""
        self.in_flight -= 1
        if self.in_flight == 0:
            self.quiet.set()

    def eject(self) -> None:
        """Prefer other targets for a while: this one refused or broke a connection."""
        self.ejected_until = time.monotonic() + EJECTION_SECONDS

    def drain(self) -> None:
        """Take no new request; idle connections go at once, busy ones after their answer."""
        self.draining = True
        while self.idle:
            self.idle.pop().close()
        if self.in_flight == 0:
            self.quiet.set()


@dataclass(frozen=True)
class Plan:
    """The rules of one listener by priority, up to the first that every request fits."""

    rules: tuple[tuple[tuple[Predicate, ...], Action], ...]
    otherwise: Action

    def action(self, request: Request, client: str) -> Action:
        """What to do with a request that came from address `client`."""
        for predicates, found in self.rules:
            if all(fits(request, client) for fits in predicates):
                return found
        return self.otherwise


@dataclass(frozen=True)
class Snapshot:
    """One routing state: each listener's port and plan, the targets of each group."""

    version: int
    ports: Mapping[str, Mapping[str, Any]]
    plans: Mapping[str, Plan]
    groups: Mapping[str, tuple[Target, ...]]


EMPTY = Snapshot(0, {}, {}, {})
_NOTHING_HERE = FixedResponse(503)


class Router:
    """Holds the snapshot in force and the round-robin position of each target group."""

    def __init__(self) -> None:
        self.snapshot = EMPTY
        self._targets: dict[tuple[str, str, int], Target] = {}
        self._leaving: dict[tuple[str, str, int], Target] = {}
        self._turn: dict[str, int] = {}

    def action(self, listener: str, request: Request, client: str) -> Action:
        """What a listener's rules say of a request; 503 when the listener is gone."""
        plan = self.snapshot.plans.get(listener)
        return plan.action(request, client) if plan else _NOTHING_HERE

    def choose(self, forward: Forward) -> tuple[str | None, Target | None]:
        """The target group and target of the next request; None where there is none."""
        group = forward.choose()
        if group is None:
            return None, None
        now = time.monotonic()
        targets = self.snapshot.groups.get(group, ())
        usable = [t for t in targets if t.ejected_until <= now] or list(targets)
        if not usable:
            return group, None
        turn = self._turn.get(group, 0)
        self._turn[group] = turn + 1
        return group, usable[turn % len(usable)]

    def apply(self, body: Mapping[str, Any]) -> bool:
        """Swap in a snapshot from the control API; a late, older version is ignored.

        `body`: {"version": int, "listeners": {name: {"port", "elsewhere", "protocol",
        "idle_seconds", "rules": [{"conditions", and "forward", "fixed" or "redirect"}]}},
        "groups": {group: [{"host", "port", "version"}]}}. A listener's last rule is its default.
        """
        if body["version"] <= self.snapshot.version:
            return False
        known = self._targets
        self._targets = {}
        groups = {
            name: tuple(self._adopt(name, rows, known)) for name, rows in body["groups"].items()
        }
        listeners = body["listeners"]
        plans = {name: _plan(row["rules"]) for name, row in listeners.items()}
        self.snapshot = Snapshot(body["version"], listeners, plans, groups)
        self._leaving = {key: t for key, t in self._leaving.items() if t.in_flight}
        for key, target in known.items():
            target.drain()
            self._leaving[key] = target
        return True

    async def drained(self, group: str, host: str, port: int, timeout: float) -> bool:
        """Wait up to `timeout` seconds for a removed target's last request to be answered."""
        target = self._leaving.get((group, host, port))
        if target is None:
            return True
        try:
            await asyncio.wait_for(target.quiet.wait(), timeout)
        except TimeoutError:
            return False
        return True

    def _adopt(
        self,
        group: str,
        rows: Iterable[Mapping[str, Any]],
        known: dict[tuple[str, str, int], Target],
    ) -> Iterable[Target]:
        for row in rows:
            key = (group, row["host"], row["port"])
            target = known.pop(key, None) or Target(*key, row.get("version", ""))
            self._targets[key] = target
            yield target


def _plan(rows: Iterable[Mapping[str, Any]]) -> Plan:
    rules: list[tuple[tuple[Predicate, ...], Action]] = []
    for row in rows:
        predicates, found = compiled(row.get("conditions", ())), action(row)
        if not predicates:
            return Plan(tuple(rules), found)
        rules.append((predicates, found))
    return Plan(tuple(rules), _NOTHING_HERE)
