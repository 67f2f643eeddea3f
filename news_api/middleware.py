"""What every request gets: an id, a log line, a latency, and the headers of this release."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from news_api import logs, settings
from news_api.metrics import aggregator

GetResponse = Callable[[HttpRequest], HttpResponse]

PROBES = frozenset({"/healthz", "/readyz"})
_SANE = re.compile(r"[A-Za-z0-9._:=-]{1,128}")
_TRACE_ROOT = re.compile(r"(?:^|;)Root=(1-[0-9a-f]{8}-[0-9a-f]{24})(?:;|$)")
_log = logging.getLogger("news_api.request")


def observe(get_response: GetResponse) -> GetResponse:
    """Wrap a request in its id, timing and metrics."""

    def handle(request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        token = logs.request_id.set(request_id(request))
        try:
            response = get_response(request)
            _add_headers(request, response)
            _record(request, response, (time.perf_counter() - started) * 1000)
            return response
        finally:
            logs.request_id.reset(token)

    return handle


def request_id(request: HttpRequest) -> str:
    """Return the caller's id or the load balancer's trace id if it is sane, else a new one."""
    given = request.headers.get("X-Request-Id", "")
    if _SANE.fullmatch(given):
        return given
    trace = _TRACE_ROOT.search(request.headers.get("X-Amzn-Trace-Id", ""))
    return trace.group(1) if trace else uuid.uuid4().hex


def _add_headers(request: HttpRequest, response: HttpResponse) -> None:
    response["X-Request-Id"] = logs.request_id.get()
    response["X-App-Version"] = settings.APP_VERSION
    response["X-Content-Type-Options"] = "nosniff"
    # Without it gunicorn sends chunks, at two more writes per answer.
    response["Content-Length"] = str(len(response.content))
    for name, value in getattr(request, "rate_limit", {}).items():
        response[name] = value


def _record(request: HttpRequest, response: HttpResponse, milliseconds: float) -> None:
    probe = request.path in PROBES
    if not probe:
        status = response.status_code
        aggregator.count(
            Requests=1, Errors=int(status >= 500), ClientErrors=int(400 <= status < 500)
        )
        aggregator.observe(milliseconds)
    _log.log(
        logging.DEBUG if probe else logging.INFO,
        "request",
        extra={
            "fields": {
                "method": request.method,
                "path": request.path,
                "status": response.status_code,
                "milliseconds": round(milliseconds, 2),
                "version": settings.APP_VERSION,
                "cache": response.get("X-Cache", ""),
                "trace": request.headers.get("X-Amzn-Trace-Id", "")[:256],
            }
        },
    )
