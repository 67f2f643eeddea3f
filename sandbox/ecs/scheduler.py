"""Keeps the number of tasks each revision wants: starts, stops and replaces them."""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sandbox import clock
from sandbox.ecs import placement
from sandbox.ecs.account import REPEATED_AFTER, Account
from sandbox.ecs.model import ROLLING_BACK, Deployment, Revision, Service, Task, now
from sandbox.ecs.replacing import Tasks
from sandbox.ecs.task_life import TaskLives
from sandbox.fleet import Fleet, TaskProcess
from sandbox.load_balancers import LoadBalancers

log = logging.getLogger("sandbox.ecs")

PERIOD = 0.2
# The longest pause between two starts of tasks that never run; on AWS it grows to 27 minutes.
MAX_BACK_OFF = 30.0
# A replacement of a task that ran is not throttled, but Fargate takes its time as well.
REPLACEMENT_PAUSE = 1.0
# So many tasks in a row that never ran make the scheduler say so.
IMPAIRED_AFTER = 3
MEMORY_PERIOD = 5.0
IMPAIRED = (
    "is unable to consistently start tasks successfully. For more information, see the "
    "Troubleshooting section of the Amazon ECS Developer Guide."
)


class Scheduler:
    """One reconciliation loop over all services; each task has a coroutine of its own.

    While `placement_failure` is a text, no task can be placed and the text is the reason; no task
    is placed in a zone of `closed_zones`.
    """

    def __init__(self, account: Account, fleet: Fleet, balancers: LoadBalancers) -> None:
        self.placement_failure: str | None = None
        self.closed_zones: set[str] = set()
        self.seconds_per_minute = 60.0
        self.lives = TaskLives(account, fleet, balancers, self._failed)
        self._account = account
        self._balancers = balancers
        self._not_before: dict[str, float] = {}
        # The tasks that fail their health checks, by ARN, and the stoppedReason of each.
        self._ill: dict[str, str] = {}
        # Those that were counted as failed: one that recovers and falls ill again is one task.
        self._counted: set[str] = set()
        # When each steady service said so last.
        self._steady: dict[str, datetime] = {}

    async def run(self) -> None:
        """Reconcile until cancelled."""
        memory_at = time.monotonic()
        while True:
            for service in list(self._account.services.values()):
                self._guarded(partial(self._look_after, service), service.name)
            self._guarded(self._account.forget_old_tasks, "tasks that ended")
            self._guarded(self._forget_the_ill, "tasks that were ill")
            if time.monotonic() >= memory_at:
                self._guarded(self._account.forget_old_deployments, "old deployments")
                self._guarded(self.lives.kill_greedy, "the tasks' memory")
                memory_at = time.monotonic() + MEMORY_PERIOD
            await asyncio.sleep(PERIOD)

    def _guarded(self, work: Callable[[], None], what: str) -> None:
        """One service's trouble must not leave the others alone, nor any trouble end the loop."""
        try:
            work()
        except Exception:
            log.exception("could not look after %s", what)

    def _look_after(self, service: Service) -> None:
        used = self._account.current_revisions(service)
        for revision in used:
            self._reconcile(service, revision)
        if service.status == "DRAINING" and not used:
            service.status = "INACTIVE"
            self._account.save(service)
        self._announce_steady(service)

    def _reconcile(self, service: Service, revision: Revision) -> None:
        tasks = self._sorted(service, revision)
        want, most = revision.want, self._most(service, revision)
        count = tasks.to_start(want, most)
        if count and time.monotonic() >= self._not_before.get(revision.arn, 0.0):
            self._start(service, revision, count)
        for task in tasks.replaced(want, most):
            self._stop_here(service, [task], self._ill.pop(task.arn))
        scaling = f"Scaling activity initiated by (deployment {short(revision)})"
        self._stop_here(service, tasks.surplus(want), scaling)

    def _most(self, service: Service, revision: Revision) -> int:
        """How many tasks of a revision maximumPercent allows while unhealthy ones are replaced.

        Rolling revisions share the limit, and the one that is being deployed has the room first;
        of the others each has its own, because a blue/green deployment has twice the tasks whatever
        the percentage.
        """
        deployment = self._account.current_deployment(service)
        if deployment is None:
            return revision.want
        percent: float = deployment.configuration.get("maximumPercent", 200)
        if deployment.strategy != "ROLLING":
            return max(revision.want, math.floor(revision.want * percent / 100))
        others = sum(
            len(self._account.live_tasks(each))
            for each in self._account.current_revisions(service)
            if each is not revision
        )
        if _makes_way(revision, deployment):
            others = max(others, service.desired)
        return max(revision.want, math.floor(service.desired * percent / 100) - others)

    # -- health ----------------------------------------------------------------------------------

    def _sorted(self, service: Service, revision: Revision) -> Tasks:
        """The live tasks of a revision by their health, after noting what is new about it."""
        healthy, starting, unhealthy = [], [], []
        for task in self._account.live_tasks(revision):
            if self._falls_ill(service, revision, task):
                unhealthy.append(task)
            elif self.is_healthy(task, revision):
                self._note_first_health(revision, task)
                healthy.append(task)
            else:
                starting.append(task)
        return Tasks(healthy, starting, unhealthy)

    def _forget_the_ill(self) -> None:
        """Those that ended otherwise than by being replaced."""
        for arn in [arn for arn in self._ill if not self._is_live(arn)]:
            del self._ill[arn]
        self._counted = {arn for arn in self._counted if self._is_live(arn)}

    def _is_live(self, task_arn: str) -> bool:
        task = self._account.tasks.get(task_arn)
        return task is not None and task.live

    def _note_first_health(self, revision: Revision, task: Task) -> None:
        if not task.was_healthy:
            task.was_healthy = True
            revision.failures = 0
            self._account.save(task, revision)

    def _falls_ill(self, service: Service, revision: Revision, task: Task) -> bool:
        """Whether a task fails its health checks; counted and told when it begins to."""
        ill = self._illness(service, revision, task)
        if ill is None:
            self._ill.pop(task.arn, None)
            return False
        if task.arn not in self._ill:
            said, self._ill[task.arn] = ill
            self._account.event(service, f"(service {service.name}) {said}")
            if task.arn not in self._counted:
                self._counted.add(task.arn)
                self._count(revision, self._ill[task.arn])
            self._not_before[revision.arn] = time.monotonic() + REPLACEMENT_PAUSE
        return True

    def _illness(self, service: Service, revision: Revision, task: Task) -> tuple[str, str] | None:
        """Why a running task must be replaced, as the event and as its stoppedReason say it."""
        if task.last_status != "RUNNING" or self._in_grace(service, task):
            return None
        if task.health == "UNHEALTHY":
            text = f"(task {task.short_id}) failed container health checks."
            return text, "Task failed container health checks"
        if revision.target_group is None or task.port is None:
            return None
        target = self._balancers.target(revision.target_group, task.port)
        if target is None or target.state != "unhealthy":
            return None
        group = f"(target-group {revision.target_group})"
        text = (
            f"(task {task.short_id}) (port {target.container_port}) is unhealthy in {group} "
            f"due to (reason {target.description})"
        )
        return text, f"Task failed ELB health checks in {group}"

    def _in_grace(self, service: Service, task: Task) -> bool:
        """healthCheckGracePeriodSeconds, shortened as deployment minutes are."""
        seconds = service.settings.get("healthCheckGracePeriodSeconds", 0)
        real = seconds * self.seconds_per_minute / 60
        grace = timedelta(seconds=real * clock.rate())
        return task.started_at is not None and now() < task.started_at + grace

    def healthy(self, revision: Revision) -> int:
        """How many live tasks run and pass the health checks they have."""
        return sum(self.is_healthy(task, revision) for task in self._account.live_tasks(revision))

    def is_healthy(self, task: Task, revision: Revision) -> bool:
        """Whether one task counts as healthy."""
        if task.last_status != "RUNNING" or not self._container_is_well(task):
            return False
        if revision.target_group is None or task.port is None:
            return True
        return self._balancers.state(revision.target_group, task.port) == "healthy"

    def _container_is_well(self, task: Task) -> bool:
        container = self._account.task_definitions[task.task_definition].container
        unchecked = task.health != "UNHEALTHY" and not container.get("healthCheck")
        return task.health == "HEALTHY" or unchecked

    def trouble(self, revision: Revision) -> str:
        """What keeps a revision from being healthy, as far as anything is known."""
        if revision.last_failure:
            return revision.last_failure
        for task in self._account.live_tasks(revision):
            target = self._balancers.target(revision.target_group or "", task.port or 0)
            if target and target.description:
                return f"{target.description} (health checks of (task {task.short_id}))"
        return "tasks did not become healthy"

    # -- starting and stopping -------------------------------------------------------------------

    def _start(self, service: Service, revision: Revision, count: int) -> None:
        network = revision.settings.get("networkConfiguration", {})
        cannot = self.cannot_place(network)
        if cannot:
            text = f"was unable to place a task. Reason: {cannot}."
            self._account.event_once(service, f"(service {service.name}) {text}")
            return
        tasks = [self._begin(service, revision) for _ in range(count)]
        text = f"has started {count} tasks: {_names(tasks)}."
        self._account.event(service, f"(service {service.name}) {text}")

    def cannot_place(self, network: Mapping[str, Any]) -> str | None:
        """Why no task can be placed in this network now, None when one can."""
        if not placement.open_subnets(network, self.closed_zones):
            return self.placement_failure or placement.CAPACITY
        return self.placement_failure

    def _begin(self, service: Service, revision: Revision) -> Task:
        known = list(self._account.tasks.values())
        definition = self._account.task_definitions[revision.task_definition]
        task = placement.new_task(
            (service.cluster, service.cluster_arn),
            definition,
            revision.settings.get("networkConfiguration", {}),
            peers=[t for t in known if t.revision == revision.arn and t.live],
            closed=self.closed_zones,
            taken=known,
            group=f"service:{service.name}",
            started_by=short(revision),
            service=service.name,
            revision=revision.arn,
            tags=placement.inherited_tags(service.settings, service.cluster, definition, service),
        )
        self.lives.begin(task)
        return task

    def _stop_here(self, service: Service, tasks: Sequence[Task], reason: str) -> None:
        """Stop tasks because their service does not want them."""
        for task in tasks:
            self.stop(task, reason, "ServiceSchedulerInitiated")
        if tasks:
            text = f"has stopped {len(tasks)} running tasks: {_names(tasks)}."
            self._account.event(service, f"(service {service.name}) {text}")

    def stop(self, task: Task, reason: str, code: str) -> None:
        """Stop a task: drain its target, SIGTERM, and SIGKILL after the stop timeout."""
        self.lives.stop(task, reason, code)

    def process(self, task_arn: str) -> TaskProcess | None:
        """The process group of a task, None when it has none (any more)."""
        return self.lives.process(task_arn)

    def out_of_memory(self, task_arn: str) -> bool:
        """Kill a task as Fargate does when it uses more than its memory; False if none runs."""
        return self.lives.out_of_memory(task_arn)

    # -- failures --------------------------------------------------------------------------------

    def _failed(self, task: Task, reason: str) -> None:
        """A task ended by itself or never ran; wait longer the more often it never ran."""
        revision = self._account.revisions.get(task.revision)
        if revision is None:
            return
        service = self._account.service_of(revision)
        self._count(revision, reason)
        pause = REPLACEMENT_PAUSE
        if not task.started_running:
            # The exponent is bounded: after a night of failures 2**n is not a float any more.
            pause = min(0.25 * 2 ** min(revision.failures, 10), MAX_BACK_OFF)
            if revision.failures >= IMPAIRED_AFTER:
                self._account.event_once(service, f"(service {service.name}) {IMPAIRED}")
        elif task.was_healthy:
            pause = 0.0
        self._not_before[revision.arn] = time.monotonic() + pause

    def _count(self, revision: Revision, reason: str) -> None:
        revision.failures += 1
        revision.failures_ever += 1
        revision.last_failure = reason
        self._account.save(revision)

    # -- bookkeeping -----------------------------------------------------------------------------

    def _announce_steady(self, service: Service) -> None:
        active = self._account.active_revision(service)
        deployment = self._account.current_deployment(service)
        settled = deployment is not None and not deployment.in_flight
        if not (settled and active and self.healthy(active) == active.want):
            self._steady.pop(service.arn, None)
            return
        said = self._steady.get(service.arn)
        if said is None or said <= now() - REPEATED_AFTER:
            self._account.event(service, f"(service {service.name}) has reached a steady state.")
            self._steady[service.arn] = now()

    def cancel(self) -> None:
        """Let go of every task; the fleet ends the processes."""
        self.lives.cancel()


def _makes_way(revision: Revision, deployment: Deployment) -> bool:
    """Whether a rolling deployment takes tasks of another revision away by now."""
    forward = deployment.in_flight and deployment.status not in ROLLING_BACK
    return forward and deployment.position > 0 and revision.arn != deployment.target


def _names(tasks: Sequence[Task]) -> str:
    return " ".join(f"(task {task.short_id})" for task in tasks)


def short(revision: Revision) -> str:
    """What ECS calls the classic deployment of a revision."""
    return f"ecs-svc/{revision.arn.rsplit('/', 1)[-1]}"
