"""WSGI entry of a News API task: the real application, with the faults it is meant to have.

gunicorn imports `application` in the worker. `SANDBOX_FAULT` is what the image was built with: a
JSON object with any of `error_rate` (share of requests answered 500), `slow_every` and
`slow_seconds` (every n-th request waits), and `unhealthy` (the health check fails). Faults that
are switched on while the task runs come from the file that `SANDBOX_FAULTS` names.
"""

from __future__ import annotations

import importlib
import itertools
import json
import logging
import os
import random
import time
from collections.abc import Callable, Iterable, Mapping
from contextvars import ContextVar
from http import HTTPStatus
from pathlib import Path
from typing import Any

from sandbox.chaos.shared import VARIABLE, Watched
from sandbox.fargate import charged
from sandbox.processes import die_with_parent
from sandbox.severing import Links

# The workload's own logger of requests.
_requests = logging.getLogger("news_api.request")
_waited: ContextVar[float] = ContextVar("waited", default=0.0)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Live:
    """The faults in force for one task; `service` is `cluster/service`, `version` an image tag."""

    def __init__(self, watched: Watched, service: str, version: str) -> None:
        self._watched = watched
        self._who = {"service": service, "version": version}
        self._dice = random.Random()
        self._seed: int | None = None

    @classmethod
    def of_this_task(cls) -> Live:
        """Read from the environment who this task is and where its faults are written."""
        path = os.environ.get(VARIABLE)
        watched = Watched(Path(path) if path else None)
        return cls(
            watched, os.environ.get("SANDBOX_SERVICE", ""), os.environ.get("APP_VERSION", "")
        )

    def strike(self) -> int | None:
        """Wait as long as the faults say; the HTTP status to fail with, None to go on."""
        faults = self._watched.faults
        rows = [row for row in faults["tasks"] if self._concerned(row)]
        if not rows:
            return None
        if faults["seed"] != self._seed:
            self._seed = faults["seed"]
            self._dice.seed(self._seed)
        struck = [row for row in rows if self._dice.random() < row["share"]]
        time.sleep(sum(row.get("seconds", 0.0) for row in struck))
        return next((int(row["status"]) for row in struck if "status" in row), None)

    def _concerned(self, row: Mapping[str, Any]) -> bool:
        return all(row.get(key) in (None, value) for key, value in self._who.items())


class Faulty:
    """Wraps a WSGI application; health checks only fail when the image is meant to be unhealthy."""

    def __init__(
        self, inner: Wsgi, fault: Mapping[str, float], live: Live, links: Links | None = None
    ) -> None:
        self._inner = inner
        self._live = live
        self._links = links or Links([])
        self._error_rate = float(fault.get("error_rate", 0))
        self._slow_every = int(fault.get("slow_every", 0))
        self._slow_seconds = float(fault.get("slow_seconds", 0))
        self._unhealthy = bool(fault.get("unhealthy"))
        self._numbers = itertools.count(1)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        started = time.perf_counter()
        if environ.get("PATH_INFO") == "/healthz":
            if self._unhealthy:
                return _fail(start_response, 503, "not ready")
            return self._inner(environ, start_response)
        if self._slow_every and next(self._numbers) % self._slow_every == 0:
            time.sleep(self._slow_seconds)
        status = self._live.strike()
        if status is None and random.random() < self._error_rate:
            status = 500
        _waited.set(1000 * (time.perf_counter() - started))
        if status is not None:
            _log_failure(environ, status)
            return _fail(start_response, status, "internal error")
        return self._inner(environ, start_response)


class Slow(logging.Filter):
    """Adds what a fault waited to the time that the application measured itself."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Change one line about a request."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        if "milliseconds" in fields:
            fields["milliseconds"] = round(fields["milliseconds"] + _waited.get(), 2)
        return True


def _log_failure(environ: Mapping[str, Any], status: int) -> None:
    """The line that the application would have written about a request that it failed."""
    trace = environ.get("HTTP_X_AMZN_TRACE_ID", "")[:256]
    fields = {
        "request_id": trace.removeprefix("Root="),
        "method": environ.get("REQUEST_METHOD", ""),
        "path": environ.get("PATH_INFO", ""),
        "status": status,
        "milliseconds": 0.0,
        "version": os.environ.get("APP_VERSION", ""),
        "trace": trace,
    }
    _requests.error("internal error", extra={"fields": fields})


def _fail(start_response: Callable[..., Any], status: int, message: str) -> Iterable[bytes]:
    body = json.dumps({"error": message, "version": os.environ.get("APP_VERSION", "")}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(f"{status} {HTTPStatus(status).phrase}", headers)
    return [body]


def _load() -> Wsgi:
    """Import the workload by name: the sandbox depends on no package of this repository."""
    die_with_parent()
    inner: Wsgi = importlib.import_module("news_api.wsgi").application
    _requests.addFilter(Slow())
    fault = json.loads(os.environ.get("SANDBOX_FAULT", "{}"))
    return charged(Faulty(inner, fault, Live.of_this_task(), Links.of_this_task()))


def __getattr__(name: str) -> Any:
    """Load the workload when gunicorn asks for it, so that tests can import Faulty alone."""
    if name == "application":
        return _load()
    raise AttributeError(name)
