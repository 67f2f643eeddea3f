from __future__ import annotations

import pytest

from catalog import work
from catalog.models import Operation
from tests.catalog.claims import KIND, submit


@pytest.fixture
def handle(monkeypatch):
    """Register a handler for the duration of the test."""

    def register(handler):
        monkeypatch.setitem(work._handlers, KIND, handler)
        return handler

    return register


@pytest.fixture
def operation(db) -> Operation:
    return submit()
