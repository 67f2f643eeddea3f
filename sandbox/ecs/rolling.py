"""ROLLING: new tasks replace old ones within minimumHealthyPercent and maximumPercent."""

from __future__ import annotations

import asyncio
import math

from sandbox.ecs.model import now
from sandbox.ecs.walk import RollBack, Walk


class BreakerTripped(Exception):
    """Too many tasks failed and the circuit breaker may not roll back: the deployment stops."""


class Rolling(Walk):
    """A rolling deployment. It reports no lifecycle stage, as on AWS."""

    async def forward(self) -> None:
        """Replace tasks until all are new; raises RollBack or BreakerTripped.

        Without a circuit breaker a bad image is tried again and again, as on AWS.
        """
        if not self.sources:
            self.target.production_weight = 100.0
            if self.target.rule:
                await self.shift(100.0)
        already_failed = self.target.failures
        while not self._step():
            self.deployment.failed_tasks = self.target.failures - already_failed
            self._check_breaker()
            await asyncio.sleep(0.1)
        await self.bake(float(self.deployment.configuration.get("bakeTimeInMinutes", 0)))
        self.target.production_weight = 100.0
        for source in self.sources:
            source.production_weight = 0.0
        self.note(finished_at=now())

    def _step(self) -> bool:
        """Move as far as the limits allow; True when every task is new."""
        desired = self.service.desired
        configuration = self.deployment.configuration
        most = max(1, math.floor(desired * configuration.get("maximumPercent", 200) / 100))
        least = math.ceil(desired * configuration.get("minimumHealthyPercent", 100) / 100)
        old = sum(len(self.account.remaining_tasks(source)) for source in self.sources)
        self.target.want = max(self.target.want, min(desired, most - old))
        self.target.want = min(self.target.want, desired)
        healthy = self.scheduler.healthy(self.target)
        keep = max(0, least - healthy)
        for source in self.sources:
            source.want = min(source.want, keep)
        return healthy >= desired and old == 0

    def _check_breaker(self) -> None:
        breaker = self.deployment.configuration.get("deploymentCircuitBreaker", {})
        if not breaker.get("enable") or self.deployment.failed_tasks < self.threshold():
            return
        reason = (
            f"ECS deployment circuit breaker: tasks failed to start. {self.target.last_failure}"
        )
        if breaker.get("rollback"):
            raise RollBack(reason)
        raise BreakerTripped(reason)

    def threshold(self) -> int:
        """How many failed tasks trip the circuit breaker."""
        breaker = self.deployment.configuration.get("deploymentCircuitBreaker", {})
        chosen = breaker.get("thresholdConfiguration", {"type": "BOUNDED_PERCENT", "value": 50})
        if chosen["type"] == "COUNT":
            return int(chosen["value"])
        share: int = math.ceil(self.service.desired * chosen["value"] / 100)
        return share if chosen["type"] == "UNBOUNDED_PERCENT" else min(max(share, 3), 200)
