"""A container's own health check: HEALTHY, UNHEALTHY or UNKNOWN."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aiohttp

_TIMEOUT = aiohttp.ClientTimeout(total=5)
# Defaults and ranges of ECS's HealthCheck, in seconds.
INTERVAL, RETRIES, START_PERIOD = 30, 3, 0


@dataclass
class Verdict:
    """What the checks of one container say so far; `health` in ECS's words."""

    retries: int = RETRIES
    start_period: float = START_PERIOD
    health: str = "UNKNOWN"
    failed: int = 0

    @classmethod
    def of(cls, check: Mapping[str, Any]) -> Verdict:
        """Begin with a container definition's healthCheck."""
        return cls(check.get("retries", RETRIES), check.get("startPeriod", START_PERIOD))

    def judge(self, passed: bool, age: float) -> str:
        """Take in one check of a container that runs for `age` seconds of sandbox time.

        One success is enough. Failures within the start period do not count before it.
        """
        if passed:
            self.failed, self.health = 0, "HEALTHY"
        elif age > self.start_period or self.health == "HEALTHY":
            self.failed += 1
            if self.failed >= self.retries:
                self.health = "UNHEALTHY"
        return self.health


async def passes(port: int) -> bool:
    """Whether the process on `port` says that it is well."""
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.get(f"http://127.0.0.1:{port}/healthz") as response,
        ):
            return response.status < 400
    except (aiohttp.ClientError, OSError):  # a TimeoutError is one of these
        return False
