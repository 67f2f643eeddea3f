"""Start services in order, keep them running, and leave nothing behind."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any

from launcher.child import Child, GaveUp, describe
from launcher.console import Console
from launcher.output import Output, start
from launcher.processes import Ledger, signal_group
from launcher.service import Service

STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class Supervisor:
    """Run a plan, then wait for a signal or for a service that cannot be kept alive."""

    def __init__(self, console: Console, ledger: Ledger) -> None:
        self.console = console
        self.ledger = ledger
        self._children: list[Child] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: set[int] = set()

    async def run(self, plan: Callable[[], Coroutine[Any, Any, None]]) -> int:
        """Return the exit code: 0 after a signal, 1 after a failure."""
        self._over: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        self._listen()
        for name in self.ledger.reap():
            self.console.say(f"stopped {name}, which an earlier launcher left behind")
        starting = self._watch(plan())
        code = await self._over
        starting.cancel()
        await self._stop()
        return code

    def start(self, service: Service) -> Child:
        """Start a service now and keep it running."""
        child = Child(service, self.console, self.ledger)
        self._children.append(child)
        self._watch(child.run())
        return child

    async def command(self, service: Service, *, heard: Callable[[str], None]) -> list[str]:
        """Run a command to its end and return its standard output. Raises GaveUp.

        `heard` gets each line as soon as it is there. Standard error is shown.
        """
        process, outputs = await start(service, self.ledger, separate_errors=True)
        self._commands.add(process.pid)
        show: Callable[[str], None] = partial(self.console.line, service.name)
        reading = [
            asyncio.create_task(_collect(output, listener))
            for output, listener in zip(outputs, (heard, show), strict=True)
        ]
        try:
            code = await process.wait()
        finally:
            signal_group(process.pid, signal.SIGKILL)
            self._commands.discard(process.pid)
            self.ledger.forget(process.pid)
            said, _ = await asyncio.gather(*reading)
        if code:
            raise GaveUp(f"{service.name} failed ({describe(code)}).")
        return said

    def _listen(self) -> None:
        # Handlers, not KeyboardInterrupt: a shell starts background jobs with SIGINT ignored,
        # and then Python raises nothing.
        loop = asyncio.get_running_loop()
        for number in STOP_SIGNALS:
            loop.add_signal_handler(number, self._on_signal)

    def _on_signal(self) -> None:
        if not self._over.done():
            self.console.say("stopping; once more to kill")
            self._over.set_result(0)
            return
        for child in self._children:
            child.kill()
        for pid in self._commands:
            signal_group(pid, signal.SIGKILL)
        os._exit(130)

    def _watch(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._on_done)
        return task

    def _on_done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or not (error := task.exception()):
            return
        self.console.say(str(error) if isinstance(error, GaveUp) else repr(error))
        if not self._over.done():
            self._over.set_result(1)

    async def _stop(self) -> None:
        """Stop clients before the servers they talk to."""
        began = self.console.elapsed()
        for stores in (False, True):
            group = [child for child in self._children if child.service.store is stores]
            await asyncio.gather(*(child.halt() for child in group))
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self.console.say(f"stopped in {self.console.elapsed() - began:.1f} s")


async def _collect(output: Output, listener: Callable[[str], None]) -> list[str]:
    said = []
    async for line in output.lines():
        said.append(line)
        listener(line)
    return said
