"""Puts the sandbox together: the gateway answers first, then come load balancer and fleet."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import logging
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Coroutine, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from aiohttp import web

from sandbox import clock, feeds, relays, world
from sandbox.balancing import status as balancing
from sandbox.balancing.model import Picture
from sandbox.chaos.shared import NAME as FAULT_FILE
from sandbox.chaos.shared import FaultFile
from sandbox.children import STOP_SECONDS, Readers, gone
from sandbox.context import Context, Handler
from sandbox.control import Control, loopback_only
from sandbox.ecs.account import Account
from sandbox.ecs.api import Ecs
from sandbox.ecs.controller import Controller
from sandbox.ecs.scheduler import Scheduler
from sandbox.fleet import ROOT, Fleet
from sandbox.gateway import MAX_BODY, Gateway
from sandbox.load_balancers import LoadBalancers, Rule
from sandbox.moto_journal import Journal
from sandbox.names import ACCOUNT, REGION
from sandbox.parts import join_all
from sandbox.processes import PidFile, die_with_parent, hoard_no_memory, return_memory
from sandbox.settings import Settings
from sandbox.state import State
from sandbox.switches import Switches

log = logging.getLogger("sandbox")

# A service may have no healthy task at all: the readers begin all the same after this.
FIRST_TARGETS_WITHIN = 20.0


class Sandbox:
    """One running account. `start` returns when the gateway answers; the rest comes after."""

    def __init__(self, settings: Settings) -> None:
        hoard_no_memory()
        settings.home.mkdir(parents=True, exist_ok=True)
        self._set_clock(settings)
        self._state = State(settings.home / "ecs.sqlite")
        self._sockets = self._socket_directory()
        self._epoch = self._state.epoch()
        self._relays = relays.plans(settings.environment, self._sockets)
        self._settings = settings = replace(settings, environment=self._news_environment(settings))
        self._pids = PidFile(settings.home / "pids")
        self._pids.reap()
        self._switches = Switches()
        self._account = Account(self._state)
        self._balancers = LoadBalancers(
            self._sockets / "alb", settings.health_interval, settings.drain_seconds
        )
        self._balancers.keep = partial(self._state.put, "account", "load-balancers")
        world.add_rules(self._balancers, settings, self._state.get("account", "load-balancers"))
        self._fleet = Fleet(settings, self._pids)
        self._scheduler = Scheduler(self._account, self._fleet, self._balancers)
        self._controller = Controller(
            self._account, self._scheduler, self._balancers, settings, self._in_alarm
        )
        self._ecs = Ecs(self._account, self._scheduler, self._controller, settings)
        self._gateway = Gateway(self._switches, Journal(settings.home / "moto.sqlite"), self._epoch)
        self._jobs: set[asyncio.Task[None]] = set()
        self._children: list[asyncio.subprocess.Process] = []
        self._readers = Readers(self._traffic, settings.traffic)
        self._ready = False
        # Set when the account cannot be opened.
        self.broken = asyncio.Event()
        self._routes: dict[tuple[str, str], Handler] = {}
        self._control = Control(
            self._switches, self._status, self._kill, self._readers.change, settings.traffic
        )
        self._context = self._new_context()

    def _set_clock(self, settings: Settings) -> None:
        """Every child inherits the clock by its environment."""
        path = settings.home / "clock"
        clock.prepare(path, settings.clock_rate)
        clock.use(path)
        os.environ[clock.VARIABLE] = str(path)

    def _new_context(self) -> Context:
        context = Context(
            home=self._settings.home,
            epoch=self._epoch,
            fresh=not self._state.get("account", "furnished"),
            state=self._state,
            settings=self._settings,
            switches=self._switches,
            gateway=self._gateway,
            spawn=self._spawn,
            route=self._route,
        )
        context.serve("ecs", self._ecs)
        context.provided.extend([self._account, self._ecs, self._controller, self._scheduler])
        context.provided.extend([self._fleet, self._balancers, self._control])
        relayed = [plan.name for plan in self._relays]
        context.provide(FaultFile(self._sockets / FAULT_FILE, relayed))
        return context

    def _route(self, method: str, path: str, handler: Handler) -> None:
        """Add a route under `/_…`; a path that ends in / takes everything below it."""
        self._routes[method, path] = handler

    async def _routed(self, request: web.Request) -> web.StreamResponse:
        """aiohttp's routes are fixed once it listens; parts join later, so theirs are a table."""
        below = f"{request.path.rpartition('/')[0]}/"
        for path in (request.path, below):
            handler = self._routes.get((request.method, path))
            if handler is not None:
                return await handler(request)
        raise web.HTTPNotFound

    def _socket_directory(self) -> Path:
        """A private directory with a short path; the one a crash left behind goes."""
        left = self._state.get("account", "sockets")
        if left:
            shutil.rmtree(left, ignore_errors=True)
        directory = tempfile.mkdtemp(prefix="qd-", dir="/tmp")
        self._state.put("account", "sockets", directory)
        return Path(directory)

    def _news_environment(self, settings: Settings) -> dict[str, str]:
        secret = self._state.get("account", "news-secret") or secrets.token_hex(32)
        self._state.put("account", "news-secret", secret)
        return {
            **relays.environment(settings.environment, self._relays),
            "NEWS_SECRET_KEY": secret,
            "NEWS_SOURCES": json.dumps(feeds.catalogue(settings.gateway_url)),
        }

    # -- starting --------------------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, then bring up everything else in the background."""
        app = web.Application(client_max_size=MAX_BODY, middlewares=[loopback_only])
        app.router.add_get("/_health", _health)
        app.router.add_get("/_feeds/{name}.xml", feeds.handle)
        self._control.add_routes(app.router)
        app.router.add_route("*", "/_{path:.*}", self._routed)
        app.router.add_route("*", "/{path:.*}", self._gateway.handle)
        # A request that hangs on purpose must not hold up the end.
        self._runner = web.AppRunner(
            app, access_log=None, shutdown_timeout=0.5, auto_decompress=False
        )
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self._settings.port).start()
        self._spawn(self._bring_up())

    async def _bring_up(self) -> None:
        try:
            await self._open_account()
        except Exception:
            log.exception("the account could not be opened")
            self.broken.set()

    async def _open_account(self) -> None:
        await self._start_load_balancer()
        with self._state.together():
            world.settle(self._ecs, self._account, self._controller, self._settings, self._epoch)
        await self._controller.recover()
        self._balancers.on_weights = self._show_weights
        await join_all(self._context)
        self._state.put("account", "furnished", True)
        # Before the first request, which would find moto without its seed.
        self._spawn(self._load_moto())
        self._gateway.open()
        await self._prepare_news()
        self._spawn(self._scheduler.run())
        self._spawn(self._tidy())
        await self._await_targets()
        await self._readers.begin()
        self._spawn(self._readers.keep())
        self._ready = True

    async def _start_load_balancer(self) -> None:
        # Watched from the first moment: it may die before it has taken anything.
        self._spawn(self._keep_load_balancer(await self._load_balancer()))
        await self._balancers.open()

    async def _load_balancer(self) -> asyncio.subprocess.Process:
        relayed = [f"--relay={json.dumps(plan.argument())}" for plan in self._relays]
        socket = self._sockets / "alb"
        socket.unlink(missing_ok=True)
        access_log = self._settings.home / "alb.log"
        process = await self._child(
            "sandbox.alb", f"--control={socket}", f"--log={access_log}", *relayed
        )
        while not socket.exists() and process.returncode is None:
            await asyncio.sleep(0.02)
        return process

    async def _keep_load_balancer(self, process: asyncio.subprocess.Process) -> None:
        """Start the load balancer again when it dies, and tell it everything anew."""
        while True:
            status = await process.wait()
            log.error("the load balancer ended with %s; see %s", status, self._log_path())
            await asyncio.sleep(1)
            process = await self._load_balancer()
            # A port of before may be taken for a while.
            while process.returncode is None and not await self._balancers.try_to_push():
                await asyncio.sleep(1)

    async def _load_moto(self) -> None:
        picture = await self._gateway.load(self._seed_moto, self._picture)
        await self._balancers.adopt(picture)
        # Loading leaves megabytes in cycles; what remains stays, and need not be looked at again.
        gc.collect()
        gc.freeze()
        return_memory()

    def _seed_moto(self) -> None:
        from sandbox.moto_world import seed

        seed(self._epoch)

    def _picture(self) -> Picture:
        from sandbox.balancing.moto_picture import read

        return read(self._balancers.weights())

    def _show_weights(self, rule: Rule) -> None:
        from sandbox.balancing.moto_picture import show

        self._gateway.run_in_moto(partial(show, rule))

    async def _in_alarm(self, names: Sequence[str]) -> list[str]:
        """A deployment that goes on after a restart may ask before the alarms have joined."""
        from sandbox.alarms.service import Alarms

        while (alarms := self._context.find(Alarms)) is None:
            await asyncio.sleep(0.02)
        return await alarms.in_alarm(names)

    async def _prepare_news(self) -> None:
        """Bring the News API's database up to date and fill it once before the first task."""
        if self._settings.task_command:
            return
        for arguments in (("migrate",), ("ingest",)):
            process = await self._child("news_api", *arguments)
            if await process.wait():
                log.error("python -m news_api %s failed; see %s", arguments[0], self._log_path())

    async def _await_targets(self) -> None:
        """Wait for the first healthy targets, so that a start does not look like an outage."""
        give_up = asyncio.get_running_loop().time() + FIRST_TARGETS_WITHIN
        while not self._balancers.all_serve() and asyncio.get_running_loop().time() < give_up:
            await asyncio.sleep(0.2)

    async def _traffic(self, rate: float) -> asyncio.subprocess.Process:
        ports = list(world.balancer_ports(self._settings).values())
        urls = [
            f"--production=http://127.0.0.1:{ports[0]}",
            f"--staging=http://127.0.0.1:{ports[1]}",
        ]
        return await self._child("sandbox.traffic", *urls, f"--rate={rate}", stdin=subprocess.PIPE)

    def _log_path(self) -> Path:
        return self._settings.home / "sandbox.log"

    async def _child(
        self, module: str, *arguments: str, stdin: int = subprocess.DEVNULL
    ) -> asyncio.subprocess.Process:
        with self._log_path().open("ab") as output:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module, *arguments),
                cwd=ROOT,
                env={**os.environ, **self._settings.environment},
                stdin=stdin,
                stdout=output,
                stderr=output,
                preexec_fn=die_with_parent,
            )
        self._children = [child for child in self._children if child.returncode is None]
        self._children.append(process)
        self._pids.add(process.pid, " ".join((module, *arguments)))
        return process

    async def _tidy(self) -> None:
        """Give back what tasks' logs take on disk and what starting and large answers took."""
        while True:
            self._fleet.cap_logs()
            return_memory()
            await asyncio.sleep(30)

    # -- the control API -------------------------------------------------------------------------

    def _status(self) -> dict[str, Any]:
        return {
            "account": ACCOUNT,
            "region": REGION,
            "epoch": self._epoch.isoformat(),
            "now": clock.now().isoformat(),
            "clock_rate": clock.rate(),
            "ready": self._ready,
            "seconds_per_minute": self._settings.seconds_per_minute,
            "load_balancers": balancing.shown(self._balancers),
            "operations": dict(self._switches.calls),
            "faults": [vars(fault) for fault in self._switches.faults],
        }

    def _kill(self, task_id: str) -> bool:
        """SIGKILL a task's process group; False when no such task runs."""
        for arn in self._account.tasks:
            if arn.endswith(f"/{task_id}"):
                process = self._scheduler.process(arn)
                if process is not None:
                    process.kill()
                    return True
        return False

    # -- stopping --------------------------------------------------------------------------------

    async def stop(self) -> None:
        """End every process and close every file."""
        # Readers go first: what they would ask of tasks that end is no outage.
        await self._readers.leave()
        self._controller.cancel()
        self._scheduler.cancel()
        for job in self._jobs:
            job.cancel()
        await self._runner.cleanup()
        await self._fleet.stop_all(STOP_SECONDS)
        await self._balancers.close()
        for child in self._children:
            with contextlib.suppress(ProcessLookupError):
                child.terminate()
        await asyncio.gather(*(gone(child) for child in self._children))
        self._gateway.close()
        for ending in reversed(self._context.endings):
            ending()
        self._state.close()
        shutil.rmtree(self._sockets, ignore_errors=True)
        (self._settings.home / "pids").unlink(missing_ok=True)

    def _spawn(self, work: Coroutine[Any, Any, Any]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[Any]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            log.error("a part of the sandbox failed", exc_info=job.exception())


async def _health(_: web.Request) -> web.Response:
    return web.json_response({"status": "ok"})
