"""One deployment's way through ECS's lifecycle stages, and the way back."""

from __future__ import annotations

import asyncio
import base64
import math
import secrets
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import Deployment, Hook, Revision, Service, now
from sandbox.ecs.scheduler import Scheduler
from sandbox.load_balancers import LoadBalancers
from sandbox.settings import Settings

# How many times the scale-up limit a rollback may take before it counts as failed.
PATIENCE = 5


class RollBack(Exception):
    """This deployment must go back; the message is the reason."""


class Walk:
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
        self._actions: dict[str, asyncio.Future[str]] = {}

    async def forward(self) -> None:
        """Walk to the end; raises RollBack when the deployment fails."""
        raise NotImplementedError

    # -- small steps -----------------------------------------------------------------------------

    def note(self, **changes: Any) -> None:
        """Change the deployment and save it."""
        for name, value in changes.items():
            setattr(self.deployment, name, value)
        self.deployment.updated_at = now()
        self.account.save(self.deployment, self.target, *self.sources)

    async def stage(self, name: str) -> None:
        """Enter a stage. It lasts a moment, so that whoever polls can see it."""
        self.note(stage=name)
        await asyncio.sleep(min(0.2, self.settings.minutes(0.1)))

    async def bake(self, minutes: float) -> None:
        """Wait for deployment minutes."""
        await asyncio.sleep(self.settings.minutes(minutes))

    async def until(self, reached: Callable[[], bool], seconds: float = math.inf) -> bool:
        """Wait until `reached()`; False when `seconds` have passed."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + seconds
        while not reached():
            if loop.time() >= deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    def ready(self, revision: Revision) -> bool:
        """Whether the revision has as many healthy tasks as it wants."""
        return self.scheduler.healthy(revision) >= revision.want

    def empty(self, revision: Revision) -> bool:
        """Whether the revision has no task left."""
        return not self.account.remaining_tasks(revision)

    def scale(self, revision: Revision, count: int) -> None:
        """Let the scheduler bring a revision to `count` tasks."""
        revision.want = count
        self.account.save(revision)

    async def shift(self, percent: float) -> None:
        """Send `percent` of the production traffic to the target revision, at once."""
        self.target.production_weight = percent
        for source in self.sources:
            source.production_weight = 100.0 - percent
        weights = {r.target_group: 100.0 - percent for r in self.sources if r.target_group}
        if self.target.rule and self.target.target_group:
            weights[self.target.target_group] = percent
            await self.balancers.set_weights(self.target.rule, weights)
        self.note()

    # -- hooks -----------------------------------------------------------------------------------

    async def hooks(self, name: str) -> None:
        """Enter a stage and wait for its PAUSE hooks; raises RollBack when one says so."""
        configured = self.deployment.configuration.get("lifecycleHooks", [])
        waiting = [
            self._invoke(hook, name) for hook in configured if name in hook["lifecycleStages"]
        ]
        await self.stage(name)
        answers = await asyncio.gather(*(self._wait(hook) for hook in waiting))
        if "ROLLBACK" in answers:
            raise RollBack(f"A lifecycle hook at {name} asked to roll back.")

    def _invoke(self, configured: dict[str, Any], stage: str) -> Hook:
        timeout = configured.get("timeoutConfiguration", {})
        minutes = timeout.get("timeoutInMinutes", 1440)
        unique = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
        hook = Hook(
            hook_id=f"ecs-pause-{unique}",
            stage=stage,
            status="AWAITING_ACTION",
            expires_at=now() + timedelta(seconds=self.settings.minutes(minutes)),
            timeout_action=timeout.get("action", "ROLLBACK"),
        )
        # Hooks of earlier stages and steps stay visible with their outcome.
        self.deployment.hooks.append(hook)
        self._actions[hook.hook_id] = asyncio.get_running_loop().create_future()
        return hook

    async def _wait(self, hook: Hook) -> str:
        remaining = (hook.expires_at - now()).total_seconds()
        try:
            action = await asyncio.wait_for(self._actions[hook.hook_id], max(remaining, 0))
        except TimeoutError:
            action, hook.status = hook.timeout_action, "TIMED_OUT"
        self.note()
        return action

    def resolve(self, hook_id: str, action: str) -> bool:
        """Answer a waiting hook; False when it does not wait (any more)."""
        future = self._actions.get(hook_id)
        if future is None or future.done():
            return False
        future.set_result(action)
        for hook in self.deployment.hooks:
            if hook.hook_id == hook_id:
                hook.status = "SUCCEEDED" if action == "CONTINUE" else "FAILED"
        return True

    def close_hooks(self) -> None:
        """A rollback ends every pause."""
        for hook in self.deployment.hooks:
            if hook.status == "AWAITING_ACTION":
                hook.status = "FAILED"

    # -- back ------------------------------------------------------------------------------------

    async def back(self, reason: str) -> None:
        """Return to the source revision: traffic first, then the tasks."""
        self.close_hooks()
        source = self.sources[0] if self.sources else None
        self.note(
            status="ROLLBACK_IN_PROGRESS",
            status_reason=reason,
            rollback={
                "reason": reason,
                "startedAt": now(),
                "serviceRevisionArn": source.arn if source else self.target.arn,
            },
        )
        if source is None:
            await self._back_to_nothing(reason)
            return
        self.service.task_definition = source.task_definition
        self.note(status=await self._restore(source), finished_at=now())

    async def _restore(self, source: Revision) -> str:
        """Bring the source back and the target to an end; the deployment's last status."""
        patience = PATIENCE * self.settings.scale_up_seconds
        in_time = await self._return_traffic(source, patience)
        self.scale(source, self.service.desired)
        self.scale(self.target, 0)
        in_time &= await self.until(
            lambda: self.empty(self.target) and self.ready(source), patience
        )
        return "ROLLBACK_SUCCESSFUL" if in_time else "ROLLBACK_FAILED"

    async def _return_traffic(self, source: Revision, patience: float) -> bool:
        """Flip at once while the source still runs; after clean-up began it must scale up first."""
        in_time = True
        if self.deployment.stage == "CLEAN_UP" or self.scheduler.healthy(source) == 0:
            self.scale(source, self.service.desired)
            in_time = await self.until(lambda: self.ready(source), patience)
        if self.target.target_group != source.target_group:
            await self.shift(0.0)
        return in_time

    async def _back_to_nothing(self, reason: str) -> None:
        self.scale(self.target, 0)
        await self.until(lambda: self.empty(self.target))
        text = f"{reason} There is no earlier service revision to roll back to."
        self.note(status="ROLLBACK_FAILED", status_reason=text, finished_at=now())
