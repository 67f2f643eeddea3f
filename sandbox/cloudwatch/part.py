"""CloudWatch's metrics as a part of the account, and the publisher that feeds them."""

from __future__ import annotations

from sandbox import publisher
from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context
from sandbox.fleet import Fleet
from sandbox.load_balancers import LoadBalancers


async def join(sandbox: Context) -> None:
    """Serve the metric operations and begin to publish what is measured."""
    cloudwatch = CloudWatch(sandbox.home, sandbox.epoch)
    sandbox.at_stop(cloudwatch.close)
    sandbox.provide(cloudwatch)
    sandbox.serve("cloudwatch", cloudwatch)
    balancers = sandbox.of(LoadBalancers)
    sandbox.spawn(
        publisher.run(cloudwatch, balancers.minutes, sandbox.of(Fleet), balancers.health_samples)
    )
