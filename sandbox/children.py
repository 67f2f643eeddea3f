"""The sandbox's own processes: the one that sends readers' requests, and how each is ended."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections.abc import Awaitable, Callable

from sandbox.repeating import repeat

log = logging.getLogger("sandbox.readers")

PAUSE = 1.0
# How long a process may take to end before it is killed.
STOP_SECONDS = 3.0

# Starts the process at a rate of requests a second; it takes commands on its standard input.
Start = Callable[[float], Awaitable[asyncio.subprocess.Process]]


class Readers:
    """Readers at `rate` requests a second; none before `begin`."""

    def __init__(self, start: Start, rate: float) -> None:
        self.rate = rate
        self._start = start
        self._process: asyncio.subprocess.Process | None = None
        self._leaving = False

    async def begin(self) -> None:
        """Let them come."""
        self._process = await self._start(self.rate)

    async def keep(self) -> None:
        """Bring them back, at the rate they had, whenever their process dies."""
        await repeat(self._come_back, "bringing the readers back", every=PAUSE)

    async def _come_back(self) -> None:
        if self._process is None:
            return
        status = await self._process.wait()
        if not self._leaving:
            log.error("the readers ended with %s; others come", status)
            await self.begin()

    def change(self, rate: float) -> None:
        """Send so many requests a second from now on."""
        self.rate = rate
        process = self._process
        if process is not None and process.stdin is not None and process.returncode is None:
            process.stdin.write(json.dumps({"rate": rate}).encode() + b"\n")

    async def leave(self) -> None:
        """Send no request any more."""
        self._leaving = True
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()
        await gone(self._process)


async def gone(child: asyncio.subprocess.Process) -> None:
    """Wait for a child that was told to end; SIGKILL when it does not."""
    try:
        await asyncio.wait_for(child.wait(), STOP_SECONDS)
    except TimeoutError:
        with contextlib.suppress(ProcessLookupError):  # it ended just then
            child.kill()
        await child.wait()
