"""Starts, supersedes, stops and resumes deployments."""

from __future__ import annotations

import asyncio
import logging
import secrets
import string
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.alarms import InAlarm, wait_for_alarm
from sandbox.ecs.blue_green import BlueGreen
from sandbox.ecs.model import ROLLING_BACK, Deployment, Revision, Service, TaskDefinition, now
from sandbox.ecs.rolling import BreakerTripped, Rolling
from sandbox.ecs.scheduler import Scheduler
from sandbox.ecs.walk import RollBack, Walk
from sandbox.errors import AwsError
from sandbox.images import CannotPull, resolve
from sandbox.load_balancers import LoadBalancers
from sandbox.names import ecs_arn
from sandbox.settings import Settings

log = logging.getLogger("sandbox.ecs")

_ALPHABET = string.ascii_letters + string.digits


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
        self._in_alarm = in_alarm
        self._account = account
        self._scheduler = scheduler
        self._balancers = balancers
        self._settings = settings
        self._walks: dict[str, Walk] = {}
        self._forward: dict[str, asyncio.Task[None]] = {}
        self._runs: dict[str, asyncio.Task[None]] = {}

    # -- starting --------------------------------------------------------------------------------

    def start(self, service: Service, definition: TaskDefinition) -> Deployment:
        """Begin to deploy `definition`; a deployment in flight is rolled back first."""
        earlier = self._account.current_deployment(service)
        if earlier and earlier.in_flight:
            self._turn_back(earlier, "Superseded by a newer deployment of the service.")
        target = self._new_revision(service, definition)
        deployment = Deployment(
            arn=ecs_arn("service-deployment", service.cluster, service.name, _short_id()),
            service_arn=service.arn,
            cluster_arn=service.cluster_arn,
            sources=[service.active] if service.active else [],
            target=target.arn,
            configuration=dict(service.configuration),
            created_at=now(),
        )
        service.deployment, service.task_definition = deployment.arn, definition.arn
        self._account.save(target, deployment, service)
        before = self._runs.get(earlier.arn) if earlier else None
        run = asyncio.create_task(self._run(deployment, before))
        self._runs[deployment.arn] = run
        return deployment

    def _new_revision(self, service: Service, definition: TaskDefinition) -> Revision:
        group, rule = self._destination(service)
        name = str(secrets.randbelow(9 * 10**18) + 10**18)
        return Revision(
            arn=ecs_arn("service-revision", service.cluster, service.name, name),
            service_arn=service.arn,
            cluster_arn=service.cluster_arn,
            task_definition=definition.arn,
            target_group=group,
            rule=rule,
            images=[_image(container) for container in definition.body["containerDefinitions"]],
            created_at=now(),
            settings=dict(service.settings),
        )

    def _destination(self, service: Service) -> tuple[str | None, str | None]:
        """The target group and rule of the next revision: the two groups take turns."""
        if not service.load_balancers:
            return None, None
        balancer = service.load_balancers[0]
        first = balancer["targetGroupArn"]
        advanced = balancer.get("advancedConfiguration", {})
        rule = advanced.get("productionListenerRule")
        active = self._account.active_revision(service)
        if service.configuration.get("strategy", "ROLLING") == "ROLLING":
            return (active.target_group if active else first), rule
        other = advanced.get("alternateTargetGroupArn", first)
        return (other if active and active.target_group == first else first), rule

    # -- running ---------------------------------------------------------------------------------

    async def _run(self, deployment: Deployment, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        kind = Rolling if deployment.strategy == "ROLLING" else BlueGreen
        walk = kind(deployment, self._account, self._scheduler, self._balancers, self._settings)
        self._walks[deployment.arn] = walk
        if deployment.status == "PENDING":
            walk.note(status="IN_PROGRESS", started_at=now())
            forward = self._forward[deployment.arn] = asyncio.create_task(walk.forward())
            watching = asyncio.create_task(self._watch_alarms(deployment))
            await asyncio.wait([forward])
            watching.cancel()
        await self._conclude(walk)
        self._walks.pop(deployment.arn, None)

    async def _watch_alarms(self, deployment: Deployment) -> None:
        reason = await wait_for_alarm(deployment, self._in_alarm)
        if reason:
            self._turn_back(deployment, reason)

    async def _conclude(self, walk: Walk) -> None:
        forward = self._forward.pop(walk.deployment.arn, None)
        try:
            # The request to roll back may have come when the last step was just done.
            if forward is None or forward.cancelled() or walk.deployment.status in ROLLING_BACK:
                raise RollBack(walk.deployment.status_reason)
            forward.result()
        except RollBack as reason:
            await walk.back(str(reason))
        except BreakerTripped as reason:
            walk.scale(walk.target, 0)
            walk.note(
                status="STOPPED", status_reason=str(reason), finished_at=now(), stopped_at=now()
            )
        except Exception:
            log.exception("deployment %s failed inside the sandbox", walk.deployment.arn)
            await walk.back("The sandbox failed; see its log.")
        else:
            self._succeed(walk)
        self._account.event(walk.service, self._ending(walk))

    def _succeed(self, walk: Walk) -> None:
        walk.service.active = walk.target.arn
        walk.note(status="SUCCESSFUL", finished_at=now())
        self._account.save(walk.service)

    def _ending(self, walk: Walk) -> str:
        name = f"(deployment ecs-svc/{walk.target.arn.rsplit('/', 1)[-1]})"
        done = walk.deployment.status == "SUCCESSFUL"
        outcome = "completed" if done else f"failed: {walk.deployment.status_reason}"
        return f"(service {walk.service.name}) {name} deployment {outcome}."

    # -- what operators do -----------------------------------------------------------------------

    def resume(self, deployment: Deployment, hook_id: str, action: str) -> None:
        """Answer a PAUSE hook; raises InvalidParameterException when it does not wait."""
        walk = self._walks.get(deployment.arn)
        if walk is None or not walk.resolve(hook_id, action):
            message = "The specified lifecycle hook is not awaiting an action."
            raise AwsError("InvalidParameterException", message)

    def stop(self, deployment: Deployment) -> None:
        """Roll back; raises ConflictException when the deployment is over.

        A deployment that rolls back already just continues to.
        """
        if not deployment.in_flight:
            message = f"The service deployment is already {deployment.status} and can't be stopped."
            raise AwsError("ConflictException", message)
        if deployment.status not in ROLLING_BACK:
            self._turn_back(deployment, "Rollback requested by StopServiceDeployment.")

    def _turn_back(self, deployment: Deployment, reason: str) -> None:
        if deployment.status in ROLLING_BACK:
            return
        deployment.status, deployment.status_reason = "ROLLBACK_REQUESTED", reason
        deployment.stopped_at = deployment.updated_at = now()
        self._account.save(deployment)
        forward = self._forward.get(deployment.arn)
        if forward is not None:
            forward.cancel()

    def scale(self, service: Service, desired: int) -> None:
        """Change the desired count of the service and of every revision that is scaled up."""
        service.desired = desired
        deployment = self._account.current_deployment(service)
        revisions = [self._account.active_revision(service)]
        if deployment and deployment.in_flight and deployment.strategy != "ROLLING":
            revisions.append(self._account.revisions[deployment.target])
        for revision in revisions:
            if revision and (revision.want or revision.arn == service.active):
                revision.want = desired
                self._account.save(revision)
        self._account.save(service)

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
        self._account.save(deployment, service)

    async def recover(self) -> None:
        """Bring services back as they ran; a deployment cut off by the stop is rolled back."""
        for service in self._account.services.values():
            self._forget_interrupted(service)
            active = self._account.active_revision(service)
            for revision in self._account.revisions.values():
                if revision.service_arn == service.arn:
                    revision.want = 0
            if active:
                active.want, active.failures = service.desired, 0
                active.production_weight = 100.0
                self._account.save(active)
                await self._restore_weights(active)
            else:
                self.start(service, self._account.task_definitions[service.task_definition])

    def _forget_interrupted(self, service: Service) -> None:
        deployment = self._account.current_deployment(service)
        if deployment is None or not deployment.in_flight:
            return
        reason = "The sandbox was restarted during the deployment."
        source = deployment.sources[0] if deployment.sources else deployment.target
        deployment.rollback = {"reason": reason, "startedAt": now(), "serviceRevisionArn": source}
        deployment.status_reason, deployment.finished_at = reason, now()
        deployment.status = "ROLLBACK_SUCCESSFUL" if deployment.sources else "ROLLBACK_FAILED"
        for hook in deployment.hooks:
            hook.status = "FAILED" if hook.status == "AWAITING_ACTION" else hook.status
        target = self._account.revisions[deployment.target]
        target.production_weight = target.test_weight = 0.0
        active = self._account.active_revision(service)
        if active:
            service.task_definition = active.task_definition
        self._account.save(deployment, target, service)

    async def _restore_weights(self, active: Revision) -> None:
        rule = self._balancers.rules.get(active.rule or "")
        if rule and active.target_group:
            weights = {g: 100.0 if g == active.target_group else 0.0 for g in rule.weights}
            await self._balancers.set_weights(rule.arn, weights)

    def cancel(self) -> None:
        """Stop walking; on disk it stays in flight, and the next start rolls it back."""
        for task in (*self._runs.values(), *self._forward.values()):
            task.cancel()


def _short_id() -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(21))


def _image(container: dict[str, Any]) -> dict[str, str]:
    entry = {"containerName": container["name"], "image": container["image"]}
    try:
        return entry | {"imageDigest": resolve(container["image"]).digest}
    except CannotPull:
        return entry
