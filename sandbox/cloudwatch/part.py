"""CloudWatch's metrics as a part of the account, and the publisher that feeds them."""

from __future__ import annotations

import asyncio
import os
from functools import partial

from sandbox import clock, publisher
from sandbox.cloudwatch import container_insights, world
from sandbox.cloudwatch.dashboards import Dashboards
from sandbox.cloudwatch.refused import OPERATIONS
from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.ecs.api import Ecs
from sandbox.fleet import Fleet
from sandbox.load_balancers import LoadBalancers
from sandbox.measurements import Running
from sandbox.refused import RefusedByName
from sandbox.repeating import paced, repeat

# 1 delays minutes as AWS does, 0 shows them while they are measured.
DELAY = "SANDBOX_METRIC_DELAY"
_HOUR = 3600.0
_REAL_PAUSE = 1.0


async def join(sandbox: Context) -> None:
    """Serve the metric operations and begin to publish what is measured."""
    factor = float(os.environ.get(DELAY, "1"))
    cloudwatch = CloudWatch(sandbox.home, sandbox.epoch, delay_factor=factor)
    sandbox.at_stop(cloudwatch.close)
    sandbox.provide(cloudwatch)
    sandbox.serve("cloudwatch", cloudwatch)
    dashboards = Dashboards(sandbox.state)
    sandbox.serve("cloudwatch", dashboards)
    sandbox.serve("cloudwatch", RefusedByName("cloudwatch", OPERATIONS, "InvalidAction"))
    if sandbox.fresh:
        body = world.golden_signals()
        dashboards.put_dashboard(DashboardName=world.GOLDEN_SIGNALS, DashboardBody=body)
    sandbox.spawn(_publish(sandbox, cloudwatch))
    sandbox.spawn(_roll_up(cloudwatch))


async def _publish(sandbox: Context, cloudwatch: CloudWatch) -> None:
    balancers, ecs, account = sandbox.of(LoadBalancers), sandbox.of(Ecs), sandbox.of(Account)

    def is_running(arn: str) -> bool:
        task = account.tasks.get(arn)
        return task is not None and task.last_status == "RUNNING"

    await publisher.run(
        cloudwatch,
        balancers.minutes,
        Running(sandbox.of(Fleet), is_running),
        balancers.health_samples,
        partial(container_insights.samples, ecs),
    )


async def _roll_up(cloudwatch: CloudWatch) -> None:
    """Once an hour, as minutes pass the ages at which CloudWatch keeps less of them."""
    await clock.sleep(_HOUR)
    roll_up = partial(asyncio.to_thread, cloudwatch.roll_up)
    await repeat(roll_up, "rolling up metrics", every=paced(_HOUR, _REAL_PAUSE))
