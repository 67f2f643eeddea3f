"""Deployment alarms: CloudWatch alarms that turn a deployment back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from sandbox.ecs.model import Deployment

# The names of those alarms, of the ones asked for, that are in ALARM now.
InAlarm = Callable[[Sequence[str]], Awaitable[list[str]]]

PERIOD = 0.5


async def wait_for_alarm(deployment: Deployment, in_alarm: InAlarm) -> str | None:
    """Wait until a deployment alarm goes off; the reason to roll back, None if there is none.

    As on AWS, a deployment that starts while one of its alarms is in ALARM ignores all of them.
    """
    configured = deployment.configuration.get("alarms", {})
    names = configured.get("alarmNames", [])
    if not configured.get("enable") or not names:
        return None
    if await in_alarm(names):
        deployment.ignored_alarms = True
        return None
    while not deployment.triggered_alarms:
        await asyncio.sleep(PERIOD)
        deployment.triggered_alarms = await in_alarm(names)
    alarms = ", ".join(deployment.triggered_alarms)
    return f"Deployment alarm in ALARM: {alarms}" if configured.get("rollback") else None
