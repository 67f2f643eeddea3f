"""One task's life: pull, secrets, start, target, health checks, drain, stop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from functools import partial
from typing import Any

from sandbox import clock
from sandbox.ecs.account import Account
from sandbox.ecs.container_health import INTERVAL, Verdict, passes
from sandbox.ecs.model import Revision, Task, now
from sandbox.fleet import Fleet, Launch, TaskProcess
from sandbox.images import CannotPull, resolve
from sandbox.load_balancers import LoadBalancers, Target
from sandbox.names import last_part

log = logging.getLogger("sandbox.ecs")

STOP_TIMEOUT = 30.0
OUT_OF_MEMORY = "OutOfMemoryError: Container killed due to memory usage"
_ARN_PARTS = 7
_NOT_RESOLVED = (
    "ResourceInitializationError: unable to pull secrets or registry auth: execution resource "
    "retrieval failed: unable to retrieve secret from asm: service call has been retried 1 "
    "time(s): failed to fetch secret {arn} from secrets manager: ResourceNotFoundException: "
    "Secrets Manager can't find the specified secret."
)
EXITED = "Essential container in task exited"
BROKEN = "InternalError: the sandbox failed; see its log."

# The value a container's `valueFrom` names, None when there is none.
ResolveSecret = Callable[[str], str | None]
# What to do when a task failed, and why it did.
Failed = Callable[[Task, str], None]


class NoSecret(Exception):
    """A secret the container needs cannot be had."""


class TaskLives:
    """Starts and ends the processes of tasks; knows nothing of services' desired counts."""

    def __init__(
        self, account: Account, fleet: Fleet, balancers: LoadBalancers, failed: Failed
    ) -> None:
        self.resolve_secret: ResolveSecret | None = None
        self._account = account
        self._fleet = fleet
        self._balancers = balancers
        self._failed = failed
        self._processes: dict[str, TaskProcess] = {}
        self._out_of_memory: set[str] = set()
        self._jobs: set[asyncio.Task[None]] = set()

    def process(self, task_arn: str) -> TaskProcess | None:
        """The process group of a task, None when it has none (any more)."""
        return self._processes.get(task_arn)

    def begin(self, task: Task) -> None:
        """Start a new task in the background."""
        self._account.save(task)
        self._spawn(self._of(task, partial(self._live, task)))

    # -- starting --------------------------------------------------------------------------------

    async def _live(self, task: Task) -> None:
        """A task's whole life up to the end of its process."""
        task.last_status, task.pull_started_at = "PENDING", now()
        self._account.save(task)
        try:
            launch = self._launch(task)
            task.pull_stopped_at = now()
            process = await self._fleet.start(launch)
        except (CannotPull, NoSecret) as error:
            self._never_started(task, str(error))
            return
        except OSError as error:
            self._never_started(task, f"CannotStartContainerError: {error.strerror or error}")
            return
        self._processes[task.arn] = process
        if not task.live:
            await self._end(task, process)
            return
        watching = await self._running(task, process)
        try:
            await process.wait()
        finally:
            for job in watching:
                job.cancel()
        if task.live:
            await self._died(task, process)

    def _launch(self, task: Task) -> Launch:
        container = self._container(task)
        secrets = {each["name"]: self._secret(each) for each in container.get("secrets", [])}
        image = resolve(task.image)
        task.digest = image.digest
        override = _override(task)
        given = [*container.get("environment", []), *override.get("environment", [])]
        environment = {each["name"]: each["value"] for each in given}
        return Launch(
            cluster=last_part(task.cluster_arn),
            service=task.service,
            task_arn=task.arn,
            cpu_units=task.cpu,
            memory_mib=task.memory,
            image=image,
            command=override.get("command") or container.get("command", []),
            environment=environment | {n: v for n, v in secrets.items() if v is not None},
            listens=bool(container.get("portMappings")) and not override.get("command"),
        )

    def _secret(self, wanted: Mapping[str, str]) -> str | None:
        """A secret's value now; without a Secrets Manager the task keeps what the fleet gives it.

        Raises NoSecret.
        """
        if self.resolve_secret is None:
            return None
        value = self.resolve_secret(wanted["valueFrom"])
        if value is None:
            arn = ":".join(wanted["valueFrom"].split(":")[:_ARN_PARTS])
            raise NoSecret(_NOT_RESOLVED.format(arn=arn))
        return value

    def _container(self, task: Task) -> dict[str, Any]:
        return self._account.task_definitions[task.task_definition].container

    def _revision(self, task: Task) -> Revision | None:
        return self._account.revisions.get(task.revision)

    def _never_started(self, task: Task, reason: str) -> None:
        self._failed(task, reason)
        self._stopped(task, reason, "TaskFailedToStart")

    async def _running(self, task: Task, process: TaskProcess) -> list[asyncio.Task[None]]:
        """Note that it runs; the jobs that look at it while it does."""
        if process.exit_code is not None:
            task.started_at = now()
            return []
        task.last_status, task.started_at, task.port = "RUNNING", now(), process.port
        task.version += 1
        self._account.save(task)
        await self._register(task, process)
        check = self._container(task).get("healthCheck")
        if not check or process.port is None:
            return []
        return [self._spawn(self._check(task, process.port, check))]

    async def _register(self, task: Task, process: TaskProcess) -> None:
        revision = self._revision(task)
        if revision is None or revision.target_group is None or process.port is None:
            return
        mapping = self._container(task)["portMappings"][0]
        await self._balancers.register(
            Target(
                group=revision.target_group,
                port=process.port,
                version=process.launch.image.tag,
                address=task.address,
                container_port=mapping["containerPort"],
                availability_zone=task.availability_zone,
            )
        )
        service = self._account.service_of(revision)
        group = f"(target-group {revision.target_group})"
        self._account.event(service, f"(service {service.name}) registered 1 targets in {group}")

    async def _check(self, task: Task, port: int, check: Mapping[str, Any]) -> None:
        """Ask the process itself, at the interval of the container's health check."""
        verdict = Verdict.of(check)
        begun = clock.time()
        while True:
            await clock.sleep(check.get("interval", INTERVAL))
            health = verdict.judge(await passes(port), clock.time() - begun)
            if health != task.health:
                task.health = health
                self._account.save(task)

    # -- stopping --------------------------------------------------------------------------------

    def stop(self, task: Task, reason: str, code: str) -> None:
        """Stop a task: drain its target, SIGTERM, and SIGKILL after the stop timeout."""
        if not task.live:
            return
        task.desired_status, task.stopping_at = "STOPPED", now()
        task.stopped_reason, task.stop_code = reason, code
        task.version += 1
        self._account.save(task)
        process = self._processes.get(task.arn)
        if process is not None:
            self._spawn(self._of(task, partial(self._end, task, process)))

    async def _end(self, task: Task, process: TaskProcess) -> None:
        revision = self._revision(task)
        task.last_status = "DEACTIVATING"
        if revision and revision.target_group and task.port:
            self._tell_leaving(task, revision)
            await self._balancers.deregister(revision.target_group, task.port)
        task.last_status = "STOPPING"
        await process.stop(self._container(task).get("stopTimeout", STOP_TIMEOUT))
        self._gone(task, process)
        self._stopped(task, task.stopped_reason, task.stop_code)

    def out_of_memory(self, task_arn: str) -> bool:
        """Kill a task as Fargate does when it uses more than its memory; False if none runs."""
        process = self._processes.get(task_arn)
        if process is None:
            return False
        self._out_of_memory.add(task_arn)
        process.kill()
        return True

    def kill_greedy(self) -> None:
        """End every task that uses more memory than it was given."""
        for sample in self._fleet.task_samples():
            if sample.rss_bytes > sample.memory_mib * 2**20:
                self.out_of_memory(sample.task_arn)

    async def _died(self, task: Task, process: TaskProcess) -> None:
        """The process ended by itself, or was killed."""
        task.desired_status = "STOPPED"
        self._gone(task, process)
        if task.arn in self._out_of_memory:
            self._out_of_memory.discard(task.arn)
            task.container_reason = OUT_OF_MEMORY
        self._stopped(task, EXITED, "EssentialContainerExited")
        self._failed(task, task.stopped_reason)
        revision = self._revision(task)
        if revision and revision.target_group and task.port:
            self._tell_leaving(task, revision)
            await self._balancers.forget(revision.target_group, task.port)

    def _tell_leaving(self, task: Task, revision: Revision) -> None:
        service = self._account.service_of(revision)
        group = f"(target-group {revision.target_group})"
        name, deployment = f"service {service.name}", task.started_by
        self._account.event(service, f"({name}) deregistered 1 targets in {group}")
        draining = "has begun draining connections on 1 tasks."
        self._account.event(service, f"({name}, taskSet {deployment}) {draining}")

    def _gone(self, task: Task, process: TaskProcess) -> None:
        self._processes.pop(task.arn, None)
        self._fleet.ended(process)
        task.exit_code = process.exit_code

    def _stopped(self, task: Task, reason: str, code: str) -> None:
        task.desired_status = task.last_status = "STOPPED"
        task.stopped_at = now()
        task.stopping_at = task.stopping_at or task.stopped_at
        task.stopped_reason, task.stop_code = reason, code
        task.version += 1
        self._account.save(task)

    # -- bookkeeping -----------------------------------------------------------------------------

    async def _of(self, task: Task, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """A part of a task's life. One that breaks ends the task: everybody waits for its end."""
        try:
            await work()
        except Exception:
            log.exception("the life of %s broke", task.arn)
            await self._broken(task)

    async def _broken(self, task: Task) -> None:
        process = self._processes.get(task.arn)
        if process is not None:
            process.kill()
            await process.wait()
            self._gone(task, process)
        if task.live:
            self._failed(task, BROKEN)
        if task.last_status != "STOPPED":
            code = task.stop_code or (
                "EssentialContainerExited" if process else "TaskFailedToStart"
            )
            self._stopped(task, task.stopped_reason or BROKEN, code)
        revision = self._revision(task)
        if revision and revision.target_group and task.port:
            await self._balancers.forget(revision.target_group, task.port)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        job = asyncio.create_task(work)
        self._jobs.add(job)
        job.add_done_callback(self._done)
        return job

    def _done(self, job: asyncio.Task[None]) -> None:
        self._jobs.discard(job)
        if not job.cancelled() and job.exception():
            log.error("what ends a task broke", exc_info=job.exception())

    def cancel(self) -> None:
        """Let go of every task; the fleet ends the processes."""
        for job in self._jobs:
            job.cancel()


def _override(task: Task) -> dict[str, Any]:
    """What RunTask overrides of the container."""
    for each in task.overrides.get("containerOverrides", []):
        if each.get("name") == task.container:
            found: dict[str, Any] = each
            return found
    return {}
