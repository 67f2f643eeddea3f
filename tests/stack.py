"""The whole of Quarterdeck as `bin/up` runs it, for browser tests, fault tests and benchmarks."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from launcher.probes import ReservedPorts

ROOT = Path(__file__).resolve().parents[1]
# What a surrounding test run set for its own servers must not reach the stack.
FOREIGN = (
    "DATABASE_URL",
    "REDIS_URL",
    "NEWS_DATABASE_URL",
    "NEWS_REDIS_URL",
    "AWS_ENDPOINT_URL",
    "QUARTERDECK_ENV",
    "DJANGO_SETTINGS_MODULE",
    "SECRET_KEY",
)


class NotInTime(Exception):
    """Something that should become true did not."""


class NotRunning(Exception):
    """The supervisor has no such child now."""


@dataclass(frozen=True)
class User:
    username: str
    password: str
    role: str


class Stack:
    """A running Quarterdeck with a home of its own."""

    def __init__(self, *, seconds_per_minute: float = 6) -> None:
        self.home = Path(tempfile.mkdtemp(prefix="qd-stack-"))
        self.home.chmod(0o711)
        self._reserved = ReservedPorts()
        self.port = self._reserved.first
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = self.home / "up.log"
        self.seconds_per_minute = seconds_per_minute
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
        env |= {
            "QUARTERDECK_HOME": str(self.home),
            "SANDBOX_SECONDS_PER_MINUTE": str(self.seconds_per_minute),
        }
        install_into(self.home, env)
        command = [sys.executable, "-m", "launcher", "up", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=env, stdout=log, stderr=log, start_new_session=True
            )
        wait_for(self.signed_on, seconds=300, what="the welcome of bin/up", log=self.log)
        wait_for(self.is_serving, seconds=300, what="a running service", log=self.log)

    def signed_on(self) -> bool:
        if self.process and self.process.poll() is not None:
            raise NotInTime(f"bin/up ended:\n{self.log.read_text()[-4000:]}")
        return "Ctrl-C stops everything" in self.log.read_text()

    def is_serving(self) -> bool:
        """Whether the load balancer of production answers with an article list."""
        try:
            with urllib.request.urlopen(self.load_balancer + "/v1/articles", timeout=5) as answer:
                return answer.status == 200
        except (OSError, NotRunning):
            return False

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait(10)
        self._reserved.close()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def users(self) -> dict[str, User]:
        """The people of a fresh installation, by role."""
        found = re.findall(r"Sign in as (\S+) / (\S+) \((\w+)\)", self.log.read_text())
        return {role: User(username, password, role) for username, password, role in found}

    @property
    def gateway(self) -> str:
        """The sandbox's AWS endpoint."""
        return f"http://127.0.0.1:{self._option('sandbox', '--port')}"

    @property
    def load_balancer(self) -> str:
        """The production load balancer."""
        return f"http://127.0.0.1:{self._option('sandbox', '--alb-port')}"

    def pid(self, name: str) -> int:
        """The process id of a child of the supervisor, such as `web` or `worker`."""
        children = json.loads((self.home / "children.json").read_text())
        found = [int(pid) for pid, (child, _) in children.items() if child == name]
        if not found:
            raise NotRunning(name)
        return found[0]

    def kill(self, name: str) -> None:
        """kill -9 a child with all it started, as an out-of-memory killer would."""
        os.killpg(self.pid(name), signal.SIGKILL)

    def sandbox(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """Call the sandbox's control API: GET without a body, POST with one."""
        request = urllib.request.Request(
            f"{self.gateway}/_sandbox/{path}",
            data=None if body is None else json.dumps(body).encode(),
            headers={"content-type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            return json.loads(answer.read() or b"null")

    def _option(self, child: str, option: str) -> str:
        command = Path(f"/proc/{self.pid(child)}/cmdline").read_bytes().decode().split("\0")
        if option not in command:  # it has ended, and the supervisor has not noticed yet
            raise NotRunning(child)
        return command[command.index(option) + 1]


def install_into(home: Path, env: dict[str, str]) -> None:
    """Give a home the checkout's front end, which bin/test has installed; two stacks may start."""
    installed = ROOT / ".quarterdeck"
    installed.mkdir(exist_ok=True)
    command = [sys.executable, "-m", "launcher", "install"]
    environment = env | {"QUARTERDECK_HOME": str(installed)}
    with (installed / "tests.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        subprocess.run(command, cwd=ROOT, env=environment, check=True, capture_output=True)
        shutil.copytree(installed / "vendor", home / "vendor")


def wait_for(
    condition: Callable[[], Any],
    *,
    seconds: float,
    what: str,
    every: float = 0.1,
    log: Path | None = None,
) -> Any:
    """Return the first true answer of `condition`.

    :raises NotInTime: with the end of the log, when there was none within `seconds`.
    """
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if answer := condition():
            return answer
        time.sleep(every)
    tail = f":\n{log.read_text()[-4000:]}" if log else ""
    raise NotInTime(f"Waited {seconds} s for {what}{tail}")
