"""One sandbox for all tests of a module; each test leaves it steady."""

from __future__ import annotations

import pytest

from tests.sandbox.account import Account, wait_until

SERVICES = (("production", "news-api"), ("production", "news-ingest"))


@pytest.fixture(scope="session")
def shared_account(tmp_path_factory):
    account = Account(tmp_path_factory.mktemp("account") / "home").ready()
    account.rest_scaling()
    # What moto tells of joins a new account last; no test is about the seconds before.
    wait_until(lambda: "news-status" in account.control("GET", "status")["load_balancers"])
    yield account
    account.stop()
    assert not account.defects()


@pytest.fixture(scope="session")
def own_configurations(shared_account):
    """How each service is deployed unless a test says otherwise."""
    return {each: shared_account.service(*each)["deploymentConfiguration"] for each in SERVICES}


@pytest.fixture
def account(shared_account, own_configurations):
    """The shared sandbox, without faults and with no deployment in flight."""
    yield shared_account
    shared_account.control("DELETE", "faults")
    for (cluster, name), own in own_configurations.items():
        shared_account.come_to_rest(cluster, name)
        if shared_account.service(cluster, name)["deploymentConfiguration"] != own:
            shared_account.ecs.update_service(
                cluster=cluster, service=name, deploymentConfiguration=own
            )


@pytest.fixture
def fresh_account(tmp_path):
    """A sandbox of the test's own."""
    account = Account(tmp_path / "home").ready()
    yield account
    account.stop()
