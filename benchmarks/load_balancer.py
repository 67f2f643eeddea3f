"""Whether the sandbox's load balancer loses requests while ECS moves tasks and traffic.

Clients send requests over kept-alive connections all the time, without retries, while every
planned move of ECS happens again and again: blue/green, canary, linear and rolling releases,
rollbacks, scaling out and in, stopped tasks. Then the process group of a task is killed with
SIGKILL, which nobody planned, and what that loses is counted as well.

    python -m benchmarks.load_balancer [--requests 100000] [--clients 8] [--kills 5] [--json]

Starts a sandbox of its own with stub tasks. Limit: no planned move loses a request.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tests.sandbox.account import FAST, PAUSE, Account, wait_until

BEFORE_TRAFFIC = PAUSE | {"lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 1,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1},
}
LINEAR = {
    "strategy": "LINEAR",
    "bakeTimeInMinutes": 0,
    "linearConfiguration": {"stepPercent": 25.0, "stepBakeTimeInMinutes": 1},
}
REQUEST = b"GET /v1/articles HTTP/1.1\r\nHost: news\r\n\r\n"
AFTER_A_KILL = 3.0  # seconds in which a killed task's requests are counted
SETTLED, SCALED = 2, 5


@dataclass
class Load:
    """Clients in a thread of their own; what they saw by the move that was under way."""

    port: int
    clients: int
    move: str = "start"
    answered: Counter[str] = field(default_factory=Counter)
    failed: dict[str, Counter[str]] = field(default_factory=dict)
    done: bool = False

    def __post_init__(self) -> None:
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))
        self._thread.start()

    def stop(self) -> None:
        self.done = True
        self._thread.join()

    @property
    def total(self) -> int:
        return sum(self.answered.values()) + sum(self.failures().values())

    def failures(self) -> dict[str, int]:
        return {move: sum(kinds.values()) for move, kinds in self.failed.items()}

    async def _run(self) -> None:
        await asyncio.gather(*(self._client() for _ in range(self.clients)))

    async def _client(self) -> None:
        while not self.done:
            try:
                await self._connection()
            except (OSError, EOFError, asyncio.IncompleteReadError) as error:
                self._fail(type(error).__name__)

    async def _connection(self) -> None:
        """Send requests until one fails; raises what the connection raises."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            while not self.done:
                writer.write(REQUEST)
                status = await _answer(reader)
                if status == 200:
                    self.answered[self.move] += 1
                else:
                    self._fail(str(status))
        finally:
            writer.close()

    def _fail(self, kind: str) -> None:
        self.failed.setdefault(self.move, Counter())[kind] += 1


async def _answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    fields = head.lower().split(b"\r\n")
    length = next(int(f.split(b":")[1]) for f in fields if f.startswith(b"content-length:"))
    await reader.readexactly(length)
    return int(fields[0].split()[1])


# -- the moves -------------------------------------------------------------------------------------


def other(account: Account) -> str:
    """The good version that does not serve now."""
    return "1.4.1" if account.version() == "1.4.0" else "1.4.0"


def release(account: Account, **configuration: object) -> None:
    """Release the other version and wait for it."""
    done = account.finished(account.release(other(account), **configuration), 120)
    if done["status"] != "SUCCESSFUL":
        raise RuntimeError(f"the release ended {done['status']}: {done.get('statusReason')}")


def reviewed_canary(account: Account) -> None:
    """A canary that an operator starts and promotes."""
    arn = account.release(other(account), **CANARY, lifecycleHooks=[BEFORE_TRAFFIC])
    first = account.waiting_hook(arn)
    account.resume(arn, first)
    account.resume(arn, account.waiting_hook(arn, after={first["hookId"]}))
    account.finished(arn, 120)


def rolled_back(account: Account, at: float) -> None:
    """A release that an operator rolls back when it has that much of the traffic."""
    arn = account.release(other(account), **CANARY | {"bakeTimeInMinutes": 20})

    def share() -> bool:
        target = account.deployment(arn)["targetServiceRevision"]
        return bool(target["requestedProductionTrafficWeight"] >= at)

    wait_until(share)
    account.stop_deployment(arn)
    account.finished(arn, 120)


def scaled(account: Account, count: int) -> None:
    """Another desired count, until so many tasks serve."""
    account.ecs.update_service(cluster="production", service="news-api", desiredCount=count)
    wait_until(lambda: account.service()["runningCount"] == count)
    wait_until(account.steady)


def stopped_task(account: Account) -> None:
    """StopTask: the task leaves the target group, drains, and is replaced."""
    task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]
    account.ecs.stop_task(cluster="production", task=task)
    wait_until(lambda: account.service()["runningCount"] < SETTLED, 20)
    wait_until(account.steady)


MOVES: tuple[tuple[str, Callable[[Account], None]], ...] = (
    ("blue/green", lambda account: release(account, **BLUE_GREEN)),
    ("canary, promoted by hand", reviewed_canary),
    ("canary, rolled back at 10 %", lambda account: rolled_back(account, 10.0)),
    ("canary, rolled back at 100 %", lambda account: rolled_back(account, 100.0)),
    ("linear, four steps", lambda account: release(account, **LINEAR)),
    ("rolling", lambda account: release(account, strategy="ROLLING")),
    ("scaled out to 5", lambda account: scaled(account, SCALED)),
    ("scaled in to 2", lambda account: scaled(account, SETTLED)),
    ("task stopped", stopped_task),
)


def whole(account: Account) -> bool:
    """Whether every task of the settled service takes requests."""
    balancer = account.control("GET", "status")["load_balancers"]["news-production"]
    return sum(target["state"] == "healthy" for target in balancer["targets"]) == SETTLED


def kill(account: Account) -> None:
    """SIGKILL to the process group of one of two healthy tasks; returns when it is replaced."""
    wait_until(lambda: whole(account))
    task = account.ecs.list_tasks(cluster="production", serviceName="news-api")["taskArns"][0]
    account.control("POST", f"tasks/{task.rsplit('/', 1)[-1]}/kill", {})
    time.sleep(AFTER_A_KILL)
    wait_until(lambda: whole(account))


# -- the run ---------------------------------------------------------------------------------------


def measure(requests: int, clients: int, kills: int) -> dict[str, object]:
    """Run every move until so many requests were sent; then the kills."""
    with tempfile.TemporaryDirectory(prefix="load-balancer-") as directory:
        account = Account(Path(directory) / "home", environment=FAST).ready()
        try:
            with account.scaling_suspended():
                return _measured(account, requests, clients, kills)
        finally:
            account.stop()


def _measured(account: Account, requests: int, clients: int, kills: int) -> dict[str, object]:
    load = Load(account.alb_port, clients)
    started = time.monotonic()
    rounds: Counter[str] = Counter()
    try:
        while load.total < requests or len(rounds) < len(MOVES):
            for name, move in MOVES:
                load.move = name
                move(account)
                rounds[name] += 1
        seconds = time.monotonic() - started
        for _ in range(kills):
            load.move = "kill -9 of a task"
            kill(account)
            rounds[load.move] += 1
    finally:
        load.stop()
    return {"seconds": round(seconds), "moves": [_row(load, name, rounds[name]) for name in rounds]}


def _row(load: Load, name: str, rounds: int) -> dict[str, object]:
    kinds = load.failed.get(name, Counter())
    return {
        "move": name,
        "times": rounds,
        "requests": load.answered[name] + sum(kinds.values()),
        "failed": sum(kinds.values()),
        "how": dict(kinds),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=100_000)
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--kills", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    found = measure(arguments.requests, arguments.clients, arguments.kills)
    rows = found["moves"]
    planned = [row for row in rows if not row["move"].startswith("kill")]
    failed = sum(row["failed"] for row in planned)
    if arguments.json:
        print(json.dumps(found, indent=2))
        return int(failed > 0)
    print(f"{'move':<30} {'times':>6} {'requests':>9} {'failed':>7}  how")
    for row in rows:
        how = ", ".join(f"{kind}: {number}" for kind, number in row["how"].items())
        print(f"{row['move']:<30} {row['times']:>6} {row['requests']:>9} {row['failed']:>7}  {how}")
    total = sum(row["requests"] for row in planned)
    print(f"planned moves: {total} requests in {found['seconds']} s, {failed} failed")
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
