"""Where a request goes: an immutable snapshot of weighted target groups, swapped at once."""

from __future__ import annotations

import asyncio
import random
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

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
class Snapshot:
    """One routing state: the weights of each load balancer, the targets of each group."""

    version: int
    weights: Mapping[str, tuple[tuple[str, float], ...]]
    groups: Mapping[str, tuple[Target, ...]]

    def choose_group(self, load_balancer: str) -> str | None:
        """A target group by weight, or None when no group has weight.

        As on AWS, a chosen group without targets means 503 even if another group has some.
        """
        shares = self.weights.get(load_balancer, ())
        point = random.random() * sum(weight for _, weight in shares)
        for group, weight in shares:
            point -= weight
            if point < 0:
                return group
        return None


EMPTY = Snapshot(0, {}, {})


class Router:
    """Holds the snapshot in force and the round-robin position of each target group."""

    def __init__(self) -> None:
        self.snapshot = EMPTY
        self._targets: dict[tuple[str, str, int], Target] = {}
        self._leaving: dict[tuple[str, str, int], Target] = {}
        self._turn: dict[str, int] = {}

    def choose(self, load_balancer: str) -> tuple[str | None, Target | None]:
        """The target group and target of the next request; None where there is none."""
        group = self.snapshot.choose_group(load_balancer)
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

        `body`: {"version": int, "weights": {lb: {group: weight}},
        "groups": {group: [{"host", "port", "version"}]}}.
        """
        if body["version"] <= self.snapshot.version:
            return False
        known = self._targets
        self._targets = {}
        groups = {
            name: tuple(self._adopt(name, rows, known)) for name, rows in body["groups"].items()
        }
        weights = {
            balancer: tuple((group, float(w)) for group, w in shares.items() if w > 0)
            for balancer, shares in body["weights"].items()
        }
        self.snapshot = Snapshot(body["version"], weights, groups)
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
