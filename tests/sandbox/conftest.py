"""One sandbox for all tests of a module; each test leaves it steady."""

from __future__ import annotations

import pytest

from tests.sandbox.account import Account, wait_until


@pytest.fixture(scope="session")
def shared_account(tmp_path_factory):
    account = Account(tmp_path_factory.mktemp("account") / "home").ready()
    account.rest_scaling()
    yield account
    account.stop()


@pytest.fixture
def account(shared_account):
    """The shared sandbox, without faults and with no deployment in flight."""
    yield shared_account
    shared_account.control("DELETE", "faults")
    settle(shared_account)


@pytest.fixture
def fresh_account(tmp_path):
    """A sandbox of the test's own."""
    account = Account(tmp_path / "home").ready()
    yield account
    account.stop()


def settle(account):
    in_flight = ["PENDING", "IN_PROGRESS"]
    for cluster, name in (("production", "news-api"), ("production", "news-ingest")):
        listed = account.ecs.list_service_deployments(
            cluster=cluster, service=name, status=in_flight
        )
        for brief in listed["serviceDeployments"]:
            account.stop_deployment(brief["serviceDeploymentArn"])
        wait_until(lambda c=cluster, n=name: account.steady(c, n))
