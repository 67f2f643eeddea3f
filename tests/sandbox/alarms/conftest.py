"""Alarms in this process."""

from __future__ import annotations

import pytest

from tests.sandbox.alarms.world import World


@pytest.fixture
def world(tmp_path, monkeypatch):
    built = World(tmp_path, monkeypatch)
    yield built
    built.close()
