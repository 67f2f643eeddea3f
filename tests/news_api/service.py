"""Runs the News API as its own processes, as ECS does."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from launcher.probes import ReservedPorts

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_SECONDS = 200


@dataclass
class Service:
    """Starts commands of the News API with one environment."""

    environment: dict[str, str]
    directory: Path

    def run(self, *arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return subprocess.run(
            [sys.executable, "-m", "news_api", *arguments],
            env=self._environment(variables),
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE_SECONDS,
            check=False,
        )

    def start(self, *arguments: str, **variables: str) -> Process:
        """Start a command; its output goes to a file."""
        output = self.directory / f"{time.monotonic_ns()}.log"
        with output.open("wb") as file:
            popen = subprocess.Popen(
                [sys.executable, "-m", "news_api", *arguments],
                env=self._environment(variables),
                cwd=ROOT,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Process(popen, output)

    def serve(self, **variables: str) -> Server:
        """Start a server and wait until it answers."""
        ports = ReservedPorts()
        address = f"127.0.0.1:{ports.first}"
        process = self.start("serve", "--bind", address, **variables)
        client = httpx.Client(base_url=f"http://{address}", timeout=PATIENCE_SECONDS)
        server = Server(process, client, ports)
        try:
            wait_for(server.answers)
        except BaseException:
            server.close()
            raise
        return server

    def _environment(self, variables: dict[str, str]) -> dict[str, str]:
        inherited = {
            name: value for name, value in os.environ.items() if not name.startswith("NEWS_")
        }
        return {**inherited, **self.environment, **variables}


@dataclass
class Process:
    """A running command."""

    popen: subprocess.Popen[bytes]
    output: Path

    def terminate(self) -> None:
        """Ask it to stop, as ECS does, without waiting."""
        self.popen.send_signal(signal.SIGTERM)

    def stop(self) -> int:
        """Stop it and return its exit status."""
        self.terminate()
        return self.popen.wait(PATIENCE_SECONDS)

    def kill(self) -> None:
        """End the whole group if it is still there."""
        if self.popen.poll() is None:
            os.killpg(self.popen.pid, signal.SIGKILL)
            self.popen.wait(PATIENCE_SECONDS)

    def lines(self) -> list[dict[str, Any]]:
        """Return the JSON lines it has logged; any other line fails."""
        ended = self.popen.poll() is not None
        text = self.output.read_text()
        # While it runs, the last line may be one that it is just writing.
        whole = text if ended else text[: text.rfind("\n") + 1]
        return [json.loads(line) for line in whole.splitlines()]

    def metrics(self) -> list[dict[str, Any]]:
        return [line for line in self.lines() if "_aws" in line]


@dataclass
class Server:
    """A server and a client for it."""

    process: Process
    http: httpx.Client
    ports: ReservedPorts

    def answers(self) -> bool:
        if self.process.popen.poll() is not None:
            raise AssertionError(self.process.output.read_text())
        try:
            return self.http.get("/healthz").status_code == 200
        except httpx.TransportError:
            return False

    def close(self) -> None:
        self.http.close()
        self.process.kill()
        self.ports.close()


def wait_for(condition: Any, patience: float = PATIENCE_SECONDS) -> None:
    """Return as soon as ``condition()`` holds."""
    deadline = time.monotonic() + patience
    while not condition():
        assert time.monotonic() < deadline, f"{condition} did not come true"
        time.sleep(0.02)
