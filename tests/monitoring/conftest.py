from __future__ import annotations

import pytest

from aws import cloudwatch
from tests.monitoring.clouds import Cloud


@pytest.fixture
def cloud(monkeypatch):
    fake = Cloud()
    monkeypatch.setattr(cloudwatch, "get_metric_data", fake.get_metric_data)
    return fake
