"""Faults of the account's own machinery: clock, hooks, metrics, logs, costs, rotations."""

from __future__ import annotations

from sandbox import clock
from sandbox.chaos.effects import CannotHappen, Given, Started, part, undo
from sandbox.context import Context
from sandbox.ecs.controller import Controller


async def _clock_step(_: Context, given: Given) -> Started:
    clock.step(given["seconds"])
    return Started(f"Sandbox time moved by {given['seconds']:+g} s to {clock.now():%F %T} UTC.")


async def _expire_hooks(sandbox: Context, given: Given) -> Started:
    name = given["service"].partition("/")[2] if given["service"] else None
    count = sandbox.of(Controller).expire_hooks(name)
    return Started(f"{count} waiting hooks timed out.")


async def _metric_delay(sandbox: Context, given: Given) -> Started:
    from sandbox.cloudwatch.service import CloudWatch

    cloudwatch = part(sandbox, CloudWatch, "CloudWatch")
    before = cloudwatch.publication_delay
    cloudwatch.publication_delay = given["seconds"]

    def off() -> None:
        cloudwatch.publication_delay = before

    return Started(f"Metrics are published {given['seconds']:g} s later.", undo(off))


async def _log_flood(sandbox: Context, given: Given) -> Started:
    from sandbox.logs.service import Logs

    logs = part(sandbox, Logs, "CloudWatch Logs")
    seconds = given["seconds"]
    off = logs.flood(given["group"], given["lines_per_second"], seconds)
    lines = given["lines_per_second"] * seconds
    says = f"{given['group']} receives {lines:g} lines in {seconds:g} s."
    return Started(says, undo(off), seconds=seconds)


async def _cost_spike(sandbox: Context, given: Given) -> Started:
    from sandbox.costexplorer.service import CostExplorer

    costs = part(sandbox, CostExplorer, "Cost Explorer")
    try:
        costs.spike(given["service"], given["usd_per_day"], given["days"])
    except ValueError as error:
        raise CannotHappen(f"{error}.") from error
    says = f"{given['service']} costs {given['usd_per_day']:g} USD more a day"
    return Started(f"{says}, for {given['days']} days.", undo(costs.calm))


async def _rotation_failure(sandbox: Context, given: Given) -> Started:
    from sandbox.secrets.service import Secrets

    secrets = part(sandbox, Secrets, "Secrets Manager")
    secrets.rotation_failure = given["how"]

    def off() -> None:
        secrets.rotation_failure = None

    return Started(f"Secret rotations fail: {given['how']}.", undo(off))


EFFECTS = {
    "clock-step": _clock_step,
    "expire-hooks": _expire_hooks,
    "metric-delay": _metric_delay,
    "log-flood": _log_flood,
    "cost-spike": _cost_spike,
    "rotation-failure": _rotation_failure,
}
