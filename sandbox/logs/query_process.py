"""The process that a query runs in, seen from the gateway's."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
# It needs nothing but the standard library: without site-packages it starts in half the time.
_COMMAND = (sys.executable, "-S", "-m", "sandbox.logs.insights")


class TookTooLong(Exception):
    """The process did not end in time and was killed."""


class QueryProcess:
    """One query's process, started with the job of `sandbox.logs.insights.__main__`.

    A pattern matched by `re` can be stopped by nothing less than the end of its process.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._until = time.monotonic() + job["seconds"]
        self._process = subprocess.Popen(
            _COMMAND, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._job = json.dumps(job).encode() + b"\n"
        self._expired = False

    def said(self) -> Iterator[dict[str, Any]]:
        """What it says until it ends; raises TookTooLong."""
        alarm = threading.Timer(self._until - time.monotonic(), self._expire)
        alarm.start()
        try:
            with self._process:
                yield from self._lines()
                self.kill()
        finally:
            alarm.cancel()
        if self._expired:
            raise TookTooLong

    def _lines(self) -> Iterator[dict[str, Any]]:
        job, said = self._process.stdin, self._process.stdout
        if job is None or said is None:
            return
        with suppress(BrokenPipeError):  # killed before it read anything; so it says nothing
            job.write(self._job)
            job.flush()
        for line in said:
            # Half a line is what it was killed in.
            if line.endswith(b"\n"):
                yield json.loads(line)

    def _expire(self) -> None:
        self._expired = True
        self.kill()

    def kill(self) -> None:
        """End it at once, whatever it does; nothing happens when it has ended."""
        self._process.kill()
