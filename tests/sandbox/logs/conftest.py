"""A log group over the wire, and what keeps log events without a process."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from sandbox.cloudwatch.service import CloudWatch
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.metric_filters import Filters
from sandbox.logs.store import Store
from sandbox.state import State
from tests.sandbox.contract import checked
from tests.sandbox.logs.asking import NOW


@pytest.fixture
def logs(account):
    return account.client("logs")


@pytest.fixture
def group(logs, request):
    """An empty group of the test's own with one stream, `s`."""
    name = f"/test/{request.node.name[:60].split('[')[0]}"
    checked(logs, "CreateLogGroup", logGroupName=name, tags={"team": "news"})
    checked(logs, "CreateLogStream", logGroupName=name, logStreamName="s")
    yield name
    logs.delete_log_group(logGroupName=name)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "logs.sqlite", group_bytes=400_000)
    yield store
    store.close()


@pytest.fixture
def filters(tmp_path):
    state = State(tmp_path / "state.sqlite")
    yield Filters(state)
    state.close()


@pytest.fixture
def cloudwatch(tmp_path):
    cloudwatch = CloudWatch(tmp_path, datetime.now(UTC) - timedelta(days=1))
    yield cloudwatch
    cloudwatch.close()


@pytest.fixture
def ingestion(store, filters, cloudwatch):
    return Ingestion(store, filters, cloudwatch)


@pytest.fixture
def kept_group(store):
    group = store.create_group("/ecs/news-api", NOW)
    store.create_stream(group, "web/1", NOW)
    return group
