"""Sandbox time: shared by processes, faster when asked, never backwards over a restart."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sandbox.clock import VARIABLE, Clock, prepare

ROOT = Path(__file__).resolve().parents[2]
AHEAD = "from sandbox import clock; print(clock.ahead())"


def test_sandbox_time_begins_as_real_time_and_runs_at_its_rate(tmp_path):
    before = time.time()
    prepare(tmp_path / "clock", 50.0)
    clock = Clock(tmp_path / "clock")
    began, after = clock.time(), time.time()
    shortest = time.time() - after

    ended = clock.time()

    assert before - 0.01 < began < before + 50 * (after - before) + 0.01
    assert 50 * shortest <= ended - began <= 50 * (time.time() - before)


def test_a_start_that_is_killed_leaves_the_clock_as_it_was(tmp_path, monkeypatch):
    prepare(tmp_path / "clock", 1.0)
    Clock(tmp_path / "clock").step(3600.0)

    def killed(path, data):
        path.open("wb").close()
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "write_bytes", killed)
        with pytest.raises(KeyboardInterrupt):
            prepare(tmp_path / "clock", 1.0)
    prepare(tmp_path / "clock", 1.0)

    assert Clock(tmp_path / "clock").offset() == pytest.approx(3600.0, abs=60.0)


def test_a_step_is_seen_by_every_process(tmp_path):
    prepare(tmp_path / "clock", 1.0)
    clock = Clock(tmp_path / "clock")

    clock.step(-3600.0)

    environment = {**os.environ, VARIABLE: str(tmp_path / "clock")}
    shown = subprocess.run(
        [sys.executable, "-c", AHEAD], cwd=ROOT, env=environment, capture_output=True, check=True
    )
    assert float(shown.stdout) == pytest.approx(-3600.0, abs=0.01)


def test_a_restart_goes_on_from_sandbox_time_with_another_rate(tmp_path):
    prepare(tmp_path / "clock", 1.0)
    Clock(tmp_path / "clock").step(86_400.0)

    prepare(tmp_path / "clock", 20.0)

    assert Clock(tmp_path / "clock").time() >= time.time() + 86_400 - 1


def test_real_time_cannot_be_stepped():
    with pytest.raises(RuntimeError, match="cannot be stepped"):
        Clock(None).step(1.0)


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_time_that_stands_still_or_runs_backwards_is_refused(tmp_path, rate):
    with pytest.raises(ValueError, match="greater than 0"):
        prepare(tmp_path / "clock", rate)
