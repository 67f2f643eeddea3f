"""How long a bad version is still served after an operator clicks "Roll back now".

Measured from the outside: clients send requests through the load balancer all the time, a canary
of a bad image is released through the portal, the rollback is one HTTP POST to the portal, and
the answer's X-App-Version says which version served it. The same clients count what fails while a
canary is promoted, a blue-green release runs, and a rollback happens.

    python -m benchmarks.rollback [--runs 5] [--json]

Starts a stack of its own, unless PORTAL_URL, LOAD_BALANCER_URL, PORTAL_OPERATOR and
PORTAL_APPROVER (each `name:password`) name a running one.

Limit: the last answer of the bad version comes at most 1 s after the click, and no request fails
but those that the bad version itself answers with 5xx.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.person import Person
from tests.stack import Stack, wait_for

GOOD, BETTER, BAD = "1.4.0", "1.4.1", "1.4.2-errors"
LIMIT = 1.0  # seconds from the click to the last bad answer
CLIENTS = 4
PAUSE_BETWEEN = 0.02  # seconds between two requests of a client


@dataclass(frozen=True)
class Target:
    """Where the portal and the load balancer listen, and who operates."""

    portal: str
    load_balancer: str
    operator: tuple[str, str]
    approver: tuple[str, str]


@dataclass
class Load:
    """What the clients saw: (second on the monotonic clock, version, status; 0 for no answer)."""

    url: str
    answers: list[tuple[float, str, int]] = field(default_factory=list)
    done: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        with httpx.Client(base_url=self.url, timeout=10) as client:
            while not self.done.wait(PAUSE_BETWEEN):
                self.answers.append(self._ask(client))

    @staticmethod
    def _ask(client: httpx.Client) -> tuple[float, str, int]:
        try:
            answer = client.get("/v1/articles")
        except httpx.HTTPError:
            return time.monotonic(), "", 0
        # The sandbox's bad images answer their 5xx themselves, without the header.
        version = answer.headers.get("x-app-version") or (BAD if BAD in answer.text else "")
        return time.monotonic(), version, answer.status_code

    def failed(self, *, since: float) -> int:
        """Count requests that the infrastructure lost; a bad version's own 5xx are not among."""
        return sum(
            1
            for at, version, status in self.answers
            if at >= since and (status == 0 or (status >= 500 and version != BAD))
        )


@contextmanager
def load_on(url: str) -> Iterator[Load]:
    """Keep the clients running."""
    load = Load(url)
    threads = [threading.Thread(target=load.run, daemon=True) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    try:
        yield load
    finally:
        load.done.set()
        for thread in threads:
            thread.join()


def roll_back_once(target: Target, load: Load) -> float:
    """Release the bad image to half of the traffic, click, and return the seconds it lived on."""
    with Person(target.portal, *target.operator) as operator:
        path = operator.release(BAD, "canary", percent="50", canary_bake="1", bake="5")
        operator.sees(path, "An approver can let this go on")
        wait_for(lambda: load.answers[-1][1] == BAD, seconds=30, what="a bad answer")
        token = operator.token(path)
        clicked = time.monotonic()
        operator.send(f"{path}roll-back/", token, reason="Benchmark")
        operator.sees(path, "serves all traffic again")
    bad = [at for at, version, _ in load.answers if version == BAD and at >= clicked]
    return max(bad, default=clicked) - clicked


def promote_once(target: Target) -> None:
    """Release a good image as a canary, and promote it."""
    with (
        Person(target.portal, *target.operator) as operator,
        Person(target.portal, *target.approver) as approver,
    ):
        path = operator.release(BETTER, "canary", percent="10", canary_bake="1", bake="1")
        approver.sees(path, f"Promote {BETTER}")
        approver.approve(path)
        operator.sees(path, f"{BETTER} serves all", seconds=180)


def blue_green_once(target: Target) -> None:
    """Release the first image again, all traffic at once."""
    with Person(target.portal, *target.operator) as operator:
        path = operator.release(GOOD, "hotfix", bake="1")
        operator.sees(path, f"{GOOD} serves all", seconds=180)


def measure(target: Target, runs: int) -> dict[str, object]:
    """Run everything; return the figures."""
    with load_on(target.load_balancer) as load:
        wait_for(lambda: len(load.answers) > 50, seconds=30, what="traffic")
        began = time.monotonic()
        lived_on = [roll_back_once(target, load) for _ in range(runs)]
        failed_in_rollbacks = load.failed(since=began)
        began = time.monotonic()
        promote_once(target)
        failed_in_promotion = load.failed(since=began)
        began = time.monotonic()
        blue_green_once(target)
        return {
            "seconds from click to last bad answer": [round(each, 3) for each in lived_on],
            "median": round(statistics.median(lived_on), 3),
            "worst": round(max(lived_on), 3),
            "limit": LIMIT,
            "requests": len(load.answers),
            "failed requests": {
                "rollbacks": failed_in_rollbacks,
                "promotion": failed_in_promotion,
                "blue-green": load.failed(since=began),
            },
        }


@contextmanager
def target_from_environment() -> Iterator[Target]:
    """Use the stack that the environment names, or start one."""
    if url := os.environ.get("PORTAL_URL"):
        yield Target(
            url,
            os.environ["LOAD_BALANCER_URL"],
            _credentials("PORTAL_OPERATOR"),
            _credentials("PORTAL_APPROVER"),
        )
        return
    stack = Stack(seconds_per_minute=2)
    try:
        stack.start()
        people = {role: (user.username, user.password) for role, user in stack.users.items()}
        yield Target(stack.url, stack.load_balancer, people["operator"], people["approver"])
    finally:
        stack.stop()


def _credentials(name: str) -> tuple[str, str]:
    user, _, password = os.environ[name].partition(":")
    return user, password


def main() -> int:
    parser = argparse.ArgumentParser(description="Measure the instant rollback.")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with target_from_environment() as target:
        figures = measure(target, arguments.runs)
    if arguments.json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name}: {value}")
    failed = figures["failed requests"]
    assert isinstance(failed, dict)
    worst = figures["worst"]
    assert isinstance(worst, float)
    return int(worst > LIMIT or any(failed.values()))


if __name__ == "__main__":
    sys.exit(main())
