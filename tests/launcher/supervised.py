"""A supervisor in a process of its own, with small shell scripts as services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil

from launcher.paths import CHECKOUT

LIMIT = 200  # seconds for what takes a few, on the busiest machine

DRIVER = """
import asyncio, json, os, sys
from pathlib import Path
from launcher.console import Console
from launcher.processes import Ledger
from launcher.service import Service
from launcher.supervisor import Supervisor

ledger, scripts, grace = Path(sys.argv[1]), json.loads(sys.argv[2]), float(sys.argv[3])
supervisor = Supervisor(Console(sys.stdout), Ledger(ledger))

async def plan():
    for name, script in scripts.items():
        store = name.startswith("store")
        command = ("/bin/sh", "-c", script)
        service = Service(name, command, dict(os.environ), grace=grace, store=store)
        child = supervisor.start(service)
        await child.ready.wait()
    supervisor.console.say("all started")

sys.exit(asyncio.run(supervisor.run(plan)))
"""


class Supervised:
    """Run services under a supervisor; what it printed can be waited for."""

    def __init__(self, directory: Path, scripts: dict[str, str], grace: float) -> None:
        self.log = directory / "log"
        given = (str(directory / "ledger.json"), json.dumps(scripts), str(grace))
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DRIVER, *given],
                cwd=CHECKOUT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        eventually(lambda: text in self.said(), f"{text!r} in {self.said()!r}")

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        finally:  # a supervisor that hangs is a failed test, not a process left behind
            self.process.kill()
            self.process.wait()


def eventually(condition: Callable[[], bool], what: str, seconds: float = LIMIT) -> None:
    """Wait until something holds; fail with a sentence when it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"never happened: {what}"
        time.sleep(0.02)


def environment(**changes: str) -> dict[str, str]:
    """Return this environment without the test servers' addresses."""
    ours = ("DATABASE_URL", "REDIS_URL", "NEWS_DATABASE_URL", "NEWS_REDIS_URL", "QUARTERDECK_HOME")
    return {name: value for name, value in os.environ.items() if name not in ours} | changes
