"""Starts tasks by forking a process that has imported what they need; see `sandbox.zygote`."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from sandbox.processes import die_with_parent, kill_group
from sandbox.zygote import MAX_REQUEST

# macOS has neither SOCK_SEQPACKET nor a safe fork without exec.
AVAILABLE = sys.platform == "linux"


class Forked:
    """A task's process, as asyncio.subprocess.Process shows one."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._over = asyncio.Event()

    async def wait(self) -> int:
        """Wait for its end; the exit code, negative for a signal."""
        await self._over.wait()
        return self.returncode or 0

    def ended(self, returncode: int) -> None:
        """It is over."""
        self.returncode = returncode
        self._over.set()


class ForkServer:
    """One zygote, started with the first task and again when it died."""

    def __init__(self, root: Path, log: Path) -> None:
        self._root = root
        self._log = log
        self._zygote: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._tasks: dict[int, Forked] = {}
        # A task may be over before its start was answered for.
        self._early: dict[int, int] = {}
        self._born: asyncio.Queue[int] = asyncio.Queue()
        # Starts that nobody waits for any more and that are not answered for yet.
        self._abandoned = 0
        self._starting = asyncio.Lock()

    async def start(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        descriptors: Sequence[int],
    ) -> Forked:
        """Fork a task that runs `python -m module arguments`; descriptors are log and listener.

        Raises OSError when there is no fork server to be had. One that is cancelled leaves no
        task behind.
        """
        async with self._starting:
            channel = self._open()
            request = {"module": module, "arguments": arguments, "environment": dict(environment)}
            body = json.dumps(request).encode()
            if len(body) > MAX_REQUEST:
                raise OSError("the task's environment is too large")
            socket.send_fds(channel, [body], list(descriptors))
            try:
                pid = await self._born.get()
            except asyncio.CancelledError:
                self._abandon()
                raise
        if not pid:
            raise OSError("the fork server ended")
        return self._known(pid)

    def _known(self, pid: int) -> Forked:
        task = self._tasks[pid] = Forked(pid)
        if pid in self._early:
            self._over(pid, self._early.pop(pid))
        return task

    def _abandon(self) -> None:
        """Nobody waits any more for the start that was asked for last; it may be answered for."""
        if self._born.empty():
            self._abandoned += 1
        else:
            self._end(self._born.get_nowait())

    def _end(self, pid: int) -> None:
        """End a task that nobody wants; 0 is none."""
        if pid and self._known(pid).returncode is None:
            kill_group(pid, signal.SIGKILL)

    def _open(self) -> socket.socket:
        if self._channel is not None:
            return self._channel
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with self._log.open("ab") as log, theirs:
            self._zygote = subprocess.Popen(
                [sys.executable, "-m", "sandbox.zygote", str(theirs.fileno())],
                cwd=self._root,
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                preexec_fn=die_with_parent,  # noqa: PLW1509 - touches nothing of Python's
            )
        asyncio.get_running_loop().add_reader(ours, self._read, ours)
        self._channel = ours
        return ours

    def _read(self, channel: socket.socket) -> None:
        try:
            body = channel.recv(4096)
        except ConnectionResetError:  # it died with a request it had not read
            body = b""
        if not body:
            self._lost()
            return
        said = json.loads(body)
        if "status" in said:
            self._over(said["pid"], said["status"])
        elif self._abandoned:
            self._abandoned -= 1
            self._end(said["pid"])
        else:
            self._born.put_nowait(said["pid"])

    def _over(self, pid: int, status: int) -> None:
        task = self._tasks.pop(pid, None)
        if task is None:
            self._early[pid] = status
        else:
            task.ended(os.waitstatus_to_exitcode(status))

    def _lost(self) -> None:
        """The zygote died, and Linux killed its children with it."""
        self.close()
        for task in self._tasks.values():
            task.ended(-9)
        self._tasks.clear()
        self._early.clear()
        if self._starting.locked():
            self._born.put_nowait(0)

    @property
    def pid(self) -> int | None:
        """The zygote's process id, None when none runs."""
        return self._zygote.pid if self._zygote else None

    def close(self) -> None:
        """End the zygote; tasks that still run end with it."""
        self._abandoned = 0
        if self._channel is not None:
            asyncio.get_running_loop().remove_reader(self._channel)
            self._channel.close()
            self._channel = None
        if self._zygote is not None:
            self._zygote.kill()
            self._zygote.wait()
            self._zygote = None
