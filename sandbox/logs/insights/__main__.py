"""One query in a process of its own: `python -m sandbox.logs.insights`.

Whatever a query asks for, a pattern that takes for ever or more memory than there is, only this
process suffers, and ending it ends the query. It reads a job (JSON) from its input and writes pairs
of lines of JSON: how many events were scanned and matched, their bytes, and whether these were all;
then the rows so far, none of them as long as they say nothing yet.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Callable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from sandbox.logs.insights.execution import Execution, TooManyRows
from sandbox.logs.insights.plan import plan
from sandbox.logs.insights.rows import pointer
from sandbox.logs.store import Event, newest_first
from sandbox.processes import die_with_parent

CHUNK = 2000
MEMORY_BYTES = 2**29
# Of real time, as on AWS; long before that a query has used up its seconds of processor time.
TIMEOUT_SECONDS = 60 * 60
# Of the rows that are answered, as JSON: whoever reads them holds all of them.
RESULT_BYTES = 64 * 2**20
# How often it is told how far the query is, and at most this share of the time is spent on it.
TOLD_SECONDS = 0.25
TOLD_SHARE = 0.1
NICENESS = 3

Say = Callable[..., None]


def main() -> None:
    """Run the query; the exit code is 1 when it cannot be answered."""
    die_with_parent()
    os.nice(NICENESS)
    job = json.loads(sys.stdin.readline())
    _limit(job["seconds"])
    try:
        run(job, _say)
    except (TooManyRows, MemoryError) as error:
        sys.exit(f"more than a query may keep: {type(error).__name__}")


def _limit(seconds: int) -> None:
    """Let the system end this process, in whatever loop of C it is."""
    signal.alarm(TIMEOUT_SECONDS)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    if sys.platform == "linux":
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))


def run(job: dict[str, Any], say: Say) -> None:
    """Feed the events of a job to its query; `say` is told how far it is, and all of it last."""
    compiled = plan(job["query"], job["limit"], began=job["began"])
    execution = Execution(compiled)
    events = newest_first(Path(job["database"]), job["groups"], job["bounds"])
    told = time.monotonic()
    while (chunk := list(islice(events, CHUNK))) and execution.feed(chunk):
        began = time.monotonic()
        if began >= told + TOLD_SECONDS:
            rows = _rows(execution) if compiled.partial else []
            say(_counted(execution), rows, over=False)
            told = time.monotonic()
            told += (told - began) / TOLD_SHARE
    say(_counted(execution), _rows(execution), over=True)


def _counted(execution: Execution) -> Sequence[int]:
    found = execution.statistics
    return found.scanned, found.matched, found.bytes


def _rows(execution: Execution) -> list[list[dict[str, str]]]:
    """Rows in botocore's shape, each record of a log with its @ptr."""
    return [
        [{"field": name, "value": value} for name, value in fields] + _pointer(event)
        for fields, event in execution.results()
    ]


def _pointer(event: Event | None) -> list[dict[str, str]]:
    return [{"field": "@ptr", "value": pointer(event)}] if event else []


def _say(counted: Sequence[int], rows: list[Any], *, over: bool) -> None:
    found = json.dumps(rows)
    if len(found) > RESULT_BYTES:
        raise TooManyRows
    sys.stdout.write(f"{json.dumps({'counted': counted, 'over': over})}\n{found}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
