"""A surge that scales the News API from two tasks to ten and, when it is over, back.

    python -m launcher run -- .venv/bin/python -m benchmarks.surge [--clock-rate 20] [--stub]

Starts a sandbox of its own whose clock runs faster than real time. What a request costs is measured
first; the surge is what ten tasks do at 58 % of their CPU, so the CPU target of 60 % needs all of
them. Times are minutes of sandbox time since the surge began. With --stub, tasks are tiny servers
that burn a stated amount of CPU, and no database is needed.

A request has failed when it was answered 5xx or not at all, or waited ten seconds for one of 128
connections or for its answer: real readers would leave, too, while two tasks serve what needs ten.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import uvloop

from sandbox.traffic import Load, Tally
from tests.sandbox.account import FAST, Account

QUIET_RATE = 8.0  # requests a second before and after the surge
LEAST, MOST = 2, 10
SHARE = 0.58
BUSY = Path(__file__).resolve().parents[1] / "tests/sandbox/autoscaling/busy_app.py"
TARGET = {"ServiceNamespace": "ecs", "ResourceId": "service/production/news-api"}


class Readers:
    """A load in a thread of its own."""

    def __init__(self, url: str) -> None:
        self.load = Load(url, QUIET_RATE, shaped=False)
        threading.Thread(target=uvloop.run, args=(self._run(),), daemon=True).start()

    async def _run(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._job = asyncio.ensure_future(self.load.run())
        await asyncio.gather(self._job, return_exceptions=True)

    def tally(self) -> Tally:
        """What became of the requests so far."""
        return replace(self.load.tally)

    def stop(self) -> None:
        """Send no more."""
        self._loop.call_soon_threadsafe(self._job.cancel)


class Bench:
    """A sandbox with readers, and what is asked of it."""

    def __init__(self, account: Account, clock_rate: float) -> None:
        self.account = account
        self.clock_rate = clock_rate
        self.readers = Readers(f"http://127.0.0.1:{account.alb_port}")

    def now(self) -> datetime:
        """Sandbox time."""
        return datetime.fromisoformat(self.account.control("GET", "status")["now"])

    def running(self) -> int:
        """Running tasks of the service."""
        return int(self.account.service()["runningCount"])

    def sleep(self, minutes: float) -> None:
        """Wait for minutes of sandbox time."""
        time.sleep(minutes * 60 / self.clock_rate)

    def reached(self, condition: Callable[[], bool], minutes: float) -> datetime:
        """When the condition came true; ends the benchmark if it did not within that time."""
        deadline = self.now() + timedelta(minutes=minutes)
        while not condition():
            if self.now() > deadline:
                print_activities(self, deadline - timedelta(minutes=minutes))
                sys.exit(f"not within {minutes:g} minutes; {self.running()} tasks run")
            time.sleep(0.1)
        return self.now()

    def utilization(self, minutes: int) -> float:
        """Average CPUUtilization of the last whole minutes."""
        end = self.now().replace(second=0, microsecond=0)
        points = self.account.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/ECS",
            MetricName="CPUUtilization",
            Dimensions=[
                {"Name": "ClusterName", "Value": "production"},
                {"Name": "ServiceName", "Value": "news-api"},
            ],
            StartTime=end - timedelta(minutes=minutes),
            EndTime=end,
            Period=60,
            Statistics=["Average"],
        )["Datapoints"]
        return float(sum(point["Average"] for point in points) / len(points))

    def activities(self) -> list[dict[str, Any]]:
        """Scaling activities, oldest first, not scaled ones included."""
        found = self.account.client("application-autoscaling").describe_scaling_activities(
            **TARGET, IncludeNotScaledActivities=True
        )["ScalingActivities"]
        return list(reversed(found))


@contextmanager
def sandbox(options: argparse.Namespace) -> Iterator[Bench]:
    """A running sandbox with fast tasks or the real News API."""
    command = f"{sys.executable} {BUSY} {{fd}}" if options.stub else ""
    environment = FAST | {
        "SANDBOX_CLOCK_RATE": str(options.clock_rate),
        "SANDBOX_VCPU_FACTOR": str(options.factor),
        "SANDBOX_HEALTH_INTERVAL": "1",
        "SANDBOX_TASK_COMMAND": command,
        "PYTHONPATH": str(BUSY.parents[3]),
    }
    with tempfile.TemporaryDirectory() as directory:
        account = Account(Path(directory) / "home", environment=environment).ready()
        try:
            yield Bench(account, options.clock_rate)
        finally:
            account.stop()


def measure(bench: Bench) -> None:
    """Run the scenario and print what happened."""
    bench.sleep(8)
    quiet = bench.utilization(5)
    rate = QUIET_RATE * MOST / LEAST * SHARE * 100 / quiet
    print(f"quiet: {QUIET_RATE:g} req/s on {LEAST} tasks take {quiet:.1f} % CPU")
    print(f"surge: {rate:.0f} req/s")
    before, began = bench.readers.tally(), bench.now()
    bench.readers.load.rate = rate
    first = bench.reached(lambda: bench.running() > LEAST, 30)
    full = bench.reached(lambda: bench.running() == MOST, 60)
    grown = bench.readers.tally()
    bench.sleep(5)
    steady, busy = bench.readers.tally(), bench.utilization(2)
    over = bench.now()
    bench.readers.load.rate = QUIET_RATE
    back = bench.reached(lambda: bench.running() == LEAST, 120)
    bench.sleep(1)
    print(f"\nfirst new task: {minutes(first - began)} after the surge began")
    print(f"all {MOST} tasks: {minutes(full - began)}; then {busy:.0f} % CPU")
    print(f"back at {LEAST} tasks: {minutes(back - over)} after it was over\n")
    print_failures("while scaling out", before, grown)
    print_failures(f"with {MOST} tasks", grown, steady)
    print_failures("while scaling in", steady, bench.readers.tally())
    print()
    print_activities(bench, began)


def minutes(span: timedelta) -> str:
    """`6.4 min`."""
    return f"{span.total_seconds() / 60:.1f} min"


def print_failures(when: str, before: Tally, after: Tally) -> None:
    """One line about the requests between two moments."""
    sent, failed = after.sent - before.sent, after.failed - before.failed
    gave_up = after.gave_up - before.gave_up
    share = 100 * failed / max(sent, 1)
    print(f"{when}: {sent} requests, {failed} failed ({share:.2f} %), of which {gave_up} gave up")


def print_activities(bench: Bench, began: datetime) -> None:
    """Every activity with the minute it began in."""
    for activity in bench.activities():
        start = (activity["StartTime"] - began).total_seconds() / 60
        end = activity.get("EndTime")
        lasted = f" ({(end - activity['StartTime']).total_seconds():.0f} s)" if end else ""
        print(f"{start:+6.1f} min{lasted}  {activity['Description']}  [{activity['StatusCode']}]")
        print(f"    {activity['Cause']}")
        for reason in activity.get("NotScaledReasons", [activity.get("StatusMessage", "")]):
            print(f"    {reason}")


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.surge", description=__doc__)
    parser.add_argument("--clock-rate", type=float, default=20.0)
    parser.add_argument("--factor", type=float, default=6.0, help="SANDBOX_VCPU_FACTOR")
    parser.add_argument("--stub", action="store_true", help="tiny tasks instead of the News API")
    with sandbox(parser.parse_args()) as bench:
        measure(bench)
        bench.readers.stop()


if __name__ == "__main__":
    main()
