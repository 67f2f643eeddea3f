"""What every part of the account is given when it joins."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from aiohttp import web

from sandbox.gateway import Gateway
from sandbox.settings import Settings
from sandbox.state import State
from sandbox.switches import Switches

Thing = TypeVar("Thing")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Context:
    """One account as its parts see it.

    `home` is where files may be kept, `epoch` the first start of this account: history before it
    is computed, what comes after is measured. `spawn` runs a coroutine until the sandbox stops;
    `route(method, path, handler)` adds an HTTP route beside AWS's own (loopback only).
    """

    home: Path
    epoch: datetime
    fresh: bool
    state: State
    settings: Settings
    switches: Switches
    gateway: Gateway
    spawn: Callable[[Coroutine[Any, Any, Any]], None]
    route: Callable[[str, str, Handler], None]
    provided: list[object] = field(default_factory=list)
    endings: list[Callable[[], None]] = field(default_factory=list)

    def serve(self, service: str, owner: object) -> None:
        """Let `owner` answer operations of a service (botocore's name).

        Methods are operations in snake case. Several owners may share a service; what none of
        them has goes to moto.
        """
        self.gateway.owners.setdefault(service, []).append(owner)

    def provide(self, thing: object) -> None:
        """Let parts that join later find `thing` by its type."""
        self.provided.append(thing)

    def find(self, kind: type[Thing]) -> Thing | None:
        """The thing of this type that was provided, None when there is none."""
        return next((thing for thing in self.provided if isinstance(thing, kind)), None)

    def of(self, kind: type[Thing]) -> Thing:
        """The thing of this type that was provided; raises LookupError when there is none."""
        found = self.find(kind)
        if found is None:
            raise LookupError(f"no part provides {kind.__name__}; see the order of PARTS")
        return found

    async def in_moto(self, work: Callable[[], Thing]) -> Thing:
        """What `work` returns when it runs in moto's thread, behind moto's import and seed."""
        found: Thing = await self.gateway.in_moto(work)
        return found

    def at_stop(self, work: Callable[[], None]) -> None:
        """Run `work` when the sandbox stops, last added first."""
        self.endings.append(work)
