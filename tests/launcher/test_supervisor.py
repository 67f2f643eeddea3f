"""The supervisor with real processes: order, restart, an orderly end and a violent one."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from io import StringIO
from pathlib import Path

import psutil
import pytest

from launcher.child import GaveUp
from launcher.console import Console
from launcher.processes import Ledger, started_at
from launcher.service import Service
from launcher.supervisor import Supervisor
from tests.launcher.supervised import LIMIT, Supervised, eventually
from tests.processes import gone

Supervise = Callable[..., Supervised]
FOREVER = "exec sleep 600"
# They tell when they listen to signals: until then, one would simply end them.
POLITE = "trap 'echo bye; exit 0' TERM; echo listening; while :; do sleep 0.05; done"
DEAF = "trap '' TERM; echo listening; while :; do sleep 0.05; done"


def test_services_start_in_order_and_their_lines_are_prefixed(supervise: Supervise):
    supervised = supervise(first=f"echo hello; {FOREVER}", second=FOREVER)

    supervised.wait_for("all started")
    supervised.wait_for("   first | hello")

    said = supervised.said()
    assert said.index("first | started") < said.index("second | started")


def test_there_are_no_colours_without_a_terminal(supervise: Supervise):
    supervised = supervise(web=FOREVER)

    supervised.wait_for("all started")

    assert "\x1b" not in supervised.said()


def test_a_killed_service_is_started_again(supervise: Supervise):
    supervised = supervise(web=FOREVER)
    supervised.wait_for("all started")
    (victim,) = supervised.children()

    victim.kill()

    supervised.wait_for("ended unexpectedly (signal SIGKILL)")
    eventually(lambda: len(supervised.children()) == 1, "one service again")
    assert supervised.children()[0].pid != victim.pid


def test_what_a_crashed_service_left_in_its_group_goes_with_it(supervise: Supervise):
    supervised = supervise(web=f"sleep 600 & {FOREVER}")
    eventually(lambda: len(supervised.children()) == 2, "the service and its worker")
    before = supervised.children()
    leader = next(process for process in before if process.ppid() == supervised.process.pid)

    leader.kill()

    eventually(lambda: gone(before), "the worker of the killed service ends")


def test_a_service_that_keeps_failing_stops_everything(supervise: Supervise):
    supervised = supervise(steady=FOREVER, broken="exit 7")

    code = supervised.process.wait(LIMIT)

    said = supervised.said()
    assert code == 1
    assert "broken ended 6 times within a minute." in said
    assert said.count("ended unexpectedly (exit code 7)") == 6
    assert [f"starts again in {pause} s" in said for pause in (0.25, 0.5, 1, 2, 4)] == [True] * 5


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_everything_in_good_order(supervise: Supervise, number: signal.Signals):
    supervised = supervise(store=POLITE, web=POLITE)
    supervised.wait_for("store | listening")
    supervised.wait_for("web | listening")
    children = supervised.children()

    supervised.process.send_signal(number)

    assert supervised.process.wait(LIMIT) == 0
    eventually(lambda: gone(children), "nothing is left of the services")
    said = supervised.said()
    assert said.index("web | bye") < said.index("store | bye")


def test_a_service_that_ignores_the_request_is_killed(supervise: Supervise):
    supervised = supervise(grace=1, deaf=DEAF)
    supervised.wait_for("deaf | listening")
    children = supervised.children()

    supervised.process.terminate()

    assert supervised.process.wait(LIMIT) == 0
    assert "deaf | did not stop within 1 s, killed" in supervised.said()
    eventually(lambda: gone(children), "nothing is left of the deaf service")


def test_a_second_ctrl_c_kills_at_once(supervise: Supervise):
    supervised = supervise(deaf=DEAF)
    supervised.wait_for("deaf | listening")
    children = supervised.children()
    supervised.process.send_signal(signal.SIGINT)
    supervised.wait_for("stopping; once more to kill")

    supervised.process.send_signal(signal.SIGINT)

    assert supervised.process.wait(LIMIT) == 130
    eventually(lambda: gone(children), "the deaf service is gone")


def test_kill_9_of_the_supervisor_leaves_nothing(supervise: Supervise):
    supervised = supervise(store=FOREVER, web=FOREVER)
    supervised.wait_for("all started")
    children = supervised.children()

    supervised.process.kill()
    if sys.platform != "linux":  # only Linux ties a child to its parent; elsewhere the next start
        supervise(web=FOREVER)

    assert len(children) == 2
    eventually(lambda: gone(children), "the services end with their supervisor")


def test_what_an_earlier_supervisor_left_behind_is_ended(supervise: Supervise, tmp_path: Path):
    stray = psutil.Popen(["sleep", "600"], start_new_session=True)
    Ledger(tmp_path / "ledger.json").record("web", stray.pid)

    supervised = supervise(web=FOREVER)

    supervised.wait_for("stopped web, which an earlier launcher left behind")
    assert stray.wait(LIMIT) == -signal.SIGTERM


def test_a_pid_that_was_used_again_is_left_alone(tmp_path: Path):
    ledger = Ledger(tmp_path / "ledger.json")
    ledger.path.write_text(f'{{"{os.getpid()}": ["web", "long ago"]}}')

    assert ledger.reap() == []
    assert started_at(os.getpid()) is not None


def test_a_command_returns_what_it_said(tmp_path: Path):
    heard: list[str] = []

    said, _ = _command(tmp_path, "echo one; echo two", heard.append)

    assert said == heard == ["one", "two"]


def test_a_secret_answer_is_not_shown(tmp_path: Path):
    said, shown = _command(tmp_path, "echo password; echo progress >&2")

    assert said == ["password"]
    assert "password" not in shown
    assert "task | progress" in shown


def test_a_command_is_heard_while_it_runs(tmp_path: Path):
    go_on = tmp_path / "go on"
    script = f"echo waiting; while ! test -e '{go_on}'; do sleep 0.02; done; echo done"

    said, _ = _command(tmp_path, script, lambda line: go_on.touch())

    assert said == ["waiting", "done"]


def test_a_failed_command_says_how_it_ended(tmp_path: Path):
    with pytest.raises(GaveUp, match=r"^task failed \(exit code 5\)\.$"):
        _command(tmp_path, "exit 5")


def test_a_line_without_end_does_not_stop_the_stream(tmp_path: Path):
    script = "head -c 3000000 /dev/zero | tr '\\0' x; echo; echo after"

    said, _ = _command(tmp_path, script)

    assert said[0] == "(a line longer than 1 MiB was left out)"
    assert said[-1] == "after"


def _command(
    directory: Path, script: str, heard: Callable[[str], None] = lambda line: None
) -> tuple[list[str], str]:
    stream = StringIO()
    supervisor = Supervisor(Console(stream), Ledger(directory / "ledger.json"))
    service = Service("task", ("/bin/sh", "-c", script), dict(os.environ))
    said = asyncio.run(supervisor.command(service, heard=heard))
    return said, stream.getvalue()
