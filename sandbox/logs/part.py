"""CloudWatch Logs as a part of the account."""

from __future__ import annotations

from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.logs.definitions import QueryDefinitions
from sandbox.logs.events import LogEvents
from sandbox.logs.groups import LogGroups, milliseconds
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.metric_filter_operations import MetricFilters
from sandbox.logs.metric_filters import Filters
from sandbox.logs.queries import Queries
from sandbox.logs.records import Records
from sandbox.logs.refused import OPERATIONS
from sandbox.logs.runner import Runner
from sandbox.logs.service import Logs
from sandbox.logs.store import Store
from sandbox.logs.streams import LogStreams
from sandbox.logs.tailing import Follower
from sandbox.refused import RefusedByName

# A fresh account's log groups with their retention in days; somebody forgot one of them.
WORLD = {"/ecs/news-api": 30, "/ecs/news-ingest": None, "/ecs/staging/news-api": 7}


async def join(sandbox: Context) -> None:
    """Serve every operation of CloudWatch Logs and follow the tasks' output."""
    store = Store(sandbox.home / "logs.sqlite")
    filters = Filters(sandbox.state)
    ingestion = Ingestion(store, filters, sandbox.of(CloudWatch))
    logs = Logs(store, ingestion, sandbox.spawn)
    runner = Runner(sandbox.home, store)
    if sandbox.fresh:
        _settle(store)
    sandbox.at_stop(store.close)
    sandbox.at_stop(runner.close)
    sandbox.provide(logs)
    for owner in (
        LogGroups(store, filters),
        LogStreams(store),
        LogEvents(store, ingestion),
        MetricFilters(store, filters),
        Queries(store, runner),
        QueryDefinitions(store, sandbox.state),
        Records(store),
        RefusedByName("logs", OPERATIONS, "UnknownOperationException"),
    ):
        sandbox.serve("logs", owner)
    sandbox.spawn(logs.keep())
    follower = Follower(sandbox.home / "logs", store, ingestion)
    sandbox.spawn(follower.run(sandbox.of(Account)))


def _settle(store: Store) -> None:
    """Create what a kill -9 did not let be created before."""
    known = {group.name: group for group in store.groups()}
    for name, retention in WORLD.items():
        group = known.get(name) or store.create_group(name, milliseconds())
        group.retention = retention
        group.tags = {"service": name.rsplit("/", 1)[-1]}
        store.save_group(group)
