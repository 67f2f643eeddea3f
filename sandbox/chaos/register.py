"""The faults in force: started, renewed, ended when their time is over, remembered for a while."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox import clock
from sandbox.chaos import account, calls, tasks, workload
from sandbox.chaos.catalogue import Wanted
from sandbox.chaos.effects import Effect, Started
from sandbox.chaos.kinds import Kind
from sandbox.context import Context

EFFECTS: dict[str, Effect] = {
    **calls.EFFECTS,
    **workload.EFFECTS,
    **tasks.EFFECTS,
    **account.EFFECTS,
}
REMEMBERED = 100


@dataclass
class InForce:
    """One fault that was started. `until` is a time.monotonic(), None: until it is cleared.

    Durations are sandbox seconds, measured on a clock that a step does not move.
    """

    id: int
    kind: Kind
    parameters: dict[str, Any]
    started: Started
    began: datetime
    until: float | None = None
    ended: datetime | None = None
    timer: asyncio.Task[None] | None = field(default=None, repr=False)

    @property
    def remaining_seconds(self) -> float | None:
        """Sandbox seconds until it ends by itself, None when it does not."""
        if self.until is None or self.ended is not None:
            return None
        return max(0.0, (self.until - time.monotonic()) * clock.rate())

    @property
    def worn_out(self) -> bool:
        """Whether its count of hits is used up."""
        switch = self.started.switch
        return switch is not None and switch.remaining == 0

    def shown(self) -> dict[str, Any]:
        """As the control API shows it: timestamps are ISO 8601 in sandbox time."""
        left = self.remaining_seconds
        ends = None if left is None else clock.now() + timedelta(seconds=left)
        switch = self.started.switch
        return {
            "id": self.id,
            "fault": self.kind.name,
            "says": self.started.says,
            "parameters": {k: v for k, v in self.parameters.items() if v is not None},
            "started": self.began.isoformat(timespec="seconds"),
            "ends": ends.isoformat(timespec="seconds") if ends else None,
            "remaining_seconds": None if left is None else round(left, 1),
            "remaining_count": switch.remaining if switch else None,
            "hits": switch.hit if switch else None,
            "ended": self.ended.isoformat(timespec="seconds") if self.ended else None,
        }


class Register:
    """Starts and ends faults; one at a time, so that two callers cannot mix up one knob."""

    def __init__(self, sandbox: Context) -> None:
        self._sandbox = sandbox
        self._numbers = itertools.count(1)
        self._in_force: list[InForce] = []
        self._past: deque[InForce] = deque(maxlen=REMEMBERED)
        self._turn = asyncio.Lock()

    def in_force(self) -> list[InForce]:
        """Every fault in force, oldest first."""
        return [entry for entry in self._in_force if not entry.worn_out]

    def past(self) -> list[InForce]:
        """The newest faults that are over or happened once, newest first."""
        return list(self._past)

    async def start(self, wanted: Wanted) -> InForce:
        """Let a fault happen. The same one again only begins its time anew.

        Raises CannotHappen and Unserved.
        """
        async with self._turn:
            await self._sweep()
            same = self._same(wanted)
            if same is not None:
                self._time(same, wanted.seconds)
                return same
            if wanted.kind.single:
                await self._end_all(lambda entry: entry.kind is wanted.kind)
            return await self._begin(wanted)

    async def end(self, concerned: Callable[[InForce], bool]) -> list[InForce]:
        """End every fault that is `concerned`; those it ended."""
        async with self._turn:
            await self._sweep()
            return await self._end_all(concerned)

    async def _begin(self, wanted: Wanted) -> InForce:
        started = await EFFECTS[wanted.kind.name](self._sandbox, wanted.parameters)
        entry = InForce(next(self._numbers), wanted.kind, wanted.parameters, started, clock.now())
        if started.end is None:
            entry.ended = entry.began
            self._past.appendleft(entry)
        else:
            self._in_force.append(entry)
            self._time(entry, wanted.seconds or started.seconds)
        return entry

    def _same(self, wanted: Wanted) -> InForce | None:
        return next(
            (
                entry
                for entry in self._in_force
                if wanted.kind.lasting
                and entry.kind is wanted.kind
                and entry.parameters == wanted.parameters
            ),
            None,
        )

    def _time(self, entry: InForce, seconds: float | None) -> None:
        if entry.timer is not None:
            entry.timer.cancel()
        entry.until = entry.timer = None
        if seconds is not None:
            real = seconds / clock.rate()
            entry.until = time.monotonic() + real
            entry.timer = asyncio.create_task(self._expire(entry, real))

    async def _expire(self, entry: InForce, seconds: float) -> None:
        await asyncio.sleep(seconds)
        entry.timer = None
        await self.end(lambda other: other is entry)

    async def _sweep(self) -> None:
        """Put away what has worn out."""
        await self._end_all(lambda entry: entry.worn_out)

    async def _end_all(self, concerned: Callable[[InForce], bool]) -> list[InForce]:
        ending = [entry for entry in self._in_force if concerned(entry)]
        # The newest first: each puts back what it found.
        for entry in reversed(ending):
            self._in_force.remove(entry)
            if entry.timer is not None:
                entry.timer.cancel()
            if entry.started.end is not None:
                await entry.started.end()
            entry.ended, entry.until = clock.now(), None
            self._past.appendleft(entry)
        return ending
