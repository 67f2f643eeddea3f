"""ROLLING: new tasks replace old ones within minimumHealthyPercent and maximumPercent."""

from __future__ import annotations

import asyncio
import math
from functools import partial
from typing import Any

from sandbox.ecs.walk import Move, Walk

PERIOD = 0.1
# How many moves are done when new tasks begin to take the place of the old ones, and when all have.
REPLACING, REPLACED = 2, 3


class Rolling(Walk):
    """A rolling deployment. It reports no lifecycle stage, as on AWS."""

    def moves(self) -> list[Move]:
        """Replace the tasks, bake, end; the pauses are those that ROLLING has."""
        minutes = float(self.deployment.configuration.get("bakeTimeInMinutes", 0))
        return [
            partial(self.pause, "PRE_SCALE_UP"),
            self._take_traffic,
            self._replace,
            partial(self.pause, "POST_SCALE_UP"),
            partial(self.bake, minutes),
            self._finish,
        ]

    async def _take_traffic(self) -> None:
        """A first deployment's target group gets the traffic; later ones stay in the same."""
        if self.sources:
            return
        self.target.production_weight = 100.0
        if self.target.rule:
            await self.shift(100.0)

    async def _replace(self) -> None:
        """Replace tasks until enough are new; raises RollBack or Halted.

        Without a circuit breaker a bad image is tried again and again, as on AWS.
        """
        while not self._step():
            if self.broken():
                # Nothing ever completed that it could return to: it stalls until somebody acts.
                await asyncio.Event().wait()
            await asyncio.sleep(PERIOD)

    async def _finish(self) -> None:
        """With early success the rest goes on in the background."""
        self.scale(self.target, self.service.desired)
        self.target.production_weight = 100.0
        for source in self.sources:
            source.production_weight = 0.0
            self.scale(source, 0)

    def _step(self) -> bool:
        """Move as far as the limits allow; True when the deployment counts as done.

        maximumPercent is of tasks that are PENDING or RUNNING: those that drain take no room.
        """
        desired = self.service.desired
        configuration = self.deployment.configuration
        most = max(1, math.floor(desired * configuration.get("maximumPercent", 200) / 100))
        least = math.ceil(desired * configuration.get("minimumHealthyPercent", 100) / 100)
        old = sum(max(source.want, len(self.account.live_tasks(source))) for source in self.sources)
        self.scale(self.target, min(desired, max(self.target.want, most - old)))
        healthy = self.scheduler.healthy(self.target)
        keep = max(0, least - healthy)
        for source in self.sources:
            self.scale(source, min(source.want, keep))
            keep = max(0, keep - source.want)
        return self._enough(healthy, desired)

    def _enough(self, healthy: int, desired: int) -> bool:
        gone = all(not source.want and self.empty(source) for source in self.sources)
        early: dict[str, Any] = self.deployment.configuration.get("earlySuccessCriteria", {})
        if not early.get("enable"):
            return healthy >= desired and gone
        wanted = math.ceil(desired * early["healthyPercent"] / 100)
        deferred = early.get("sourceServiceRevisionCleanup") == "DEFERRED"
        return healthy >= wanted and (deferred or gone)
