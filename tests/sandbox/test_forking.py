"""Tasks forked from one process behave like processes of their own."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from contextlib import contextmanager
from functools import wraps
from pathlib import Path

import psutil
import pytest

from sandbox.forking import AVAILABLE, ForkServer
from tests.sandbox.account import wait_until

ROOT = Path(__file__).resolve().parents[2]

pytestmark = pytest.mark.skipif(not AVAILABLE, reason="macOS starts a process for each task")


def in_a_loop(test):
    """Run a test that is a coroutine."""

    @wraps(test)
    def run(**fixtures):
        asyncio.run(test(**fixtures))

    return run


@contextmanager
def fork_server(tmp_path):
    server = ForkServer(ROOT, tmp_path / "zygote.log")
    descriptor = os.open(tmp_path / "task.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        yield server, descriptor
    finally:
        os.close(descriptor)
        server.close()


def module(tmp_path, source):
    """A module a task can run by name, and the environment that finds it."""
    (tmp_path / "task_of_a_test.py").write_text(source)
    return "task_of_a_test", {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}


SOURCE = """
import os, signal, socket, sys, time
what, *rest = sys.argv[1:]
if what == "show":
    print(sorted(os.environ), os.getsid(0) == os.getpid(), sys.argv)
    sys.exit(3)
if what == "answer":
    socket.socket(fileno=int(rest[0])).accept()[0].sendall(b"here")
if what == "wait":
    time.sleep(60)
"""


@pytest.fixture
def on_the_path(tmp_path, monkeypatch):
    """The zygote inherits the path its tasks' modules are found on."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return module(tmp_path, SOURCE)


@in_a_loop
async def test_a_task_has_its_own_session_environment_and_exit_code(tmp_path, on_the_path):
    name, environment = on_the_path
    with fork_server(tmp_path) as (server, log):
        task = await server.start(name, ["show", "x"], {**environment, "VERSION": "1"}, [log])

        code = await task.wait()

    said = (tmp_path / "task.log").read_text()
    assert code == 3
    assert "['PATH', 'PYTHONPATH', 'VERSION'] True" in said
    assert "'show', 'x']" in said


@in_a_loop
async def test_a_task_answers_on_the_socket_it_was_given(tmp_path, on_the_path):
    name, environment = on_the_path
    listener = socket.create_server(("127.0.0.1", 0))
    with fork_server(tmp_path) as (server, log), listener:
        task = await server.start(name, ["answer", "{fd}"], environment, [log, listener.fileno()])
        reader, writer = await asyncio.open_connection(*listener.getsockname())

        said = await reader.read()

        writer.close()
        assert await task.wait() == 0
    assert said == b"here"


@in_a_loop
async def test_a_killed_task_shows_its_signal_and_leaves_the_others_alone(tmp_path, on_the_path):
    name, environment = on_the_path
    with fork_server(tmp_path) as (server, log):
        doomed = await server.start(name, ["wait"], environment, [log])
        other = await server.start(name, ["wait"], environment, [log])

        os.killpg(doomed.pid, signal.SIGKILL)

        assert await doomed.wait() == -signal.SIGKILL
        assert other.returncode is None


@in_a_loop
async def test_tasks_end_with_the_fork_server_and_the_next_one_starts_anew(tmp_path, on_the_path):
    name, environment = on_the_path
    with fork_server(tmp_path) as (server, log):
        task = await server.start(name, ["wait"], environment, [log])
        os.kill(server.pid, signal.SIGKILL)

        ended = await task.wait()
        again = await server.start(name, ["show"], environment, [log])

        assert ended == -signal.SIGKILL
        assert await again.wait() == 3
        wait_until(lambda: not _alive(task.pid))


LATE = """
import os, sys
from sandbox.zygote import _become
request = {"module": "this", "arguments": [], "environment": dict(os.environ)}
_become(request, [os.dup(1)], parent=os.getppid() + int(sys.argv[1]))
"""


@pytest.mark.parametrize(("other", "ran"), [(0, True), (1, False)])
def test_a_task_whose_fork_server_died_before_it_could_notice_does_not_run(other, ran):
    command = [sys.executable, "-c", LATE, str(other)]

    task = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert (task.returncode == 0) is ran
    assert ("Zen of Python" in task.stdout) is ran


@in_a_loop
async def test_a_start_that_the_fork_server_never_read_fails_and_the_next_one_works(
    tmp_path, on_the_path
):
    name, environment = on_the_path
    unhandled = []
    asyncio.get_running_loop().set_exception_handler(lambda _, what: unhandled.append(what))
    with fork_server(tmp_path) as (server, log):
        await (await server.start(name, ["show"], environment, [log])).wait()
        os.kill(server.pid, signal.SIGSTOP)
        starting = asyncio.create_task(server.start(name, ["show"], environment, [log]))
        await asyncio.sleep(0)
        os.kill(server.pid, signal.SIGKILL)

        with pytest.raises(OSError, match="the fork server ended"):
            await starting

        again = await server.start(name, ["show"], environment, [log])
        assert await again.wait() == 3
    assert unhandled == []


@in_a_loop
async def test_a_start_that_is_given_up_leaves_no_task_and_the_next_one_is_told_its_own(
    tmp_path, on_the_path
):
    name, environment = on_the_path
    with fork_server(tmp_path) as (server, log):
        starting = asyncio.create_task(server.start(name, ["wait"], environment, [log]))
        await asyncio.sleep(0)
        starting.cancel()
        await asyncio.wait([starting])

        task = await server.start(name, ["show"], environment, [log])

        assert await task.wait() == 3
        wait_until(lambda: not psutil.Process(server.pid).children())


def _alive(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
