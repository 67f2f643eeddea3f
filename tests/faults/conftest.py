"""One stack for all fault tests: it must be in order again after each of them."""

from __future__ import annotations

import urllib.request
from collections.abc import Iterator

import pytest

from tests.person import Person
from tests.stack import Stack


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    running = Stack(seconds_per_minute=2)
    try:
        running.start()
        yield running
    finally:
        running.stop()


@pytest.fixture
def account(stack) -> Iterator[Account]:
    account = Account(stack)
    yield account
    account.in_order()


@pytest.fixture
def olga(stack) -> Iterator[Person]:
    user = stack.users["operator"]
    with Person(stack.url, user.username, user.password) as person:
        yield person


@pytest.fixture
def anna(stack) -> Iterator[Person]:
    user = stack.users["approver"]
    with Person(stack.url, user.username, user.password) as person:
        yield person


class Account:
    """The sandbox's faults and its count of calls since the test began."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before = self._calls()

    def _calls(self) -> dict[str, int]:
        calls: dict[str, int] = self._stack.sandbox("status")["operations"]
        return calls

    def count(self, operation: str) -> int:
        return self._calls().get(operation, 0) - self._before.get(operation, 0)

    def fail(self, operation: str, kind: str, **more: object) -> None:
        self._stack.sandbox("faults", {"operation": operation, "kind": kind, **more})

    def in_order(self) -> None:
        """End all faults."""
        request = urllib.request.Request(f"{self._stack.gateway}/_sandbox/faults", method="DELETE")
        urllib.request.urlopen(request, timeout=60).close()
