"""BLUE_GREEN, CANARY and LINEAR: the green revision scales up fully before traffic moves."""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

from sandbox.ecs import listener_rules, reasons
from sandbox.ecs.walk import Move, RollBack, Walk


class BlueGreen(Walk):
    """The stages of ECS's native blue/green family."""

    def moves(self) -> list[Move]:
        """Stage by stage; each step of the traffic has its pause, its shift and its bake."""
        steps = [move for step in self.steps() for move in self._step(*step)]
        return [
            *(() if self._alone() else (self._reconcile, self._at("RECONCILE_SERVICE"))),
            self._begin,
            self._scale_up,
            self._at("POST_SCALE_UP"),
            self._test_traffic,
            self._at("POST_TEST_TRAFFIC_SHIFT"),
            *steps,
            self._at("POST_PRODUCTION_TRAFFIC_SHIFT"),
            partial(self.stage, "BAKE_TIME"),
            partial(self.bake, self._bake_minutes()),
            self._clean_up,
        ]

    def _at(self, stage: str) -> Move:
        async def enter() -> None:
            await self.stage(stage)
            await self.pause(stage)

        return enter

    def _step(self, percent: float, minutes: float) -> list[Move]:
        return [
            self._at("PRE_PRODUCTION_TRAFFIC_SHIFT"),
            partial(self._shift_production, percent),
            partial(self.bake, minutes),
        ]

    # -- the stages ------------------------------------------------------------------------------

    def _alone(self) -> bool:
        """Whether the deployment found at most one revision in use when it was created."""
        return not self.deployment.reconciles

    async def _reconcile(self) -> None:
        """Bring the service to one revision, the one that was steady last."""
        await self.stage("RECONCILE_SERVICE")
        known = {self.target.arn, *self.deployment.sources}
        others = [r for r in self.account.current_revisions(self.service) if r.arn not in known]
        if self.sources:
            await self.shift(0.0)
        for other in others:
            other.production_weight = other.test_weight = 0.0
            self.scale(other, 0)
        await self.until(lambda: all(self.empty(other) for other in others))

    async def _begin(self) -> None:
        """Raises RollBack when the listener rules are not as ECS needs them."""
        rules = {arn: rule.weights for arn, rule in self.balancers.rules.items()}
        for balancer in self.target.settings.get("loadBalancers", []):
            if trouble := listener_rules.trouble(balancer, rules):
                raise RollBack(reasons.network(trouble))
        await self._at("PRE_SCALE_UP")()

    async def _scale_up(self) -> None:
        await self.stage("SCALE_UP")
        self.scale(self.target, self.service.desired)
        # Processes start in real time however short a minute is. A first deployment may take its
        # time: there is nothing to go back to.
        limit = self.settings.scale_up_seconds if self.sources else math.inf
        if not await self.until(lambda: self.broken() or self.ready(self.target), limit):
            cause = self.scheduler.trouble(self.target)
            raise RollBack(reasons.stage_timed_out("SCALE_UP"), cause)

    async def _test_traffic(self) -> None:
        await self.stage("TEST_TRAFFIC_SHIFT")
        await self.shift_test(100.0)

    async def _shift_production(self, percent: float) -> None:
        await self.stage("PRODUCTION_TRAFFIC_SHIFT")
        await self.shift(percent)

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
        await self.stage("CLEAN_UP")
        for source in self.sources:
            self.scale(source, 0)
        await self.until(lambda: all(self.empty(source) for source in self.sources))
        self.target.test_weight = 0.0
