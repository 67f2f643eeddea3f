"""PostgreSQL and Valkey around a block of code: for tests and for one command."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from launcher.paths import Home
from launcher.postgres import Postgres
from launcher.processes import Ledger, signal_group
from launcher.service import Service
from launcher.valkey import Valkey

START_WITHIN = 60.0  # seconds
ATTEMPTS = 20
PAUSE = 0.25  # seconds


class DidNotStart(Exception):
    """A server ended or stayed silent; the message carries the end of its log."""


class Embedded:
    """Start what the environment does not name, and stop it again.

    `environment` holds DATABASE_URL, REDIS_URL, NEWS_DATABASE_URL and NEWS_REDIS_URL of the
    servers started here. Raises DidNotStart, NoPostgres, NoValkey, PostgresTrouble.
    """

    def __init__(self, home: Home, *, durable: bool = True) -> None:
        self.home = home
        self.postgres = None if os.environ.get("DATABASE_URL") else Postgres(home, durable=durable)
        self.valkey = None if os.environ.get("REDIS_URL") else Valkey(home, durable=durable)
        self._running: list[Running] = []

    @property
    def environment(self) -> dict[str, str]:
        return embedded_urls(self.postgres, self.valkey)

    def start(self) -> None:
        self.home.create()
        ledger = Ledger(self.home.root / "children.json")
        ledger.reap()
        servers = [server for server in (self.postgres, self.valkey) if server]
        try:
            for server in servers:
                log = self.home.root / f"{type(server).__name__.lower()}.log"
                self._running.append(Running(server.service(), log, ledger))
            for running in self._running:
                running.wait_ready()
            if self.postgres:
                self.postgres.create_databases()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        while self._running:
            self._running.pop().stop()
        self.home.remove_sockets()

    def remove(self) -> None:
        """Delete the home and everything in it, wherever PostgreSQL had to keep its data."""
        if self.postgres:
            shutil.rmtree(self.postgres.data, ignore_errors=True)
        shutil.rmtree(self.home.root, ignore_errors=True)

    def __enter__(self) -> Embedded:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()


def embedded_urls(postgres: Postgres | None, valkey: Valkey | None) -> dict[str, str]:
    """Return the environment that leads to the embedded servers; empty for what is not ours."""
    urls: dict[str, str] = {}
    if postgres:
        urls |= {
            "DATABASE_URL": postgres.url("quarterdeck"),
            "NEWS_DATABASE_URL": postgres.url("news"),
        }
    if valkey:
        urls |= {"REDIS_URL": valkey.url(0), "NEWS_REDIS_URL": valkey.url(1)}
    return urls


class Running:
    """One embedded server as a child of this process."""

    def __init__(self, service: Service, log: Path, ledger: Ledger) -> None:
        self.service = service
        self.log = log
        self.ledger = ledger
        self._spawn()

    def wait_ready(self) -> None:
        """Wait for the first answer; try again while a killed server's memory is let go."""
        for _ in range(ATTEMPTS):
            if asyncio.run(self._became_ready()):
                return
            said = self._last_words()
            if "shared memory block" not in said:
                break
            time.sleep(PAUSE)
            self._spawn()
        raise DidNotStart(f"{self.service.name} did not start: {said}")

    def stop(self) -> None:
        self.process.send_signal(self.service.stop)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(self.service.grace)
        signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.ledger.forget(self.process.pid)

    def _spawn(self) -> None:
        self.service.before()
        with self.log.open("ab") as log:
            self._log_begins = log.tell()
            self.process: subprocess.Popen[bytes] = subprocess.Popen(
                self.service.command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                **self.service.popen_arguments(),
            )
        self.ledger.record(self.service.name, self.process.pid)

    async def _became_ready(self) -> bool:
        """Return False when the server ended, or stayed silent for too long."""
        deadline = time.monotonic() + START_WITHIN
        while self.process.poll() is None and time.monotonic() < deadline:
            if self.service.ready is None or await self.service.ready():
                return True
            await asyncio.sleep(0.02)
        return False

    def _last_words(self) -> str:
        return self.log.read_bytes()[self._log_begins :].decode(errors="replace").strip()[-600:]


@contextlib.contextmanager
def exported(environment: dict[str, str]) -> Iterator[None]:
    """Set environment variables for a block and put back what was there."""
    before = {name: os.environ.get(name) for name in environment}
    os.environ.update(environment)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
