"""`bin/up`: the whole of Quarterdeck on one machine, in the right order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.child import Child, GaveUp
from launcher.console import Console
from launcher.embedded import embedded_urls
from launcher.environment import (
    given,
    needed_postgres,
    needed_valkey,
    portal_environment,
    sandbox_environment,
    wants_sandbox,
)
from launcher.lock import Lock
from launcher.paths import CHECKOUT, Home
from launcher.probes import ReservedPorts, http_ready, port_is_free
from launcher.processes import Ledger
from launcher.service import Service
from launcher.stamps import Stamp
from launcher.supervisor import Supervisor

CONCURRENCY = "8"
BACKLOG = "1024"
# Of the portal's first_run: what it says once the database can be used, and what it writes.
MIGRATED = "migrated"
SIGN_IN_FILE = "sign-in.txt"


class PortTaken(Exception):
    """Somebody else listens where the portal should."""


@dataclass(frozen=True)
class Options:
    """Where the portal listens, and the checkout whose programs are run."""

    host: str = "127.0.0.1"
    port: int = 8000
    checkout: Path = CHECKOUT

    @property
    def url(self) -> str:
        return f"http://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}/"


def up(options: Options, home: Home, console: Console) -> int:
    """Run everything until a signal; return the exit code. Raises AlreadyRunning, PortTaken."""
    with Lock(home) as lock:
        if not port_is_free(options.host, options.port):
            raise PortTaken(
                f"Port {options.port} of {options.host} is taken, perhaps by another checkout. "
                f"Choose one with --port, for example: bin/up --port {options.port + 1}"
            )
        lock.announce(options.url)
        home.create()
        supervisor = Supervisor(console, Ledger(home.root / "children.json"))
        code = asyncio.run(supervisor.run(Plan(options, home, supervisor).follow))
        home.remove_sockets()
    return code


class Plan:
    """What to start, in which order, with which environment."""

    def __init__(self, options: Options, home: Home, supervisor: Supervisor) -> None:
        self.options = options
        self.home = home
        self.supervisor = supervisor
        self.console = supervisor.console
        self.sandbox = wants_sandbox()
        self.reserved = ReservedPorts(run=3)  # the gateway's and those of the load balancers
        self.gateway = self.reserved.first
        self.balancer = self.gateway + 1
        self.postgres = needed_postgres(home, sandbox=self.sandbox)
        self.valkey = needed_valkey(home, sandbox=self.sandbox)
        self.stores = embedded_urls(self.postgres, self.valkey)
        self.env = portal_environment(
            home, self.stores, options.host, self.gateway if self.sandbox else None
        )

    async def follow(self) -> None:
        """Start everything. Raises GaveUp, NoPostgres, NoValkey, PostgresTrouble."""
        await self._start_stores()
        users = await self._serve()
        self.console.say(f"First page at {self.console.elapsed():.1f} s")
        # What no page waits for comes after the page: imports compete for the processors.
        if self.sandbox:
            self.supervisor.start(self._sandbox())
        self.supervisor.start(self._worker())
        self.supervisor.start(self._beat())
        self._welcome(users)

    async def _serve(self) -> list[dict[str, str]]:
        """Migrate, start the web server and return the first users.

        Our own database is left alone when it has seen this very code.
        """
        stamp = self._prepared()
        if stamp is not None and stamp.is_current():
            web = self.supervisor.start(self._web())
            users: list[dict[str, str]] = []
        else:
            web, users = await self._first_run()
        if stamp is not None:
            stamp.write()
        await web.ready.wait()
        return users

    async def _first_run(self) -> tuple[Child, list[dict[str, str]]]:
        """Prepare the database; the web server boots while the first users are made."""
        started: list[Child] = []

        def heard(line: str) -> None:
            if line == MIGRATED:
                started.append(self.supervisor.start(self._web()))

        said = await self._manage("first_run", "--migrate", heard=heard)
        if not started:
            raise GaveUp("first_run did not say that the database is migrated.")
        return started[0], users_of(said)

    def _prepared(self) -> Stamp | None:
        """Return the stamp inside the embedded cluster, so that it shares the cluster's fate."""
        if self.postgres is None or given("DATABASE_URL"):
            return None
        checkout = self.options.checkout
        inputs = [*sorted(checkout.glob("*/migrations")), checkout / "requirements" / "up.txt"]
        return Stamp(self.postgres.data / "quarterdeck.stamp", inputs)

    async def _start_stores(self) -> None:
        stores = [server for server in (self.postgres, self.valkey) if server]
        started = [self.supervisor.start(server.service()) for server in stores]
        await asyncio.gather(*(child.ready.wait() for child in started))
        if self.postgres:
            self.postgres.create_databases()

    async def _manage(self, *arguments: str, heard: Callable[[str], None]) -> list[str]:
        command = (sys.executable, "manage.py", *arguments)
        return await self.supervisor.command(self._portal(arguments[0], command), heard=heard)

    def _portal(self, name: str, command: tuple[str, ...], **more: Any) -> Service:
        return Service(name, command, self.env, cwd=self.options.checkout, **more)

    def _web(self) -> Service:
        workers = "1" if os.cpu_count() == 1 else "2"
        where = ("--host", self.options.host, "--port", str(self.options.port))
        size = ("--workers", workers, "--blocking-threads", "4", "--backlog", BACKLOG)
        care = ("--respawn-failed-workers", "--workers-kill-timeout", "4", "--log-level", "warning")
        granian = (sys.executable, "-m", "granian", "--interface", "wsgi")
        command = (*granian, *where, *size, *care, "portal.wsgi:application")
        return self._portal("web", command, ready=self._web_ready)

    async def _web_ready(self) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.options.host, self.options.host)  # noqa: S104
        return await http_ready(host, self.options.port, "/healthz")

    def _worker(self) -> Service:
        command = self._celery("worker", "--pool", "threads", "--concurrency", CONCURRENCY)
        quiet = ("--without-gossip", "--without-mingle")
        return self._portal("worker", (*command, "--queues", "operations,collect", *quiet))

    def _beat(self) -> Service:
        schedule = str(self.home.root / "beat")
        return self._portal("beat", self._celery("beat", "--schedule", schedule, "--pidfile", ""))

    def _celery(self, *arguments: str) -> tuple[str, ...]:
        command, *options = arguments
        loud = ("--loglevel", "info")
        return (sys.executable, "-m", "celery", "-A", "portal", "--quiet", command, *options, *loud)

    def _sandbox(self) -> Service:
        where = ("--home", str(self.home.root / "sandbox"))
        ports = ("--port", str(self.gateway), "--alb-port", str(self.balancer))
        return Service(
            "sandbox",
            (sys.executable, "-m", "sandbox", "serve", *where, *ports),
            sandbox_environment(self.home, self.stores),
            ready=lambda: http_ready("127.0.0.1", self.gateway, "/_health"),
            cwd=self.options.checkout,
        )

    def _welcome(self, users: list[dict[str, str]]) -> None:
        self.console.say(f"Quarterdeck is at {self.options.url}")
        for user in users:
            self.console.say(f"Sign in as {user['username']} / {user['password']} ({user['role']})")
        kept = self.home.root / SIGN_IN_FILE
        if not users and kept.exists():
            self.console.say(f"Sign in with a name and password from {kept}")
        if self.sandbox:
            self.console.say("The sandbox is starting; its figures appear within a minute.")
            self.console.say(
                f"What it does and leaves out: http://127.0.0.1:{self.gateway}/_sandbox/"
            )
            command = f"{os.path.relpath(sys.executable)} -m sandbox"
            self.console.say(f"Make it fail: {command} fault --help; add --port {self.gateway}")
        self.console.say("Ctrl-C stops everything.")


def users_of(said: list[str]) -> list[dict[str, str]]:
    """Return the users that `first_run` printed as one line of JSON. Raises GaveUp."""
    for line in reversed(said):
        with contextlib.suppress(ValueError, KeyError, TypeError):
            users: list[dict[str, str]] = json.loads(line)["users"]
            return users
    raise GaveUp("first_run did not say which users exist.")
