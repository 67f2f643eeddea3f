"""Deployment alarms: CloudWatch alarms that turn a deployment back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sandbox.ecs import reasons
from sandbox.ecs.model import Deployment

# The names of those alarms, of the ones asked for, that are in ALARM now.
InAlarm = Callable[[Sequence[str]], Awaitable[list[str]]]

PERIOD = 0.5


def watched(deployment: Deployment) -> list[str]:
    """The alarms the deployment is configured to watch, none when they are not enabled."""
    configured: dict[str, Any] = deployment.configuration.get("alarms", {})
    names: list[str] = configured.get("alarmNames", [])
    return names if configured.get("enable") else []


def rolls_back(deployment: Deployment) -> bool:
    """Whether an alarm turns the deployment back; otherwise it stops where it is."""
    return bool(deployment.configuration.get("alarms", {}).get("rollback"))


async def wait_for_alarm(
    deployment: Deployment, in_alarm: InAlarm, note: Callable[[], None]
) -> str | None:
    """Wait until a deployment alarm goes off; the reason to fail, None if none is watched.

    As on AWS, a deployment that starts while one of its alarms is in ALARM ignores all of them.
    That is decided once: an alarm that rings during a restart of the sandbox counts.
    """
    names = watched(deployment)
    if not names:
        return None
    if not deployment.alarms_checked:
        deployment.ignored_alarms = bool(await in_alarm(names))
        deployment.alarms_checked = True
        note()
    if deployment.ignored_alarms:
        return None
    while not deployment.triggered_alarms:
        await asyncio.sleep(PERIOD)
        deployment.triggered_alarms = await in_alarm(names)
    note()
    return reasons.ALARMS
