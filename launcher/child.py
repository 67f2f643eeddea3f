"""One supervised process: start, readiness, log lines, restart with back-off, end."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time

from launcher.console import Console
from launcher.output import Output, start
from launcher.processes import Ledger, signal_group
from launcher.service import Service

FAILURES_ALLOWED = 5
FAILURES_WITHIN = 60.0  # seconds
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds


class GaveUp(Exception):
    """A service ended too often, or a command failed."""


class Child:
    """Keep one service running until `halt`.

    `ready` is set while the service answers its probe. `run` raises GaveUp after the sixth end
    within a minute.
    """

    def __init__(self, service: Service, console: Console, ledger: Ledger) -> None:
        self.service = service
        self.console = console
        self.ledger = ledger
        self.ready = asyncio.Event()
        self._halting = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None
        self._ends: list[float] = []

    async def run(self) -> None:
        while not self._halting.is_set():
            await self._run_once()
            if not self._halting.is_set():
                await self._pause()

    async def halt(self) -> None:
        """Ask for an end, and enforce it after the service's grace."""
        self._halting.set()
        process = self._process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(self.service.stop)
        try:
            await asyncio.wait_for(process.wait(), self.service.grace)
        except TimeoutError:
            self._say(f"did not stop within {self.service.grace:g} s, killed")
        self.kill()
        await process.wait()

    def kill(self) -> None:
        """Kill the process and everything in its group, now."""
        if self._process is not None:
            signal_group(self._process.pid, signal.SIGKILL)

    async def _run_once(self) -> None:
        self.service.before()
        process, (output,) = await start(self.service, self.ledger)
        self._process = process
        if self._halting.is_set():  # asked to halt while the process was being made
            self.kill()
        tasks = [asyncio.create_task(self._pump(output)), asyncio.create_task(self._watch())]
        try:
            code = await process.wait()
        finally:
            self.ready.clear()
            # Workers of a killed server would keep its port.
            self.kill()
            self.ledger.forget(process.pid)
            await _finish(*tasks)
        if not self._halting.is_set():
            self._say(f"ended unexpectedly ({describe(code)})")

    async def _pause(self) -> None:
        """Wait longer after each failure. Raises GaveUp."""
        now = time.monotonic()
        self._ends = [*(at for at in self._ends if now - at < FAILURES_WITHIN), now]
        if len(self._ends) > FAILURES_ALLOWED:
            raise GaveUp(f"{self.service.name} ended {len(self._ends)} times within a minute.")
        pause = min(FIRST_PAUSE * 2 ** (len(self._ends) - 1), LONGEST_PAUSE)
        self._say(f"starts again in {pause:g} s")
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._halting.wait(), pause)

    async def _watch(self) -> None:
        while self.service.ready and not await self.service.ready():
            await asyncio.sleep(0.05)
        self.ready.set()
        self._say("ready" if self.service.ready else "started")

    async def _pump(self, output: Output) -> None:
        async for line in output.lines():
            self._say(line)

    def _say(self, text: str) -> None:
        self.console.line(self.service.name, text)


def describe(code: int) -> str:
    """Return an exit code in words."""
    return f"signal {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"


async def _finish(pump: asyncio.Task[None], watch: asyncio.Task[None]) -> None:
    """Read the last lines, but not for ever: a stray grandchild may hold the pipe."""
    watch.cancel()
    await asyncio.wait({pump}, timeout=1)
    pump.cancel()
    await asyncio.gather(pump, watch, return_exceptions=True)
