"""A desk of budgets for each test that wants one."""

from __future__ import annotations

import pytest

from tests.sandbox.costs.desk import Desk


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path)
    yield found
    found.books.close()
