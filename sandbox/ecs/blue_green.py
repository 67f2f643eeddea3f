"""BLUE_GREEN, CANARY and LINEAR: the green revision scales up fully before traffic moves."""

from __future__ import annotations

import math
from collections.abc import Iterator

from sandbox.ecs.model import now
from sandbox.ecs.walk import RollBack, Walk


class BlueGreen(Walk):
    """The stages of ECS's native blue/green family."""

    async def forward(self) -> None:
        """Walk every stage; raises RollBack."""
        await self.hooks("RECONCILE_SERVICE")
        await self._scale_up()
        await self._test_traffic()
        await self._production_traffic()
        await self.hooks("POST_PRODUCTION_TRAFFIC_SHIFT")
        await self.stage("BAKE_TIME")
        await self.bake(self._bake_minutes())
        await self.stage("CLEAN_UP")
        await self._clean_up()

    async def _scale_up(self) -> None:
        await self.hooks("PRE_SCALE_UP")
        await self.stage("SCALE_UP")
        self.scale(self.target, self.service.desired)
        # Processes start in real time however short a minute is. A first deployment may take its
        # time: there is nothing to go back to.
        limit = self.settings.scale_up_seconds if self.sources else math.inf
        if not await self.until(lambda: self.ready(self.target), limit):
            self.deployment.failed_tasks = self.target.failures
            cause = self.target.last_failure or "tasks did not become healthy"
            raise RollBack(f"The service revision did not reach a steady state in time: {cause}")
        await self.hooks("POST_SCALE_UP")

    async def _test_traffic(self) -> None:
        await self.stage("TEST_TRAFFIC_SHIFT")
        self.target.test_weight = 100.0
        await self.hooks("POST_TEST_TRAFFIC_SHIFT")

    async def _production_traffic(self) -> None:
        """Each step: its pause first, then the shift, then the step's own bake."""
        for percent, minutes in self.steps():
            await self.hooks("PRE_PRODUCTION_TRAFFIC_SHIFT")
            await self.stage("PRODUCTION_TRAFFIC_SHIFT")
            await self.shift(percent)
            await self.bake(minutes)

    def steps(self) -> Iterator[tuple[float, float]]:
        """Percent of traffic and deployment minutes to bake, step by step up to 100."""
        configuration = self.deployment.configuration
        # A first deployment has nobody to share the traffic with.
        strategy = self.deployment.strategy if self.sources else "BLUE_GREEN"
        if strategy == "CANARY":
            canary = configuration.get("canaryConfiguration", {})
            percent = float(canary.get("canaryPercent", 5.0))
            if percent < 100:
                yield percent, canary.get("canaryBakeTimeInMinutes", 10)
        if strategy == "LINEAR":
            linear = configuration.get("linearConfiguration", {})
            step = float(linear.get("stepPercent", 10.0))
            minutes = linear.get("stepBakeTimeInMinutes", 6)
            percent = step
            while percent < 100:
                yield round(percent, 1), minutes
                percent += step
        yield 100.0, 0

    def _bake_minutes(self) -> float:
        return (
            float(self.deployment.configuration.get("bakeTimeInMinutes", 0)) if self.sources else 0
        )

    async def _clean_up(self) -> None:
        for source in self.sources:
            self.scale(source, 0)
        await self.until(lambda: all(self.empty(source) for source in self.sources))
        self.target.test_weight = 0.0
        self.note(finished_at=now())
