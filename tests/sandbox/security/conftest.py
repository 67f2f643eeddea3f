"""Pieces of the security surface without a sandbox process around them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from sandbox import clock
from sandbox.secrets import world
from sandbox.secrets.store import Store
from sandbox.state import State

EPOCH = datetime(2026, 3, 4, 10, 30, tzinfo=UTC)


@pytest.fixture
def epoch():
    return EPOCH


@pytest.fixture
def state(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield state
    state.close()


@pytest.fixture
def hurried_clock(tmp_path):
    """A sandbox second takes two thousandths of a real one."""
    path = tmp_path / "clock"
    clock.prepare(path, 500.0)
    clock.use(path)
    yield
    clock.use(None)


@pytest.fixture
def store(hurried_clock, state):
    store = Store(state)
    world.seed(store, clock.now(), "django")
    return store
