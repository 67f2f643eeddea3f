"""A surge makes real tasks start, and its end makes them stop, in an hour that takes a minute."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.surge import Readers
from tests.sandbox.account import FAST, Account, wait_until

BUSY = Path(__file__).with_name("busy_app.py")
FASTER = FAST | {
    "SANDBOX_CLOCK_RATE": "90",
    "SANDBOX_VCPU_FACTOR": "12",
    "SANDBOX_DRAIN_SECONDS": "1",
    "SANDBOX_HEALTH_INTERVAL": "1",
    "SANDBOX_TASK_COMMAND": f"{sys.executable} {BUSY} {{fd}}",
    "PYTHONPATH": str(Path(__file__).resolve().parents[3]),
}


@pytest.fixture
def surging_account(tmp_path):
    """A sandbox whose clock runs 90 times as fast, with tasks of 20 requests a second."""
    account = Account(tmp_path / "home", environment=FASTER).ready()
    yield account
    account.stop()


def test_a_surge_adds_tasks_and_its_end_takes_them_away(surging_account):
    def back():
        service = surging_account.service()
        return service["desiredCount"] == service["runningCount"] == 2

    readers = Readers(f"http://127.0.0.1:{surging_account.alb_port}")
    readers.load.rate = 60.0

    wait_until(lambda: surging_account.service()["runningCount"] > 2)
    readers.load.rate = 1.0
    wait_until(back)
    readers.stop()

    causes = [
        activity["Cause"]
        for activity in surging_account.client(
            "application-autoscaling"
        ).describe_scaling_activities(ServiceNamespace="ecs")["ScalingActivities"]
    ]
    assert "-AlarmHigh-" in causes[-1]
    assert "-AlarmLow-" in causes[0]
