"""A load balancer for each test."""

from __future__ import annotations

import itertools

import pytest

from tests.sandbox.balancing.lab import opened

NUMBERS = itertools.count()


@pytest.fixture
def lab(account):
    with opened(account, f"lab-{next(NUMBERS)}") as made:
        yield made
