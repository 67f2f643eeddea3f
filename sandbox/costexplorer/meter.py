"""Watches the live account and keeps what it holds and uses for the bill."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox import clock
from sandbox.charges import Charges
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context
from sandbox.costexplorer import inventory, measured, script
from sandbox.costexplorer.journal import Journal
from sandbox.ecs.account import Account
from sandbox.load_balancers import LoadBalancers
from sandbox.repeating import repeat

# Real seconds: looking costs next to nothing, and a task may live only a few.
INTERVAL = 2.0
# Alarms, dashboards and log groups are read every so many times.
SELDOM = 2
# Real seconds after which tasks count even if a service never had all it wants.
SETTLED_WITHIN = 120.0
# The load balancer's minutes change until they are two minutes old; it keeps thirty.
SETTLING_MINUTES = 2
CATCH_UP_MINUTES = 25
_STATE = "CostMeter"


class Meter:
    """Observes everything every few seconds; the journal writes changes only."""

    def __init__(self, sandbox: Context, journal: Journal, charges: Charges) -> None:
        self._sandbox = sandbox
        self._journal = journal
        self._charges = charges
        self._account = sandbox.of(Account)
        self._began = asyncio.get_running_loop().time()
        self._settled = False
        self._readings = itertools.count()

    async def run(self) -> None:
        """Observe until cancelled; what fails is logged and tried again."""
        await repeat(self._observe, "reading what costs", every=INTERVAL)

    async def _observe(self) -> None:
        await self._observe_resources()
        if next(self._readings) % SELDOM == 0:
            await self._observe_monitoring()
            await self._observe_logs()

    async def _observe_resources(self) -> None:
        held = await self._sandbox.in_moto(inventory.of_moto)
        self._journal.observe("moto", held, clock.now())
        if self._tasks_settled():
            self._journal.observe("tasks", inventory.of_tasks(self._account), clock.now())
        await self._count_minutes()

    def _tasks_settled(self) -> bool:
        """At a start, tasks begin one by one: the account had them all the time."""
        if not self._settled:
            waited = asyncio.get_running_loop().time() - self._began
            self._settled = waited > SETTLED_WITHIN or all(
                self._account.running(arn) >= service.desired
                for arn, service in self._account.services.items()
            )
        return self._settled

    # -- monitoring ----------------------------------------------------------------------------

    async def _observe_monitoring(self) -> None:
        alarms = await self._pages("describe_alarms", "MetricAlarms")
        dashboards = await self._pages("list_dashboards", "DashboardEntries")
        metrics = await self._pages("list_metrics", "Metrics")
        held = inventory.of_monitoring(
            alarms=alarms, dashboards=len(dashboards), metrics=[m["Namespace"] for m in metrics]
        )
        self._journal.observe("monitoring", held, clock.now())
        secrets = await pages(self._sandbox, "secretsmanager", "list_secrets", "SecretList")
        self._journal.observe("secrets", inventory.of_secrets(secrets), clock.now())

    async def _pages(self, operation: str, member: str) -> list[Any]:
        return await pages(self._sandbox, "cloudwatch", operation, member)

    # -- what is counted -----------------------------------------------------------------------

    async def _count_minutes(self) -> None:
        newest = int(clock.time() // 60) - SETTLING_MINUTES
        last = self._charges.counted_through() or newest - 1
        begin = max(last + 1, newest - CATCH_UP_MINUTES)
        if begin > newest:
            return
        report = await self._sandbox.of(LoadBalancers).minutes(begin)
        charged = self._logged(begin, newest)
        for row in report["minutes"]:
            if row["minute"] <= newest:
                charged += measured.balanced(row, _moment(row["minute"]))
        self._charges.count(charged, through=newest)

    def _logged(self, begin: int, newest: int) -> list[measured.Charge]:
        cloudwatch = self._sandbox.of(CloudWatch)
        listed = cloudwatch.list_metrics(Namespace="AWS/Logs", MetricName="IncomingBytes")
        charged = []
        for each in listed["Metrics"]:
            metric = Metric.parse("AWS/Logs", "IncomingBytes", each["Dimensions"])
            group = dict(metric.dimensions)["LogGroupName"]
            for minute in range(begin, newest + 1):
                found = cloudwatch.published(metric, minute)
                if found:
                    charged += measured.logged(group, int(found.total), _moment(minute))
        return charged

    # -- stored logs ---------------------------------------------------------------------------

    async def _observe_logs(self) -> None:
        groups = await pages(self._sandbox, "logs", "describe_log_groups", "logGroups")
        kept = self._sandbox.state.get(_STATE, "archives")
        archives = {name: Decimal(size) for name, size in kept.items()} if kept else None
        fresh = archive(
            {group["logGroupName"]: group.get("retentionInDays") for group in groups}, archives
        )
        if not fresh:
            return
        if fresh != archives:
            body = {name: str(size) for name, size in fresh.items()}
            self._sandbox.state.put(_STATE, "archives", body)
        now = clock.now()
        stored = {
            group["logGroupName"]: fresh[group["logGroupName"]]
            + grown(self._charges, group, since=self._sandbox.epoch, now=now, groups=len(groups))
            for group in groups
        }
        self._journal.observe("logs", inventory.of_logs(stored), now)


def archive(
    retention: dict[str, int | None], known: dict[str, Decimal] | None
) -> dict[str, Decimal]:
    """What each log group still has of the time before the epoch, in GB.

    At the first reading, groups with a retention have what those days brought, and the others
    share the rest alike. A retention that is set later leaves what its days brought; what was
    deleted does not come back when it goes.
    """
    daily = script.LOG_GROWTH_GB_A_DAY / max(len(retention), 1)
    limits = {name: daily * days for name, days in retention.items() if days}
    if known is None:
        unlimited = len(retention) - len(limits)
        rest = script.LOG_ARCHIVE_GB - sum(limits.values())
        known = dict.fromkeys(retention, rest / max(unlimited, 1))
    return {
        name: min(known.get(name, Decimal(0)), limits.get(name, script.LOG_ARCHIVE_GB))
        for name in retention
    }


def grown(
    charges: Charges, group: Mapping[str, Any], *, since: datetime, now: datetime, groups: int
) -> Decimal:
    """GB a log group (DescribeLogGroups) stores of what came in since it was made or the epoch.

    Of that, what its retention keeps; flow logs are shared by all groups alike.
    """
    name, days = group["logGroupName"], group.get("retentionInDays")
    begin = max(since, datetime.fromtimestamp(group["creationTime"] / 1000, UTC))
    begin = max(begin, now - timedelta(days=days)) if days else begin
    received = measured.logged_gb(charges, name, begin, now)
    received += measured.flow_log_gb(charges, begin, now) / groups
    return received * script.LOG_COMPRESSION


async def pages(
    sandbox: Context, service: str, operation: str, member: str, **parameters: Any
) -> list[Any]:
    """All rows of a listing operation that a part serves; empty when none serves it.

    Operations that moto serves are not asked: their answer would have to be parsed.
    """
    owners = sandbox.gateway.owners.get(service, [])
    method = next((getattr(o, operation) for o in owners if hasattr(o, operation)), None)
    if method is None:
        return []
    found: list[Any] = []
    token: dict[str, str] = {}
    while True:
        answer = method(**parameters, **token)
        if asyncio.iscoroutine(answer):
            answer = await answer
        found += answer.get(member, [])
        token = {key: answer[key] for key in ("NextToken", "nextToken") if answer.get(key)}
        if not token:
            return found


def _moment(minute: int) -> datetime:
    return datetime.fromtimestamp(minute * 60, UTC)
