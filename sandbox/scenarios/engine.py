"""Runs a scenario step by step, and tells what it did."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import aiohttp

from sandbox import clock
from sandbox.chaos.effects import CannotHappen, Unserved
from sandbox.chaos.register import InForce, Register
from sandbox.scenarios.caller import Caller, Refused
from sandbox.scenarios.expectations import Asked, Expectation
from sandbox.scenarios.model import Call, Cease, Happen, Say, Scenario, Step, Until
from sandbox.scenarios.spans import named, spoken, told

# Real seconds between two looks at what is waited for.
LOOK_SECONDS = 0.5
SUCCEEDED, FAILED, STOPPED = "succeeded", "failed", "stopped"


class Failed(Exception):
    """A step cannot be done, or what was waited for did not come true in time."""


@dataclass
class Run:
    """One run: what it said so far, each line with its sandbox time, and how it ended."""

    scenario: Scenario
    began: datetime
    lines: list[dict[str, str]] = field(default_factory=list)
    step: int = 0
    outcome: str | None = None

    def tell(self, text: str) -> None:
        """Add a line."""
        self.lines.append({"at": f"+{self.elapsed:.1f}s", "text": text})

    @property
    def elapsed(self) -> float:
        """Seconds of sandbox time since it began."""
        return (clock.now() - self.began).total_seconds()

    def shown(self) -> dict[str, Any]:
        """As the control API shows it."""
        return {
            "scenario": self.scenario.name,
            "title": self.scenario.title,
            "began": self.began.isoformat(timespec="seconds"),
            "step": self.step,
            "steps": len(self.scenario.steps),
            "lines": self.lines,
            "outcome": self.outcome,
        }


class Engine:
    """Runs one scenario. `ports` are the load balancers' URLs by name."""

    def __init__(
        self,
        scenario: Scenario,
        caller: Caller,
        register: Register,
        urls: Mapping[str, str],
    ) -> None:
        self.run = Run(scenario, clock.now())
        self._caller = caller
        self._register = register
        self._urls = urls
        self._started: list[InForce] = []
        self._saved: dict[str, Any] = {}
        self._probes = itertools.count(int(clock.time()))

    async def play(self) -> None:
        """Do every step; in the end no fault it started is in force."""
        run, outcome = self.run, FAILED
        run.tell(f"{run.scenario.title} (seed {run.scenario.seed})")
        run.tell(f"takes {told(run.scenario, clock.rate())}")
        try:
            for step in run.scenario.steps:
                run.step += 1
                await self._do(step)
            outcome = SUCCEEDED
        except Failed as error:
            run.tell(f"step {run.step} (line {self._line()}): {error}")
        except asyncio.CancelledError:
            outcome = STOPPED
            raise
        finally:
            await self._clear(None)
            run.tell(outcome)
            run.outcome = outcome

    def _line(self) -> int:
        return self.run.scenario.steps[self.run.step - 1].line

    async def _do(self, step: Step) -> None:
        pause = max(step.at - self.run.elapsed, step.after, 0.0)
        if pause:
            self._tell_wait(f"before {named(step)}", "", pause)
        await clock.sleep(pause)
        await self._acts[type(step.act)](self, step.act)

    async def _say(self, act: Say) -> None:
        self.run.tell(act.text)

    async def _happen(self, act: Happen) -> None:
        try:
            entry = await self._register.start(act.fault)
        except (CannotHappen, Unserved) as error:
            raise Failed(str(error)) from error
        self._started.append(entry)
        self.run.tell(f"{act.fault.kind.name}: {entry.started.says}")

    async def _cease(self, act: Cease) -> None:
        await self._clear(act.fault)

    async def _clear(self, fault: str | None) -> None:
        ids = {entry.id for entry in self._started if fault in (None, entry.kind.name)}
        for entry in await self._register.end(lambda entry: entry.id in ids):
            self.run.tell(f"{entry.kind.name} ended")

    async def _until(self, act: Until) -> None:
        await self._wait(act.expectation.text, act.within, lambda: self._is_so(act.expectation))

    async def _call(self, act: Call) -> None:
        if act.shows:
            expression = act.shows
            await self._wait(
                f"{act.service}.{act.operation} shows {expression}",
                act.within,
                lambda: self._shows(act, expression),
            )
        elif act.refused:
            await self._meets_refusal(act, act.refused)
        else:
            await self._ask(act)
            self.run.tell(f"{act.service}.{act.operation}")

    async def _shows(self, act: Call, expression: str) -> bool:
        return bool(_search(expression, await self._ask(act)))

    async def _meets_refusal(self, act: Call, code: str) -> None:
        name = f"{act.service}.{act.operation}"
        try:
            await self._ask(act, ordinary=True)
        except Failed as error:
            refused = error.__cause__
            if isinstance(refused, Refused) and refused.code == code:
                self.run.tell(f"{name} is refused: {refused}")
                return
            raise
        raise Failed(f"{name} was to be refused with {code}, and was not.")

    async def _ask(self, act: Call, *, ordinary: bool = False) -> dict[str, Any]:
        given = _filled(act.parameters, self._saved)
        name = f"{act.service}.{act.operation}"
        try:
            answer = await self._caller.call(act.service, act.operation, given, ordinary=ordinary)
        except (Refused, aiohttp.ClientError, TimeoutError) as error:
            raise Failed(f"{name}: {str(error) or type(error).__name__}") from error
        self._saved |= {name: _search(path, answer) for name, path in act.save.items()}
        return answer

    def _tell_wait(self, what: str, limit: str, seconds: float) -> None:
        """Until when it waits, and how long that is for whoever looks on."""
        end = f"{limit}until +{self.run.elapsed + seconds:.0f}s"
        self.run.tell(f"waits {end} {what} ({spoken(seconds / clock.rate())} of real time)")

    async def _wait(self, what: str, within: float, true: Callable[[], Awaitable[bool]]) -> None:
        loop = asyncio.get_running_loop()
        give_up, silent = loop.time() + within / clock.rate(), True
        while not await true():
            if silent:
                self._tell_wait(f"for {what}", "at most ", within)
                silent = False
            if loop.time() >= give_up:
                raise Failed(f"{what}: not within {within:g} s")
            await asyncio.sleep(LOOK_SECONDS)
        self.run.tell(what)

    async def _is_so(self, expectation: Expectation) -> bool:
        asked = expectation.asked
        if asked is None:
            return await self._answers(expectation)
        while True:
            answer = await self._answer_to(asked)
            following = asked.then(answer) if asked.then else None
            if following is None:
                return asked.true(answer)
            asked = following

    async def _answer_to(self, asked: Asked) -> dict[str, Any]:
        return await self._ask(Call(asked.service, asked.operation, asked.parameters))

    async def _answers(self, expectation: Expectation) -> bool:
        url = self._urls.get(expectation.load_balancer)
        if url is None:
            raise Failed(f"there is no load balancer {expectation.load_balancer}")
        # A search nobody made before: what a cache still holds would hide a database that is gone.
        status = await self._caller.status(f"{url}/v1/articles?q=probe{next(self._probes)}")
        return expectation.answers == ("none" if status is None else f"{status // 100}xx")

    _acts: Mapping[type, Callable[[Any, Any], Awaitable[None]]] = {
        Say: _say,
        Happen: _happen,
        Cease: _cease,
        Until: _until,
        Call: _call,
    }


def _search(expression: str, answer: Mapping[str, Any]) -> Any:
    import jmespath  # type: ignore[import-untyped]

    return jmespath.search(expression, answer)


def _filled(value: Any, saved: Mapping[str, Any]) -> Any:
    """`value` with what was saved in the places that say `$name`."""
    if isinstance(value, dict):
        return {key: _filled(inner, saved) for key, inner in value.items()}
    if isinstance(value, list):
        return [_filled(inner, saved) for inner in value]
    if isinstance(value, str) and value.startswith("$"):
        return saved.get(value[1:], value)
    return value
