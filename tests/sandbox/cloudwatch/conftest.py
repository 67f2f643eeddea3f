"""CloudWatch without a process: half past twelve, two hours after the account began."""

from __future__ import annotations

import pytest

from sandbox.cloudwatch.service import CloudWatch
from tests.sandbox.cloudwatch.asking import EPOCH, NOW


@pytest.fixture
def cloudwatch(tmp_path):
    service = CloudWatch(tmp_path, EPOCH, clock=lambda: NOW)
    yield service
    service.close()
