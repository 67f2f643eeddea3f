"""WSGI entry of a News API task: the real application, with the fault its image was built with.

gunicorn imports `application` in the worker. `SANDBOX_FAULT` is a JSON object with any of
`error_rate` (share of requests answered 500), `slow_every` and `slow_seconds` (every n-th request
waits), and `unhealthy` (the health check fails).
"""

from __future__ import annotations

import importlib
import itertools
import json
import os
import random
import time
from collections.abc import Callable, Iterable
from typing import Any

from sandbox.fargate import charged
from sandbox.processes import die_with_parent

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Faulty:
    """Wraps a WSGI application; health checks only fail when the image is meant to be unhealthy."""

    def __init__(self, inner: Wsgi, fault: dict[str, float]) -> None:
        self._inner = inner
        self._error_rate = float(fault.get("error_rate", 0))
        self._slow_every = int(fault.get("slow_every", 0))
        self._slow_seconds = float(fault.get("slow_seconds", 0))
        self._unhealthy = bool(fault.get("unhealthy"))
        self._numbers = itertools.count(1)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Answer one request."""
        if environ.get("PATH_INFO") == "/healthz":
            if self._unhealthy:
                return _fail(start_response, "503 Service Unavailable", "not ready")
            return self._inner(environ, start_response)
        if self._slow_every and next(self._numbers) % self._slow_every == 0:
            time.sleep(self._slow_seconds)
        if random.random() < self._error_rate:
            return _fail(start_response, "500 Internal Server Error", "internal error")
        return self._inner(environ, start_response)


def _fail(start_response: Callable[..., Any], status: str, message: str) -> Iterable[bytes]:
    body = json.dumps({"error": message, "version": os.environ.get("APP_VERSION", "")}).encode()
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response(status, headers)
    return [body]


def _load() -> Wsgi:
    """Import the workload by name: the sandbox depends on no package of this repository."""
    die_with_parent()
    inner: Wsgi = importlib.import_module("news_api.wsgi").application
    fault = json.loads(os.environ.get("SANDBOX_FAULT", "{}"))
    return charged(Faulty(inner, fault) if fault else inner)


def __getattr__(name: str) -> Any:
    """Load the workload when gunicorn asks for it, so that tests can import Faulty alone."""
    if name == "application":
        return _load()
    raise AttributeError(name)
