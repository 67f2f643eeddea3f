"""Runs queries in threads, a chunk of events at a time, and remembers what they found."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from sandbox import clock
from sandbox.charges import LOG_BYTES_SCANNED, Charges
from sandbox.errors import AwsError
from sandbox.logs.insights.execution import Execution, TooManyRows
from sandbox.logs.insights.plan import Plan
from sandbox.logs.query_log import Query, QueryLog, Results
from sandbox.logs.records import pointer
from sandbox.logs.store import Event, Group, Store

log = logging.getLogger("sandbox.logs")

MAX_CONCURRENT = 100
TIMEOUT_SECONDS = 60 * 60
THREADS = 2
CHUNK = 2000


@dataclass
class _Run:
    """A query that has not ended."""

    query: Query
    plan: Plan
    execution: Execution
    groups: Sequence[Group]
    bounds: tuple[int, int]
    stopped: bool = False


class Runner:
    """The account's queries. `max_concurrent` is AWS's quota of queries that have not ended."""

    def __init__(self, home: Path, store: Store, *, max_concurrent: int = MAX_CONCURRENT) -> None:
        self.max_concurrent = max_concurrent
        self._store = store
        self._charges = Charges(home)
        self._log = QueryLog(home / "queries.sqlite")
        self._runs: dict[str, _Run] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="insights")
        for query in self._log.all():
            if not query.over:
                query.status = "Failed"
                self._log.save(query, [])

    def close(self) -> None:
        """Stop every query and close the files."""
        for run in list(self._runs.values()):
            run.stopped = True
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._log.close()
        self._charges.close()

    def start(
        self, query: Query, plan: Plan, groups: Sequence[Group], bounds: tuple[int, int]
    ) -> None:
        """Begin a query over start <= milliseconds < end; raises LimitExceededException."""
        if len(self._runs) >= self.max_concurrent:
            message = "Account maximum query concurrency limit of "
            message += f"[{self.max_concurrent}] reached."
            raise AwsError("LimitExceededException", message)
        run = _Run(query, plan, Execution(plan), groups, bounds)
        self._count(run)
        self._runs[query.query_id] = run
        self._log.save(query, [])
        self._threads.submit(self._run, run)

    def _run(self, run: _Run) -> None:
        begin = time.monotonic()
        status = "Cancelled"
        if not run.stopped:
            run.query.status = "Running"
            status = self._read(run, begin)
        self._end(run, status, int((time.monotonic() - begin) * 1000))

    def _read(self, run: _Run, begin: float) -> str:
        """Feed every event of the range; returns the status the query ends with."""
        events = self._store.newest_first(run.groups, run.bounds)
        try:
            while chunk := list(islice(events, CHUNK)):
                if run.stopped:
                    return "Cancelled"
                if time.monotonic() - begin > TIMEOUT_SECONDS:
                    return "Timeout"
                if not run.execution.feed(chunk):
                    break
        except TooManyRows:
            return "Failed"
        except Exception:  # a defect of the sandbox must not leave a query running for ever
            log.exception("query failed: %s", run.query.text)
            return "Failed"
        return "Complete"

    def _end(self, run: _Run, status: str, duration: int) -> None:
        """Keep what was found, and only then let the query be over."""
        self._count(run)
        self._charges.add(LOG_BYTES_SCANNED, run.execution.statistics.bytes, clock.now())
        found, status = _found(run, status)
        ended = replace(run.query, status=status, duration=duration)
        self._log.save(ended, found)
        self._runs.pop(run.query.query_id, None)
        run.query.status, run.query.duration = status, duration

    def _count(self, run: _Run) -> None:
        found = run.execution.statistics
        run.query.statistics = {
            "recordsMatched": float(found.matched),
            "recordsScanned": float(found.scanned),
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": float(found.bytes),
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(run.groups)),
        }

    # -- what became of them -----------------------------------------------------------------------

    def query(self, query_id: str) -> Query | None:
        """A query of the last seven days."""
        run = self._runs.get(query_id)
        return run.query if run else self._log.query(query_id)

    def queries(self) -> list[Query]:
        """Every query, the newest first."""
        running = {run.query.query_id: run.query for run in list(self._runs.values())}
        return [running.get(query.query_id, query) for query in self._log.all()]

    def results(self, query: Query) -> Results:
        """Rows of a query; those found so far while it runs, as far as they say anything yet."""
        run = self._runs.get(query.query_id)
        if run is None:
            return self._log.results(query.query_id)
        self._count(run)
        return _shown(run) if run.plan.partial else []

    def stop(self, query: Query) -> bool:
        """Cancel a query; False when it is over."""
        run = self._runs.get(query.query_id)
        if run is None or run.stopped:
            return False
        run.stopped = True
        query.status = "Cancelled"
        return True


def _found(run: _Run, status: str) -> tuple[Results, str]:
    """What a query that read everything found, and its status: computing it may fail, too."""
    if status != "Complete":
        return [], status
    try:
        return _shown(run), status
    except Exception:  # a defect of the sandbox must not leave a query running for ever
        log.exception("query failed: %s", run.query.text)
        return [], "Failed"


def _shown(run: _Run) -> Results:
    """Rows in botocore's shape, each record of a log with its @ptr."""
    return [
        [{"field": name, "value": value} for name, value in fields] + _pointer(event)
        for fields, event in run.execution.results()
    ]


def _pointer(event: Event | None) -> list[dict[str, str]]:
    return [{"field": "@ptr", "value": pointer(event)}] if event else []
