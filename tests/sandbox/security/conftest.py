"""Pieces of the security surface without a sandbox process around them."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

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
