"""Keeps the number of tasks each revision wants: starts, stops and replaces them."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine
from typing import Any

from sandbox.ecs.account import Account
from sandbox.ecs.model import Revision, Service, Task, now
from sandbox.fleet import Fleet, Launch, TaskProcess
from sandbox.images import CannotPull, resolve
from sandbox.load_balancers import LoadBalancers
from sandbox.names import ecs_arn

log = logging.getLogger("sandbox.ecs")

PERIOD = 0.2
MAX_BACK_OFF = 30.0
STOP_TIMEOUT = 30.0


class Scheduler:
    """One reconciliation loop over all services; each task has a coroutine of its own."""

    def __init__(self, account: Account, fleet: Fleet, balancers: LoadBalancers) -> None:
        self._account = account
        self._fleet = fleet
        self._balancers = balancers
        self._processes: dict[str, TaskProcess] = {}
        self._not_before: dict[str, float] = {}
        self._steady: dict[str, bool] = {}
        self._jobs: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Reconcile until cancelled."""
        while True:
            for service in list(self._account.services.values()):
                try:
                    self._look_after(service)
                except Exception:  # one service's trouble must not leave the others alone
                    log.exception("could not reconcile %s", service.name)
            self._account.forget_old_tasks()
            await asyncio.sleep(PERIOD)

    def _look_after(self, service: Service) -> None:
        for revision in self._account.current_revisions(service):
            self._reconcile(service, revision)
        self._announce_steady(service)

    def _reconcile(self, service: Service, revision: Revision) -> None:
        live = self._account.live_tasks(revision)
        for task in live:
            if self._unhealthy(task, revision):
                reason = f"Task failed ELB health checks in (target-group {revision.target_group})"
                self._failed(revision, reason)
                self.stop(task, reason, "ServiceSchedulerInitiated")
        missing = revision.want - len(live)
        if missing > 0 and time.monotonic() >= self._not_before.get(revision.arn, 0.0):
            self._start(service, revision, missing)
        for task in live[revision.want :]:
            scaling = f"Scaling activity initiated by (deployment {_short(revision)})"
            self.stop(task, scaling, "ServiceSchedulerInitiated")

    def _unhealthy(self, task: Task, revision: Revision) -> bool:
        if revision.target_group is None or task.port is None:
            return False
        return self._balancers.state(revision.target_group, task.port) == "unhealthy"

    # -- what deployments ask --------------------------------------------------------------------

    def healthy(self, revision: Revision) -> int:
        """How many live tasks run and, behind a load balancer, pass their health checks."""
        return sum(self.is_healthy(task, revision) for task in self._account.live_tasks(revision))

    def is_healthy(self, task: Task, revision: Revision) -> bool:
        """Whether one task counts as healthy."""
        if task.last_status != "RUNNING":
            return False
        if revision.target_group is None or task.port is None:
            return True
        return self._balancers.state(revision.target_group, task.port) == "healthy"

    def process(self, task_arn: str) -> TaskProcess | None:
        """The process group of a task, None when it has none (any more)."""
        return self._processes.get(task_arn)

    # -- starting --------------------------------------------------------------------------------

    def _start(self, service: Service, revision: Revision, count: int) -> None:
        tasks = [self._new_task(service, revision) for _ in range(count)]
        names = " ".join(f"(task {_task_id(task)})" for task in tasks)
        self._account.event(
            service, f"(service {service.name}) has started {count} tasks: {names}."
        )
        for task in tasks:
            self._account.tasks[task.arn] = task
            self._spawn(self._live(service, revision, task))

    def _new_task(self, service: Service, revision: Revision) -> Task:
        definition = self._account.task_definitions[revision.task_definition]
        container = definition.container
        return Task(
            arn=ecs_arn("task", service.cluster, secrets.token_hex(16)),
            cluster_arn=service.cluster_arn,
            service=service.name,
            revision=revision.arn,
            task_definition=definition.arn,
            image=container["image"],
            created_at=now(),
            cpu=int(definition.body.get("cpu", 256)),
            memory=int(definition.body.get("memory", 512)),
            container=container["name"],
        )

    async def _live(self, service: Service, revision: Revision, task: Task) -> None:
        """A task's whole life up to the end of its process."""
        task.last_status = "PENDING"
        try:
            launch = self._launch(service, task)
        except CannotPull as error:
            self._failed(revision, str(error))
            _stopped(task, str(error), "TaskFailedToStart")
            return
        try:
            process = await self._fleet.start(launch)
        except OSError as error:
            reason = f"CannotStartContainerError: {error.strerror}"
            self._failed(revision, reason)
            _stopped(task, reason, "TaskFailedToStart")
            return
        self._processes[task.arn] = process
        if not task.live:
            await self._end(task, process)
            return
        await self._running(service, revision, task, process)
        await process.wait()
        self._fleet.ended(process)
        if task.live:
            await self._died(service, revision, task, process)

    def _launch(self, service: Service, task: Task) -> Launch:
        container = self._account.task_definitions[task.task_definition].container
        image = resolve(container["image"])
        task.digest = image.digest
        return Launch(
            cluster=service.cluster,
            service=service.name,
            task_arn=task.arn,
            cpu_units=task.cpu,
            memory_mib=task.memory,
            image=image,
            command=container.get("command", []),
            environment={e["name"]: e["value"] for e in container.get("environment", [])},
            listens=bool(container.get("portMappings")),
        )

    async def _running(
        self, service: Service, revision: Revision, task: Task, process: TaskProcess
    ) -> None:
        if process.exit_code is not None:
            return
        task.last_status, task.started_at, task.port = "RUNNING", now(), process.port
        if revision.target_group is None or process.port is None:
            revision.failures = 0
            return
        version = process.launch.image.tag
        await self._balancers.register(revision.target_group, process.port, version)
        group = f"(target-group {revision.target_group})"
        self._account.event(service, f"(service {service.name}) registered 1 targets in {group}")

    # -- stopping --------------------------------------------------------------------------------

    def stop(self, task: Task, reason: str, code: str) -> None:
        """Stop a task: drain its target, SIGTERM, and SIGKILL after the stop timeout."""
        if not task.live:
            return
        task.desired_status, task.stopping_at = "STOPPED", now()
        task.stopped_reason, task.stop_code = reason, code
        process = self._processes.get(task.arn)
        if process is not None:
            self._spawn(self._end(task, process))
        elif task.last_status == "PROVISIONING":
            _stopped(task, reason, code)

    async def _end(self, task: Task, process: TaskProcess) -> None:
        revision = self._account.revisions[task.revision]
        task.last_status = "DEACTIVATING"
        if revision.target_group and task.port:
            await self._balancers.deregister(revision.target_group, task.port)
        task.last_status = "STOPPING"
        await process.stop(STOP_TIMEOUT)
        self._gone(task, process)
        _stopped(task, task.stopped_reason, task.stop_code)

    async def _died(
        self, service: Service, revision: Revision, task: Task, process: TaskProcess
    ) -> None:
        """The process ended by itself, or was killed: ECS replaces the task."""
        task.desired_status = "STOPPED"
        self._gone(task, process)
        _stopped(task, "Essential container in task exited", "EssentialContainerExited")
        if task.exit_code == 137:
            task.container_reason = "OutOfMemoryError: container killed or SIGKILL received"
        self._failed(revision, task.stopped_reason)
        if revision.target_group and task.port:
            await self._balancers.forget(revision.target_group, task.port)
        text = f"(service {service.name}) (task {_task_id(task)}) stopped: {task.stopped_reason}"
        self._account.event(service, text)

    def _gone(self, task: Task, process: TaskProcess) -> None:
        self._processes.pop(task.arn, None)
        self._fleet.ended(process)
        task.exit_code = process.exit_code

    def _failed(self, revision: Revision, reason: str) -> None:
        """Count a failure and wait longer before the next try, as ECS throttles restarts."""
        revision.failures += 1
        revision.last_failure = reason
        pause = min(0.25 * 2**revision.failures, MAX_BACK_OFF)
        # A task that had been healthy is replaced at once.
        delay = 0.0 if revision.failures == 1 else pause
        self._not_before[revision.arn] = time.monotonic() + delay

    # -- bookkeeping -----------------------------------------------------------------------------

    def _announce_steady(self, service: Service) -> None:
        active = self._account.active_revision(service)
        deployment = self._account.current_deployment(service)
        settled = deployment is not None and not deployment.in_flight
        steady = bool(settled and active and self.healthy(active) == active.want)
        if steady and active:
            active.failures = 0
        if steady and not self._steady.get(service.arn):
            self._account.event(service, f"(service {service.name}) has reached a steady state.")
        self._steady[service.arn] = steady

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)

    def _done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            log.error("a task's life failed", exc_info=job.exception())

    def cancel(self) -> None:
        """Let go of every task; the fleet ends the processes."""
        for job in self._jobs:
            job.cancel()


def _stopped(task: Task, reason: str, code: str) -> None:
    task.desired_status = task.last_status = "STOPPED"
    task.stopped_at = now()
    task.stopping_at = task.stopping_at or task.stopped_at
    task.stopped_reason, task.stop_code = reason, code


def _short(revision: Revision) -> str:
    return f"ecs-svc/{revision.arn.rsplit('/', 1)[-1]}"


def _task_id(task: Task) -> str:
    return task.arn.rsplit("/", 1)[-1]
