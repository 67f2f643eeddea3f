from __future__ import annotations

from datetime import timedelta

import pytest

from deployments import presets
from tests import make
from tests.deployments import build
from tests.deployments.ecs import FakeEcs


@pytest.fixture
def ecs(monkeypatch) -> FakeEcs:
    fake = FakeEcs()
    fake.stand_in(monkeypatch)
    return fake


@pytest.fixture
def service(db):
    return make.service(production_rule="arn:rule")


@pytest.fixture
def olga(db):
    return make.operator()


@pytest.fixture
def anna(db):
    return make.approver()


@pytest.fixture
def draft(service, olga):
    """A canary of 1.4.1 asked for by olga, before its preflight."""
    return build.draft(service, olga, preset=presets.named("canary"))


@pytest.fixture
def settled(monkeypatch):
    """Let so much time pass that ECS would have shown an update whose answer was lost.

    Until the function is called it has not passed, however long the machine takes.
    """
    monkeypatch.setattr("deployments.reconciler.starting.SETTLED", timedelta(days=1))

    def pass_time() -> None:
        monkeypatch.setattr("deployments.reconciler.starting.SETTLED", timedelta(0))

    return pass_time


@pytest.fixture
def silent_bell(monkeypatch):
    """The bell only wakes a worker; no worker runs here, and the row carries the work."""
    monkeypatch.setattr("deployments.ringing._ring", lambda task: None)


@pytest.fixture
def as_olga(client, olga):
    client.force_login(olga)
    return client


@pytest.fixture
def as_anna(client, anna):
    client.force_login(anna)
    return client
