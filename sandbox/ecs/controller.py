"""Starts, supersedes, stops and resumes deployments, and takes them up again after a restart."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial

from sandbox.ecs import alarms, going_back, hooks, reasons, revisions
from sandbox.ecs.account import Account
from sandbox.ecs.alarms import InAlarm
from sandbox.ecs.blue_green import BlueGreen
from sandbox.ecs.model import ROLLING_BACK, Deployment, Revision, Service, TaskDefinition, now
from sandbox.ecs.rolling import Rolling
from sandbox.ecs.scheduler import Scheduler, short
from sandbox.ecs.walk import Halted, RollBack, Walk
from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers, Rule
from sandbox.settings import Settings

log = logging.getLogger("sandbox.ecs")

# How often a rollback that breaks inside the sandbox is begun, and the seconds in between.
ATTEMPTS, ATTEMPT_PAUSE = 3, 1.0


class Controller:
    """One running walk per service at most; a new deployment waits for the old one's rollback."""

    def __init__(
        self,
        account: Account,
        scheduler: Scheduler,
        balancers: LoadBalancers,
        settings: Settings,
        in_alarm: InAlarm,
    ) -> None:
        self.balancers = balancers
        self._in_alarm = in_alarm
        self._account = account
        self._scheduler = scheduler
        self._settings = settings
        scheduler.seconds_per_minute = settings.seconds_per_minute
        self._forward: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}

    # -- starting --------------------------------------------------------------------------------

    def start(self, service: Service, definition: TaskDefinition) -> Deployment:
        """Begin to deploy `definition`; a deployment in flight is rolled back first."""
        earlier = self._account.in_flight(service)
        for each in earlier:
            self._turn_back(each, reasons.SUPERSEDED)
        used = self._account.current_revisions(service)
        target = revisions.new(self._account, service, definition)
        # What an earlier deployment left running is replaced with the rest.
        left = [] if earlier else [r.arn for r in used if r.arn != service.active]
        reconciles = bool(earlier) or len(used) > 1
        deployment = revisions.deployment(service, target, left, reconciles=reconciles)
        service.deployment, service.task_definition = deployment.arn, definition.arn
        self._account.save(target, deployment, service)
        self._launch(deployment, earlier[-1] if earlier else None)
        return deployment

    def _launch(self, deployment: Deployment, earlier: Deployment | None) -> None:
        before = self._runs.get(earlier.arn) if earlier else None
        job = self._runs[deployment.arn] = asyncio.create_task(self._run(deployment, before))
        job.add_done_callback(partial(self._ended, deployment.arn))

    def _ended(self, arn: str, job: asyncio.Task[None]) -> None:
        if self._runs.get(arn) is job:
            del self._runs[arn]
        if not job.cancelled() and job.exception():
            log.error("deployment %s goes on at the next start", arn, exc_info=job.exception())

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, deployment: Deployment, before: asyncio.Task[None] | None) -> None:
        kind = Rolling if deployment.strategy == "ROLLING" else BlueGreen
        walk = kind(deployment, self._account, self._scheduler, self.balancers, self._settings)
        if deployment.status == "PENDING":
            walk.note(status="IN_PROGRESS", started_at=now(), stage=_first_stage(deployment))
        if before is not None:
            await asyncio.wait([before])
        if deployment.status not in ROLLING_BACK:
            await self._go(walk)
        await self._conclude(walk)

    async def _go(self, walk: Walk) -> None:
        arn = walk.deployment.arn
        forward = self._forward[arn] = asyncio.create_task(walk.forward())
        watching = asyncio.create_task(self._watch_alarms(walk, forward))
        try:
            await asyncio.wait([forward])
        finally:
            watching.cancel()

    async def _watch_alarms(self, walk: Walk, forward: asyncio.Task[None]) -> None:
        reason = await alarms.wait_for_alarm(walk.deployment, self._in_alarm, walk.note)
        if reason and alarms.rolls_back(walk.deployment):
            self._turn_back(walk.deployment, reason)
        elif reason:
            walk.deployment.status_reason = reason
            forward.cancel()

    async def _conclude(self, walk: Walk) -> None:
        try:
            self._result(walk)
        except RollBack as reason:
            await self._back(walk, str(reason), reason.cause)
        except Halted as reason:
            self._tell_failure(walk, str(reason))
            hooks.close(walk.deployment)
            said, at = reasons.halted(str(reason)), now()
            walk.note(status="STOPPED", status_reason=said, finished_at=at, stopped_at=at)
        except Exception:
            log.exception("deployment %s failed inside the sandbox", walk.deployment.arn)
            await self._back(walk, "The sandbox failed; see its log.", "")
        else:
            self._succeed(walk)
            self._tell(walk, walk.target, "deployment completed.")

    async def _back(self, walk: Walk, reason: str, cause: str) -> None:
        origin = self._account.active_revision(walk.service)
        # After a restart it goes on with a rollback that was told of already.
        if walk.deployment.rollback is None:
            self._tell_failure(walk, reason)
            if origin:
                text = f"(service {walk.service.name}) rolling back to deployment {short(origin)}."
                self._account.event(walk.service, text)
        alarms_ringing = ", ".join(walk.deployment.triggered_alarms)
        await self._until_back(walk, reason, cause or alarms_ringing)
        if origin and walk.deployment.status == "ROLLBACK_SUCCESSFUL":
            self._tell(walk, origin, "deployment completed.")

    async def _until_back(self, walk: Walk, reason: str, cause: str) -> None:
        """Once more when it breaks: a deployment that never ends would hold all that follow."""
        for _ in range(ATTEMPTS):
            try:
                await going_back.back(walk, reason, cause)
            except Exception:
                log.exception("the rollback of %s broke", walk.deployment.arn)
                await asyncio.sleep(ATTEMPT_PAUSE)
            else:
                return
        walk.note(status="ROLLBACK_FAILED", finished_at=now())

    def _tell_failure(self, walk: Walk, reason: str) -> None:
        self._tell(walk, walk.target, f"deployment failed: {reasons.event(reason)}")

    def _result(self, walk: Walk) -> None:
        """Nothing when the walk came to its end; raises RollBack or Halted, or what broke it."""
        forward = self._forward.pop(walk.deployment.arn, None)
        # The request to roll back may have come when the last step was just done.
        if forward is None or walk.deployment.status in ROLLING_BACK:
            raise RollBack(walk.deployment.status_reason)
        if forward.cancelled():
            raise Halted(walk.deployment.status_reason)
        forward.result()

    def _succeed(self, walk: Walk) -> None:
        walk.service.active = walk.target.arn
        # With the deployment, all or nothing: a success that the service knows nothing of would
        # send the next rollback to the revision before.
        walk.note(walk.service, status="SUCCESSFUL", finished_at=now())

    def _tell(self, walk: Walk, revision: Revision, text: str) -> None:
        name = f"(service {walk.service.name}) (deployment {short(revision)})"
        self._account.event(walk.service, f"{name} {text}")

    # -- what operators do -----------------------------------------------------------------------

    def resume(self, deployment: Deployment, hook_id: str, action: str) -> None:
        """Answer a PAUSE hook; raises InvalidParameterException when it does not wait.

        The answer is on disk before this returns. One that comes too late changes nothing, even
        when the walk has not come to look at the time, as after a restart.
        """
        if hooks.expire(deployment.hooks):
            self._account.save(deployment)
        hooks.answer(deployment, hook_id, action)
        deployment.updated_at = now()
        self._account.save(deployment)

    def expire_hooks(self, service_name: str | None) -> int:
        """Let every waiting PAUSE hook (of the services of that name) expire now; how many."""
        count = 0
        for deployment in self._account.deployments.values():
            name = self._account.service_of(deployment).name if deployment.in_flight else None
            if name is None or service_name not in (None, name):
                continue
            waiting = [hook for hook in deployment.hooks if hook.waits]
            for hook in waiting:
                hook.expires_at = now() - timedelta(milliseconds=1)
            self._account.save(deployment)
            count += len(waiting)
        return count

    def stop(self, deployment: Deployment) -> None:
        """Roll back; raises ConflictException when the deployment is over.

        A deployment that rolls back already just continues to.
        """
        if not deployment.in_flight:
            message = f"The service deployment is already {deployment.status} and can't be stopped."
            raise AwsError("ConflictException", message)
        if deployment.status not in ROLLING_BACK:
            deployment.stopped_at = now()
            self._turn_back(deployment, reasons.STOPPED)

    def _turn_back(self, deployment: Deployment, reason: str) -> None:
        if deployment.status in ROLLING_BACK:
            return
        deployment.status, deployment.status_reason = "ROLLBACK_REQUESTED", reason
        deployment.updated_at = now()
        self._account.save(deployment)
        forward = self._forward.get(deployment.arn)
        if forward is not None:
            forward.cancel()

    def scale(self, service: Service, desired: int) -> None:
        """Change the desired count of the service and of the revisions that follow it."""
        service.desired = desired
        following = revisions.following(self._account, service)
        for revision in following:
            revision.want = desired
        self._account.save(service, *following)

    def end(self, service: Service) -> None:
        """A deleted service deploys nothing any more and wants no task."""
        for deployment in self._account.in_flight(service):
            for job in (
                self._runs.pop(deployment.arn, None),
                self._forward.pop(deployment.arn, None),
            ):
                if job is not None:
                    job.cancel()
            hooks.close(deployment)
            deployment.status, deployment.status_reason = "STOPPED", reasons.SERVICE_DELETED
            deployment.stopped_at = deployment.finished_at = now()
            self._account.save(deployment)
        for revision in self._account.current_revisions(service):
            revision.want = 0
            self._account.save(revision)

    # -- restart ---------------------------------------------------------------------------------

    def settle(self, service: Service) -> None:
        """Take the service as one that has run for long: its first deployment is long over.

        To be followed by `recover`, which starts its tasks. The deployment that CreateService
        began is not walked, so a release that comes at once has a revision to return to.
        """
        deployment = self._account.current_deployment(service)
        if deployment is None:
            return
        self._runs.pop(deployment.arn).cancel()
        deployment.status, deployment.listed = "SUCCESSFUL", False
        deployment.started_at = deployment.finished_at = now()
        service.active = deployment.target
        active = self._account.revisions[deployment.target]
        active.want, active.production_weight = service.desired, 100.0
        self._account.save(deployment, service, active)

    async def recover(self) -> None:
        """Bring back what ran: the traffic, the tasks, and every deployment in flight."""
        self._account.lose_tasks()
        await self._restore_weights()
        self.balancers.remember = self._remember
        for service in list(self._account.services.values()):
            earlier: Deployment | None = None
            for deployment in self._account.in_flight(service):
                self._launch(deployment, earlier)
                earlier = deployment

    async def _restore_weights(self) -> None:
        """Weights as they were, even when something else than a deployment had moved them."""
        kept = self._account.kept_weights()
        for rule in self.balancers.rules:
            weights = kept.get(rule) or self._weights_of_before(rule)
            if weights:
                await self.balancers.replace_weights(rule, weights)

    def _weights_of_before(self, rule: str) -> dict[str, float]:
        """Homes of before weights were kept: what runs behind the rule gets the traffic."""
        running = [self._account.active_revision(s) for s in self._account.services.values()]
        serving = {r.target_group for r in running if r and r.rule == rule}
        groups = self.balancers.rules[rule].weights
        return {g: 100.0 if g in serving else 0.0 for g in groups} if serving else {}

    def _remember(self, rule: Rule) -> None:
        self._account.keep_weights(rule.arn, dict(rule.weights))

    def cancel(self) -> None:
        """Stop walking; on disk it stays in flight, and the next start goes on with it."""
        for task in (*self._runs.values(), *self._forward.values()):
            task.cancel()


def _first_stage(deployment: Deployment) -> str | None:
    blue_green = deployment.strategy != "ROLLING"
    return "RECONCILE_SERVICE" if blue_green and deployment.reconciles else None
