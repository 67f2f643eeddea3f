from __future__ import annotations

import pytest
import time_machine

from aws import costexplorer
from costs import operations
from tests import make
from tests.costs import builders
from tests.costs.builders import AT


@pytest.fixture
def the_clock_stands():
    with time_machine.travel(AT, tick=False):
        yield


@pytest.fixture
def vera(client):
    client.force_login(make.user())


@pytest.fixture
def ingested(monkeypatch):
    """Read a bill as the task would; without `lines`, the same costs every day."""

    def ingest(lines=None):
        make.account()
        monkeypatch.setattr(costexplorer, "get_cost_and_usage", builders.bill(lines))
        while operations.ingest(at=AT):
            pass

    return ingest
