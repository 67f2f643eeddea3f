"""The process that a query runs in, seen from the gateway's."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

_ROOT = Path(__file__).resolve().parents[2]
# It needs nothing but the standard library: without site-packages it starts in half the time.
_COMMAND = (sys.executable, "-S", "-m", "sandbox.logs.insights")
# What the system ends it with when its time is over, in processor time or in real time.
_LATE = (-signal.SIGXCPU, -signal.SIGALRM)


class TookTooLong(Exception):
    """The process did not end in its time and was killed."""


class QueryProcess:
    """One query's process, started with the job of `sandbox.logs.insights.__main__`.

    A pattern matched by `re` can be stopped by nothing less than the end of its process.
    """

    def __init__(self, job: dict[str, Any]) -> None:
        self._job = json.dumps(job).encode() + b"\n"
        self._process = subprocess.Popen(
            _COMMAND, cwd=_ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def said(self) -> Iterator[dict[str, Any]]:
        """What it says until it ends, `rows` still as JSON; raises TookTooLong."""
        with self._process:
            try:
                yield from self._lines()
            finally:
                self.kill()
        if self._process.returncode in _LATE:
            raise TookTooLong

    def _lines(self) -> Iterator[dict[str, Any]]:
        job, said = self._process.stdin, self._process.stdout
        if job is None or said is None:
            return
        # One that is killed before it has read its job says nothing. What was not taken of the
        # job must be let go of here: whoever closes the pipe later would try to write it again.
        with suppress(BrokenPipeError), job:
            job.write(self._job)
        for line in said:
            rows = next(said, b"")
            # Half a line is what it was killed in.
            if rows.endswith(b"\n"):
                yield json.loads(line) | {"rows": rows.decode()}

    def kill(self) -> None:
        """End it at once, whatever it does; nothing happens when it has ended."""
        self._process.kill()
