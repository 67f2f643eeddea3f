"""`bin/up` with real PostgreSQL, Valkey, granian and Celery around a tiny portal."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from launcher.child import GaveUp
from launcher.environment import base_environment
from launcher.paths import CHECKOUT, Home
from launcher.probes import ReservedPorts, http_ready, port_is_free
from launcher.up import Options, users_of
from tests.launcher.fake_checkout import make_checkout
from tests.launcher.supervised import LIMIT, environment, eventually
from tests.processes import gone

DRIVER = """
import sys
from pathlib import Path
from launcher.console import Console
from launcher.paths import Home
from launcher.up import Options, up

options = Options(port=int(sys.argv[1]), checkout=Path(sys.argv[2]))
sys.exit(up(options, Home.from_environment(), Console(sys.stdout)))
"""
REMOVED = ("AWS_ENDPOINT_URL", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")


class Quarterdeck:
    """One `bin/up` over a fake checkout."""

    def __init__(self, home: Home, checkout: Path, **env: str) -> None:
        self.home = home
        self._reserved = ReservedPorts()
        self.port = self._reserved.first
        self.log = checkout / f"log-{self.port}"
        ours = environment(QUARTERDECK_HOME=str(home.root), PYTHONPATH=str(CHECKOUT), **env)
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", DRIVER, str(self.port), str(checkout)],
                cwd=checkout,
                env={name: value for name, value in ours.items() if name not in REMOVED},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    def said(self) -> str:
        return self.log.read_text()

    def wait_for(self, text: str) -> None:
        def said_or_ended() -> bool:
            return text in self.said() or self.process.poll() is not None

        eventually(said_or_ended, text)
        assert text in self.said(), self.said()

    def page(self) -> dict[str, str]:
        """Return the environment of the web process, which is what the fake page shows."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/", timeout=LIMIT) as answer:
            return json.load(answer)

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.process.pid).children(recursive=True)

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(LIMIT)
        finally:
            self.process.kill()
            self.process.wait()
            self._reserved.close()


@pytest.fixture
def start(home: Home, tmp_path: Path) -> Iterator[Callable[..., Quarterdeck]]:
    started: list[Quarterdeck] = []

    def begin(where: Home = home, **env: str) -> Quarterdeck:
        checkout = make_checkout(tmp_path / where.root.name)
        started.append(Quarterdeck(where, checkout, **env))
        return started[-1]

    yield begin
    for quarterdeck in started:
        quarterdeck.end()


def test_everything_starts_in_order_and_stops_without_a_trace(start, home: Home):
    quarterdeck = start()
    quarterdeck.wait_for("sandbox | ready")
    for part in ("worker", "beat"):
        quarterdeck.wait_for(f"{part} | started")
    children = quarterdeck.children()
    said = quarterdeck.said()

    quarterdeck.process.send_signal(signal.SIGINT)

    assert quarterdeck.process.wait(LIMIT) == 0
    eventually(lambda: gone(children), "what was killed for being slow is gone")
    assert not home.sockets.exists()
    assert (home.root / "commands").read_text() == "first_run --migrate\n"
    order = ["postgres | ready", "web | ready", "First page at", "worker | started"]
    assert [said.index(line) for line in order] == sorted(said.index(line) for line in order)
    assert f"Quarterdeck is at http://127.0.0.1:{quarterdeck.port}/" in said
    assert "Sign in as anna / secret-of-anna (approver)" in said
    assert '"users"' not in said


def test_each_process_is_told_what_it_needs_and_no_more(start, home: Home):
    quarterdeck = start(AWS_PROFILE="company", AWS_SESSION_TOKEN="real")
    quarterdeck.wait_for("sandbox | ready")

    web = quarterdeck.page()
    with urllib.request.urlopen(web["AWS_ENDPOINT_URL"] + "/_health", timeout=LIMIT) as answer:
        sandbox = json.load(answer)

    assert web["DATABASE_URL"].startswith("postgresql:///quarterdeck?host=/tmp/qd-")
    assert web["REDIS_URL"].endswith("valkey.sock?db=0")
    assert web["AWS_ACCESS_KEY_ID"] == "sandbox"
    assert web["AWS_DEFAULT_REGION"] == "us-east-1"
    assert len(web["SECRET_KEY"]) >= 64
    assert {"AWS_PROFILE", "AWS_SESSION_TOKEN"}.isdisjoint(web | sandbox)
    assert sandbox["NEWS_DATABASE_URL"].startswith("postgresql:///news?host=/tmp/qd-")
    assert sandbox["NEWS_REDIS_URL"].endswith("valkey.sock?db=1")
    assert sandbox["SANDBOX_SECONDS_PER_MINUTE"] == "6"
    assert {"SECRET_KEY", "DATABASE_URL"}.isdisjoint(sandbox)


def test_who_wants_the_sandbox_to_fail_is_told_its_port(start):
    quarterdeck = start()
    quarterdeck.wait_for("Ctrl-C stops everything.")
    quarterdeck.wait_for("sandbox | ready")

    page = re.search(r"http://127\.0\.0\.1:(\d+)/_sandbox/", quarterdeck.said())

    assert page
    assert f"-m sandbox fault --help; add --port {page[1]}\n" in quarterdeck.said()
    with urllib.request.urlopen(page[0], timeout=LIMIT) as answer:
        assert answer.status == 200


def test_a_killed_web_server_is_started_again(start, home: Home):
    quarterdeck = start()
    quarterdeck.wait_for("Ctrl-C stops everything.")
    ledger = json.loads((home.root / "children.json").read_text())
    web = next(int(pid) for pid, (name, _) in ledger.items() if name == "web")

    os.kill(web, signal.SIGKILL)

    quarterdeck.wait_for("web | ended unexpectedly (signal SIGKILL)")
    eventually(lambda: quarterdeck.said().count("web | ready") == 2, "the web is ready again")
    assert quarterdeck.page()["QUARTERDECK_ENV"] == "test"


def test_a_second_start_prepares_nothing_and_a_new_migration_is_applied(start, home: Home):
    first = start()
    first.wait_for("Ctrl-C stops everything.")
    first.end()

    second = start()
    second.wait_for("Ctrl-C stops everything.")
    second.end()
    assert (home.root / "commands").read_text() == "first_run --migrate\n"

    migrations = first.log.parent / "shop" / "migrations"
    (migrations / "0002_more.py").touch()
    third = start()
    third.wait_for("Ctrl-C stops everything.")
    assert (home.root / "commands").read_text() == "first_run --migrate\n" * 2


def test_a_failed_migration_stops_everything_and_is_tried_again(start, home: Home):
    broken = start(FAIL="1")

    assert broken.process.wait(LIMIT) == 1
    assert "first_run | no such table" in broken.said()
    assert "up | first_run failed (exit code 1)." in broken.said()
    assert "web" not in broken.said()

    start().wait_for("Ctrl-C stops everything.")


def test_a_database_that_nobody_migrated_gets_no_web_server(start):
    silent = start(SAY="nothing")

    assert silent.process.wait(LIMIT) == 1
    assert "first_run did not say that the database is migrated." in silent.said()
    assert "web" not in silent.said()


def test_kill_9_of_the_launcher_leaves_nothing_and_the_next_start_works(start, home: Home):
    first = start()
    first.wait_for("sandbox | ready")
    children = first.children()

    first.process.kill()
    first.process.wait()

    if sys.platform == "linux":
        eventually(lambda: gone(children), "everything ends with the launcher")
    start().wait_for("Ctrl-C stops everything.")
    assert gone(children)


def test_two_checkouts_run_at_once(start, home: Home, other_home: Home):
    here, there = start(), start(other_home)
    here.wait_for("Ctrl-C stops everything.")
    there.wait_for("Ctrl-C stops everything.")

    assert here.page()["DATABASE_URL"] != there.page()["DATABASE_URL"]
    assert here.page()["AWS_ENDPOINT_URL"] != there.page()["AWS_ENDPOINT_URL"]
    there.end()


def test_real_aws_gets_no_sandbox_and_keeps_the_users_credentials(start):
    quarterdeck = start(QUARTERDECK_AWS="real", AWS_PROFILE="company", AWS_REGION="eu-west-1")
    quarterdeck.wait_for("beat | started")

    web = quarterdeck.page()

    assert web["AWS_PROFILE"] == "company"
    assert web["AWS_REGION"] == "eu-west-1"
    assert "AWS_ENDPOINT_URL" not in web
    assert "sandbox" not in quarterdeck.said()


def test_a_second_start_in_one_directory_names_the_first(start, home: Home):
    first = start()
    first.wait_for("Ctrl-C stops everything.")

    second = _launcher(home, "up", "--port", str(first.port))

    assert second.returncode == 0
    address = re.escape(f"http://127.0.0.1:{first.port}/")
    assert re.match(f"Quarterdeck is already running at {address} \\(process", second.stdout)


def test_a_taken_port_is_named_with_a_way_out(home: Home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = _launcher(home, "up", "--port", str(port))

    assert done.returncode == 1
    assert f"Port {port} of 127.0.0.1 is taken" in done.stderr
    assert f"bin/up --port {port + 1}" in done.stderr


@pytest.mark.parametrize("port", ["0", "65536", "http"])
def test_a_port_must_be_a_port(home: Home, port: str):
    done = _launcher(home, "up", "--port", port)

    assert done.returncode == 2
    assert "is not a port from 1 to 65535" in done.stderr


def test_a_shared_port_counts_as_taken():
    with socket.socket() as shared:
        shared.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        shared.bind(("127.0.0.1", 0))
        shared.listen()

        assert not port_is_free("127.0.0.1", shared.getsockname()[1])


def test_a_reserved_port_is_given_to_nobody_and_free_for_its_server():
    ports = ReservedPorts(run=3)
    given = range(ports.first, ports.first + 3)

    with socket.socket() as stranger, pytest.raises(OSError, match="in use"):
        stranger.bind(("127.0.0.1", ports.first))
    free = [port_is_free("127.0.0.1", port) for port in given]
    ports.close()

    assert free == [True] * 3


def test_what_speaks_no_http_is_not_ready():
    async def ask() -> bool:
        async def babble(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"SSH-2.0 hello there\r\n")
            writer.close()

        async with await asyncio.start_server(babble, "127.0.0.1", 0) as server:
            return await http_ready(*server.sockets[0].getsockname(), "/healthz")

    assert not asyncio.run(ask())


def test_the_address_of_an_ipv6_host_is_bracketed():
    assert Options(host="::1", port=8000).url == "http://[::1]:8000/"


def test_an_answer_without_users_is_a_failure():
    with pytest.raises(GaveUp, match="did not say which users exist"):
        users_of(["no json", '{"other": 1}', "[1]"])


def test_an_empty_setting_is_as_good_as_none(home: Home, monkeypatch):
    home.create()
    for name in ("QUARTERDECK_HOME", "QUARTERDECK_SERVICES", "SECRET_KEY", "AWS_REGION"):
        monkeypatch.setenv(name, "")

    told = base_environment(home)

    assert told["QUARTERDECK_HOME"] == str(home.root)
    assert told["QUARTERDECK_SERVICES"] == str(CHECKOUT / "services.yaml")
    assert told["SECRET_KEY"] == home.secret_key()
    assert told["AWS_REGION"] == "us-east-1"


def test_the_version_is_the_projects(home: Home):
    assert _launcher(home, "version").stdout == "Quarterdeck 0.1.0\n"


def _launcher(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "launcher", *arguments],
        check=False,
        cwd=CHECKOUT,
        env=environment(QUARTERDECK_HOME=str(home.root)),
        capture_output=True,
        text=True,
    )
