"""Runs every query in a process of its own and remembers what it found."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sandbox import clock
from sandbox.charges import LOG_BYTES_SCANNED, Charges
from sandbox.errors import AwsError
from sandbox.logs.query_log import NOTHING, Query, QueryLog, Results
from sandbox.logs.query_process import QueryProcess, TookTooLong
from sandbox.logs.store import Group, Store

log = logging.getLogger("sandbox.logs")

MAX_CONCURRENT = 100
# Of processor time; AWS lets a query run for 60 minutes.
TIMEOUT_SECONDS = 60
# So many queries run at once, the others are Scheduled.
THREADS = 4


@dataclass
class _Run:
    """A query that has not ended, and what its process said so far."""

    query: Query
    job: dict[str, Any]
    process: QueryProcess | None = None
    stopped: bool = False
    ended: bool = False
    over: bool = False
    counted: Sequence[int] = (0, 0, 0)
    rows: str = NOTHING
    lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self) -> QueryProcess | None:
        """Start its process, unless it was stopped before that."""
        with self.lock:
            if not self.stopped:
                self.query.status = "Running"
                self.process = QueryProcess(self.job)
            return self.process

    def hear(self, said: dict[str, Any]) -> None:
        """Take in what its process says."""
        self.counted, self.over = said["counted"], said["over"]
        self.rows = said["rows"]

    def stop(self) -> bool:
        """End its process; False when that was asked before or it has ended."""
        with self.lock:
            if self.stopped or self.ended:
                return False
            self.stopped = True
            if self.process is not None:
                self.process.kill()
            return True

    def end(self, status: str) -> str:
        """The status it ends with: who was told that it is stopped must find it Cancelled."""
        with self.lock:
            self.ended = True
            return "Cancelled" if self.stopped else status


class Runner:
    """The account's queries. `max_concurrent` is AWS's quota of queries that have not ended."""

    def __init__(
        self,
        home: Path,
        store: Store,
        *,
        max_concurrent: int = MAX_CONCURRENT,
        seconds: int = TIMEOUT_SECONDS,
    ) -> None:
        self.max_concurrent = max_concurrent
        self._seconds = seconds
        self._store = store
        self._charges = Charges(home)
        self._log = QueryLog(home / "queries.sqlite")
        self._runs: dict[str, _Run] = {}
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="insights")
        for query in self._log.all():
            if not query.over:
                query.status = "Failed"
                self._log.save(query)

    def close(self) -> None:
        """Stop every query and close the files."""
        for run in list(self._runs.values()):
            run.stop()
        self._threads.shutdown(wait=True, cancel_futures=True)
        self._log.close()
        self._charges.close()

    def start(
        self, query: Query, groups: Sequence[Group], bounds: tuple[int, int], *, limit: int
    ) -> None:
        """Begin a query that compiles, for at most `limit` rows of start <= milliseconds < end.

        Raises LimitExceededException.
        """
        if sum(not run.ended for run in list(self._runs.values())) >= self.max_concurrent:
            message = "Account maximum query concurrency limit of "
            message += f"[{self.max_concurrent}] reached."
            raise AwsError("LimitExceededException", message)
        job = {
            "query": query.text,
            "limit": limit,
            "began": clock.time(),
            "database": str(self._store.path),
            "groups": [(group.number, group.name) for group in groups],
            "bounds": bounds,
            "seconds": self._seconds,
        }
        run = _Run(query, job)
        self._count(run)
        self._runs[query.query_id] = run
        self._log.save(query)
        self._threads.submit(self._run, run)

    def _run(self, run: _Run) -> None:
        begin = time.monotonic()
        status = run.end(self._read(run))
        duration = int((time.monotonic() - begin) * 1000)
        try:
            self._end(run, status, duration)
        except Exception:  # such as a full disk: whoever polls must hear that it is over
            log.exception("what a query found was not kept: %s", run.query.text)
            run.rows, run.query.duration = NOTHING, duration
            run.query.status = status if status == "Cancelled" else "Failed"

    def _read(self, run: _Run) -> str:
        """Hear what the query's process says; returns how the query ended by itself."""
        try:
            process = run.begin()
            for said in process.said() if process else ():
                run.hear(said)
        except TookTooLong:
            return "Timeout"
        except Exception:  # a defect of the sandbox must not leave a query running for ever
            log.exception("query failed: %s", run.query.text)
            return "Failed"
        return "Complete" if run.over else "Failed"

    def _end(self, run: _Run, status: str, duration: int) -> None:
        """Keep what was found, and only then let the query be over."""
        self._count(run)
        self._charges.add(LOG_BYTES_SCANNED, run.counted[2], clock.now())
        ended = replace(run.query, status=status, duration=duration)
        self._log.save(ended, run.rows if status == "Complete" else NOTHING)
        self._runs.pop(run.query.query_id, None)
        run.query.status, run.query.duration = status, duration

    def _count(self, run: _Run) -> None:
        scanned, matched, size = run.counted
        run.query.statistics = {
            "recordsMatched": float(matched),
            "recordsScanned": float(scanned),
            "estimatedRecordsSkipped": 0.0,
            "bytesScanned": float(size),
            "estimatedBytesSkipped": 0.0,
            "logGroupsScanned": float(len(run.job["groups"])),
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
        found: Results = json.loads(run.rows)
        return found

    def stop(self, query: Query) -> bool:
        """Cancel a query, whatever it would have ended as; False when it is over."""
        run = self._runs.get(query.query_id)
        if run is None or not run.stop():
            return False
        query.status = "Cancelled"
        return True
