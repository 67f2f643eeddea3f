"""Scenarios as a part of the account: the control API's /_sandbox/scenarios."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import aiohttp
from aiohttp import web

from sandbox import world
from sandbox.chaos.register import Register
from sandbox.chaos.shared import FaultFile
from sandbox.context import Context
from sandbox.control import body
from sandbox.scenarios.caller import Caller
from sandbox.scenarios.engine import Engine
from sandbox.scenarios.files import parse, shipped, titles
from sandbox.scenarios.model import Scenario

CALL_SECONDS = 30.0


async def join(sandbox: Context) -> None:
    """Serve the routes."""
    theatre = Theatre(sandbox)
    sandbox.provide(theatre)
    sandbox.route("GET", "/_sandbox/scenarios", theatre.shown)
    sandbox.route("POST", "/_sandbox/scenarios", theatre.start)
    sandbox.route("DELETE", "/_sandbox/scenarios", theatre.stop)


class Theatre:
    """Plays one scenario at a time; the handlers of /_sandbox/scenarios."""

    def __init__(self, sandbox: Context) -> None:
        self._sandbox = sandbox
        self._engine: Engine | None = None
        self._playing: asyncio.Task[None] | None = None

    async def shown(self, _: web.Request | None) -> web.Response:
        """GET: the run that goes on, or the last one, and the scenarios that are shipped."""
        known = [{"scenario": name, "title": title} for name, title in titles().items()]
        return web.json_response({"run": self._run(), "known": known})

    async def start(self, request: web.Request) -> web.Response:
        """POST `{"scenario": name}` or `{"file": text, "name": name}`: begin it."""
        scenario = await _scenario(await body(request))
        if self._playing is not None and not self._playing.done():
            raise web.HTTPConflict(text="A scenario runs; stop it first.")
        session = aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=CALL_SECONDS))
        caller = Caller(self._sandbox.settings.gateway_url, session)
        self._engine = Engine(scenario, caller, self._sandbox.of(Register), self._urls())
        self._playing = asyncio.create_task(self._play(self._engine, session))
        return web.json_response({"run": self._run()})

    async def stop(self, _: web.Request) -> web.Response:
        """DELETE: stop the run and end its faults."""
        if self._playing is not None and not self._playing.done():
            # A second cancellation would end it before its faults are.
            if not self._playing.cancelling():
                self._playing.cancel()
            await asyncio.wait([self._playing])
        return web.json_response({"run": self._run()})

    async def _play(self, engine: Engine, session: aiohttp.ClientSession) -> None:
        file, seed = self._sandbox.of(FaultFile), engine.run.scenario.seed
        file.seed(seed)
        self._sandbox.switches.dice = random.Random(seed)
        try:
            async with session:
                await engine.play()
        finally:
            file.seed(None)
            self._sandbox.switches.dice = random.Random()

    def _run(self) -> dict[str, Any] | None:
        return self._engine.run.shown() if self._engine else None

    def _urls(self) -> dict[str, str]:
        ports = world.balancer_ports(self._sandbox.settings)
        return {name.split("/")[1]: f"http://127.0.0.1:{port}" for name, port in ports.items()}


async def _scenario(given: dict[str, Any]) -> Scenario:
    """What the body asks for; checked in a thread, as reading AWS's models takes a while."""
    name = given.get("name" if "file" in given else "scenario")
    try:
        if "file" in given:
            return await asyncio.to_thread(parse, str(given["file"]), str(name or "scenario"))
        return await asyncio.to_thread(shipped, str(name))
    except KeyError as error:
        text = f"There is no scenario {name!r}. Known: {', '.join(titles())}."
        raise web.HTTPBadRequest(text=text) from error
    except ValueError as error:
        raise web.HTTPBadRequest(text=str(error)) from error
