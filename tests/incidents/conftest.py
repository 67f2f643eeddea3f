from __future__ import annotations

from datetime import timedelta

import pytest
import time_machine

from tests import make


@pytest.fixture
def olga(client):
    person = make.operator()
    client.force_login(person)
    return person


@pytest.fixture
def the_clock_stands_at_noon():
    with time_machine.travel(make.NOON + timedelta(minutes=12), tick=False):
        yield
