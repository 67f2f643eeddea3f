"""ECS tasks as real process groups on this machine."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import shlex
import shutil
import signal
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import aiohttp

from sandbox import clock, fargate, forking
from sandbox.images import Image
from sandbox.measurements import TaskSample
from sandbox.processes import PidFile, die_with_parent, group_usage, kill_group
from sandbox.settings import Settings

Process = asyncio.subprocess.Process | forking.Forked

ROOT = Path(__file__).resolve().parent.parent
# CloudWatch Logs frees what it has read of a file (logs/tailing.py); this is for when it does not.
MAX_LOG_BYTES = 16 * 1024 * 1024
# What stat counts disk space in, whatever the file system's own.
_BLOCK = 512
KEPT_LOGS = 40
START_SECONDS = 30.0


@dataclass(frozen=True)
class Launch:
    """What one task needs: who it is, its container's image, command and environment."""

    cluster: str
    service: str
    task_arn: str
    cpu_units: int
    memory_mib: int
    image: Image
    command: Sequence[str]
    environment: Mapping[str, str]
    listens: bool

    @property
    def task_id(self) -> str:
        """The last part of the task's ARN."""
        return self.task_arn.rsplit("/", 1)[-1]


class TaskProcess:
    """A started process group; `port` is None when the container listens on none."""

    def __init__(
        self,
        launch: Launch,
        process: Process,
        port: int | None,
        meter: fargate.Meter,
    ) -> None:
        self.launch = launch
        self.port = port
        self.meter = meter
        # Until then it is PENDING.
        self.started = False
        self._process = process

    @property
    def pid(self) -> int:
        """Process id of the leader, which is also the id of its group."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """The exit code as a container runtime reports it (128 + signal), None while it runs."""
        code = self._process.returncode
        return 128 - code if code is not None and code < 0 else code

    async def wait(self) -> int:
        """Wait for the leader to end; then end what it left in its group."""
        await self._process.wait()
        kill_group(self.pid, signal.SIGKILL)
        return self.exit_code or 0

    async def stop(self, timeout: float) -> None:
        """SIGTERM to the group, SIGKILL after `timeout` seconds."""
        kill_group(self.pid, signal.SIGTERM)
        try:
            await asyncio.wait_for(self._process.wait(), timeout)
        except TimeoutError:
            kill_group(self.pid, signal.SIGKILL)
            await self._process.wait()

    def kill(self) -> None:
        """SIGKILL to the whole group at once."""
        kill_group(self.pid, signal.SIGKILL)


class Fleet:
    """Starts task processes, one at a time, and measures them."""

    def __init__(self, settings: Settings, pids: PidFile) -> None:
        self._settings = settings
        self._pids = pids
        self._running: dict[int, TaskProcess] = {}
        # Two cores are soon full of importing Djangos; one after the other is no slower.
        self._starting = asyncio.Semaphore(1 if not settings.task_command else 4)
        self._forks = forking.ForkServer(ROOT, settings.home / "sandbox.log")
        self._logs = settings.home / "logs"
        self._logs.mkdir(parents=True, exist_ok=True)
        self._meters = settings.home / "meters"
        shutil.rmtree(self._meters, ignore_errors=True)
        self._factor = fargate.factor()

    async def start(self, launch: Launch) -> TaskProcess:
        """Start a task and wait until it answers on its port (or simply lives, without one).

        Raises asyncio.CancelledError with the group killed when the start is abandoned.
        """
        async with self._starting:
            task = await self._spawn(launch)
            try:
                await self._until_answering(task)
            except BaseException:
                task.kill()
                raise
            task.started = True
            return task

    async def _spawn(self, launch: Launch) -> TaskProcess:
        listener = _listener() if launch.listens else None
        meter = fargate.Meter.create(self._meter_path(launch))
        self._tidy_logs()
        with (self._logs / f"{launch.task_id}.log").open("ab") as log:
            process = await self._process(launch, listener, log)
        port = listener.getsockname()[1] if listener else None
        if listener:
            listener.close()
        task = TaskProcess(launch, process, port, meter)
        self._running[task.pid] = task
        return task

    async def _process(
        self, launch: Launch, listener: socket.socket | None, log: IO[bytes]
    ) -> Process:
        """The task's process: a fork of one that has imported the News API's libraries, or new."""
        descriptors = [listener.fileno()] if listener else []
        command = self._command(launch)
        environment = self._environment(launch)
        if forking.AVAILABLE and command[:2] == [sys.executable, "-m"]:
            forked = await self._forks.start(
                command[2], command[3:], environment, [log.fileno(), *descriptors]
            )
            self._pids.add(forked.pid, "sandbox.zygote")
            return forked
        number = str(descriptors[0]) if descriptors else "none"
        started = await asyncio.create_subprocess_exec(
            *(part.replace("{fd}", number) for part in command),
            cwd=ROOT,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=descriptors,
            start_new_session=True,
            preexec_fn=die_with_parent,
        )
        self._pids.add(started.pid, " ".join(command[1:]).split("{fd}")[0])
        return started

    def _command(self, launch: Launch) -> list[str]:
        """What to run; `{fd}` stands for the number of the listening socket."""
        if self._settings.task_command:
            return shlex.split(self._settings.task_command)
        if launch.command:
            return [sys.executable, *launch.command[1:]]
        return [sys.executable, "-m", "gunicorn", *_GUNICORN, "--bind", "fd://{fd}"]

    def _environment(self, launch: Launch) -> dict[str, str]:
        inherited = {k: v for k, v in os.environ.items() if not k.startswith(("AWS_", "DJANGO_"))}
        return {
            **inherited,
            **self._settings.environment,
            **launch.environment,
            "APP_VERSION": launch.image.tag,
            "SANDBOX_FAULT": json.dumps(dict(launch.image.fault)),
            "SANDBOX_TASK": launch.task_id,
            "SANDBOX_SERVICE": f"{launch.cluster}/{launch.service}",
            fargate.METER: str(self._meter_path(launch)),
            fargate.UNITS: str(launch.cpu_units),
        }

    def _meter_path(self, launch: Launch) -> Path:
        return self._meters / launch.task_id

    async def _until_answering(self, task: TaskProcess) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while task.exit_code is None and asyncio.get_running_loop().time() < deadline:
            if task.port is None or await answers(task.port):
                return
            await asyncio.sleep(0.1)

    def ended(self, task: TaskProcess) -> None:
        """Forget a task whose group is gone."""
        self._running.pop(task.pid, None)
        self._pids.discard(task.pid)
        self._meter_path(task.launch).unlink(missing_ok=True)

    def task_samples(self) -> list[TaskSample]:
        """vCPU-seconds since its start and resident bytes of every running task.

        AWS has no metrics of a task that is still starting: as one that does nothing it would
        lower the average just when a busy service gets more tasks, and end its alarm.

        They are seconds of sandbox time: where the clock runs twice as fast, a busy vCPU spends
        two of them in a real second, so that percent of sandbox seconds are percent of real ones.
        """
        started = {pid: task for pid, task in self._running.items() if task.started}
        usage = group_usage(set(started))
        return [
            TaskSample(
                cluster=task.launch.cluster,
                service=task.launch.service,
                task_arn=task.launch.task_arn,
                cpu_units=task.launch.cpu_units,
                memory_mib=task.launch.memory_mib,
                cpu_seconds=self._spent(task, usage[pid][0]) * clock.rate(),
                rss_bytes=usage[pid][1],
            )
            for pid, task in started.items()
            if usage.get(pid, (0.0, 0))[1]
        ]

    def _spent(self, task: TaskProcess, process_seconds: float) -> float:
        """What the task charged itself, or else the CPU time of its processes."""
        charged = task.meter.read()
        return process_seconds * self._factor if charged is None else charged

    async def stop_all(self, timeout: float) -> None:
        """End every task; SIGKILL after `timeout` seconds."""
        tasks = list(self._running.values())
        await asyncio.gather(*(task.stop(timeout) for task in tasks))
        self._forks.close()

    def cap_logs(self) -> None:
        """Empty every task log that grew too large; the file is open for appending."""
        for path in self._logs.glob("*.log"):
            with contextlib.suppress(FileNotFoundError):
                if path.stat().st_blocks * _BLOCK > MAX_LOG_BYTES:
                    os.truncate(path, 0)

    def _tidy_logs(self) -> None:
        newest_first = sorted(
            self._logs.glob("*.log"), key=lambda path: path.stat().st_mtime, reverse=True
        )
        running = {task.launch.task_id for task in self._running.values()}
        for path in newest_first[KEPT_LOGS:]:
            # Of a quiet task that runs, what it says next would be lost.
            if path.stem not in running:
                path.unlink(missing_ok=True)


# The image's own server settings; only the application is wrapped to act out the image's fault.
_GUNICORN = ("-c", "python:news_api.gunicorn_config", "sandbox.faults:application")


def _listener() -> socket.socket:
    """A listening socket to hand down: no other process can take the port in between."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.bind(("127.0.0.1", 0))
    listener.listen(512)
    return listener


async def answers(port: int) -> bool:
    """Whether an HTTP server on `port` answers its health check at all, well or not."""
    timeout = aiohttp.ClientTimeout(total=2)
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout) as session,
            session.get(f"http://127.0.0.1:{port}/healthz"),
        ):
            return True
    except (aiohttp.ClientError, OSError):  # a TimeoutError is one of these
        return False
