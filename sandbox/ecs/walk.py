"""One deployment's way forward: a list of moves, of which it remembers how many are done."""

from __future__ import annotations

import asyncio
import math
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from typing import Any

from sandbox import clock
from sandbox.ecs import breaker, hooks, reasons
from sandbox.ecs.account import Account
from sandbox.ecs.model import Deployment, Hook, Revision, Service, now
from sandbox.ecs.scheduler import Scheduler
from sandbox.load_balancers import LoadBalancers
from sandbox.settings import Settings

PERIOD = 0.05

# One step of a walk. It may be begun again after a restart, so doing it twice must do no harm.
Move = Callable[[], Awaitable[None]]


class RollBack(Exception):
    """This deployment must go back; the message is the reason, `cause` what is behind it."""

    def __init__(self, reason: str, cause: str = "") -> None:
        super().__init__(reason)
        self.cause = cause


class Halted(Exception):
    """This deployment failed and may not go back: it stops where it is."""


class Walk(ABC):
    """What rolling and blue/green deployments have in common."""

    def __init__(
        self,
        deployment: Deployment,
        account: Account,
        scheduler: Scheduler,
        balancers: LoadBalancers,
        settings: Settings,
    ) -> None:
        self.deployment = deployment
        self.service: Service = account.service_of(deployment)
        self.target: Revision = account.revisions[deployment.target]
        self.sources = [account.revisions[arn] for arn in deployment.sources]
        self.account = account
        self.scheduler = scheduler
        self.balancers = balancers
        self.settings = settings

    @abstractmethod
    def moves(self) -> Sequence[Move]:
        """All moves of this deployment in order, the same whenever it is asked."""

    async def forward(self) -> None:
        """Make the moves that are not made yet; raises RollBack or Halted."""
        if self.deployment.position:
            await self._tasks_are_back()
        moves = self.moves()
        while self.deployment.position < len(moves):
            await moves[self.deployment.position]()
            self.note(position=self.deployment.position + 1, bake_until=None)

    async def _tasks_are_back(self) -> None:
        """After a restart, go on when the tasks run that ran before."""
        await self.until(self._as_before, self.settings.scale_up_seconds)

    def _as_before(self) -> bool:
        # A hook may have expired meanwhile; that need not wait for the tasks.
        if hooks.expire(self.deployment.hooks):
            self.note()
        return all(self.ready(revision) for revision in (self.target, *self.sources))

    # -- small steps -----------------------------------------------------------------------------

    def note(self, *others: Service, **changes: Any) -> None:
        """Change the deployment and save it, together with others."""
        for name, value in changes.items():
            setattr(self.deployment, name, value)
        self.deployment.updated_at = now()
        self.account.save(self.deployment, self.target, *self.sources, *others)

    async def stage(self, name: str) -> None:
        """Enter a stage. It lasts a moment, so that whoever polls can see it."""
        self.note(stage=name)
        await asyncio.sleep(min(0.2, self.settings.minutes(0.1)))

    def lasting(self, minutes: float) -> timedelta:
        """How much sandbox time so many deployment minutes are."""
        return timedelta(seconds=self.settings.minutes(minutes) * clock.rate())

    async def bake(self, minutes: float) -> None:
        """Wait for deployment minutes; the end is written down, so a restart does not move it."""
        if self.deployment.bake_until is None:
            self.note(bake_until=now() + self.lasting(minutes))
        end = self.deployment.bake_until
        await self.until(lambda: end is None or now() >= end)

    async def until(self, reached: Callable[[], bool], seconds: float = math.inf) -> bool:
        """Wait until `reached()`; False when so many real seconds have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not reached():
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(PERIOD)
        return True

    def ready(self, revision: Revision) -> bool:
        """Whether the revision has as many healthy tasks as it wants."""
        return self.scheduler.healthy(revision) >= revision.want

    def empty(self, revision: Revision) -> bool:
        """Whether the revision has no task left."""
        return not self.account.remaining_tasks(revision)

    def scale(self, revision: Revision, count: int) -> None:
        """Let the scheduler bring a revision to `count` tasks."""
        if revision.want != count:
            revision.want = count
            self.account.save(revision)

    async def shift(self, percent: float) -> None:
        """Send `percent` of the production traffic to the target revision, at once."""
        self.target.production_weight = percent
        for source in self.sources:
            source.production_weight = 100.0 - percent
        await self._move(self.target.rule, percent)
        self.note()

    async def shift_test(self, percent: float) -> None:
        """Send `percent` of the test traffic to the target revision, at once.

        Between deployments there is no test traffic to tell of; its rule stays where production
        is.
        """
        self.target.test_weight = percent
        for source in self.sources:
            source.test_weight = 0.0
        await self._move(self.target.test_rule, percent)
        self.note()

    async def _move(self, rule: str | None, percent: float) -> None:
        # A rule that is gone by now carries no traffic.
        if rule is None or rule not in self.balancers.rules or self.target.target_group is None:
            return
        weights = {r.target_group: 100.0 - percent for r in self.sources if r.target_group}
        await self.balancers.set_weights(rule, weights | {self.target.target_group: percent})

    # -- hooks -----------------------------------------------------------------------------------

    async def pause(self, name: str) -> None:
        """Wait for the PAUSE hooks of a stage; raises RollBack when one of them says so."""
        invoked = hooks.invoke(self.deployment, name, self.lasting)
        self.note()
        await self.until(lambda: self._ended(invoked))
        if any(hook.status == "FAILED" for hook in invoked):
            raise RollBack(reasons.hook_failed(name))
        if any(hooks.rolls_back(hook) for hook in invoked):
            raise RollBack(reasons.hook_timed_out(name))

    def _ended(self, invoked: Sequence[Hook]) -> bool:
        if hooks.expire(invoked):
            self.note()
        # One rejection is enough; the others are closed by the rollback.
        rejected = any(hooks.rolls_back(hook) for hook in invoked)
        return rejected or not any(hook.waits for hook in invoked)

    # -- the circuit breaker ---------------------------------------------------------------------

    def broken(self) -> bool:
        """Count failed tasks; raises RollBack or Halted when they are too many.

        True for a rolling deployment that has nothing to return to: it stalls.
        """
        configured = breaker.configured(self.deployment)
        failed = breaker.failures(configured, self.target)
        limit = breaker.threshold(configured, self.service.desired)
        if (failed, limit) != (self.deployment.failed_tasks, self.deployment.threshold):
            self.note(failed_tasks=failed, threshold=limit)
        tripped = breaker.trips(configured, failed, self.service.desired)
        return (tripped or self.deployment.breaker_tripped) and self._trip(configured)

    def _trip(self, configured: dict[str, Any]) -> bool:
        self.scale(self.target, self.scheduler.healthy(self.target))
        self.note(breaker_tripped=True, status_reason=reasons.BREAKER)
        if not configured.get("rollback"):
            raise Halted(reasons.BREAKER)
        if self.service.active or self.deployment.strategy != "ROLLING":
            raise RollBack(reasons.BREAKER, self.target.last_failure)
        return True
