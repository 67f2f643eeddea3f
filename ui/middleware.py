"""HTTP manners every page shares."""

from __future__ import annotations

import logging
import re
import time
import uuid
from collections.abc import Callable

from django.core.exceptions import BadRequest
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.template.loader import render_to_string

from ui.request_context import RequestContext, current
from ui.traffic import Answered, route, traffic

Next = Callable[[HttpRequest], HttpResponse]
access = logging.getLogger("quarterdeck.access")
_SANE_ID = re.compile(r"[\w.=;:-]{8,128}", re.ASCII)
_UNLOGGED = ("/healthz", "/readyz", "/metrics", "/static/")


class RequestContextMiddleware:
    """Gives each request an id, counts and logs it, and answers with the id."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        started = time.perf_counter()
        sent = request.headers.get("X-Request-Id", "")
        request_id = sent if _SANE_ID.fullmatch(sent) else uuid.uuid4().hex
        address = request.META.get("REMOTE_ADDR", "")
        token = current.set(RequestContext(request_id=request_id, address=address))
        try:
            response = self.get_response(request)
            _note(request, response, time.perf_counter() - started)
        finally:
            current.reset(token)
        response["X-Request-Id"] = request_id
        return response


def _note(request: HttpRequest, response: HttpResponse, seconds: float) -> None:
    if request.path.startswith(_UNLOGGED):
        return
    method = request.method or ""
    traffic.observe(Answered(method, route(request), response.status_code), seconds)
    access.info(
        "%s %s %s",
        method,
        request.path,
        response.status_code,
        extra={
            "method": method,
            "path": request.path,
            "status": response.status_code,
            "duration_ms": round(seconds * 1000, 1),
        },
    )


class PrivatePagesMiddleware:
    """Keeps pages of signed-in people out of shared caches and other sites' windows."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Cache-Control", "private, no-cache")
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        return response


class StorableTextMiddleware:
    """Drops NULs, which no person types and PostgreSQL refuses, from what was sent."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, *_: object) -> None:
        """Clean the fields before any view, its gate or the audit log sees them.

        :raises BadRequest: for an address with a NUL; it is answered with 400.
        """
        if "\0" in request.path_info:
            raise BadRequest("NUL in the address")
        request.GET = _without_nul(request.GET)  # type: ignore[assignment]
        request.POST = _without_nul(request.POST)  # type: ignore[assignment]


def _without_nul(sent: QueryDict) -> QueryDict:
    if not any("\0" in text for texts in sent.lists() for text in texts[1]):
        return sent
    kept = sent.copy()
    for name, texts in sent.lists():
        kept.setlist(name, [text.replace("\0", "") for text in texts])
    return kept


class DatabaseDownMiddleware:
    """Answers 503 with a plain explanation while PostgreSQL is away, instead of a stack trace."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        logging.getLogger(__name__).error("database: %s", exception)
        return database_down()


def database_down() -> HttpResponse:
    """Return the page that needs no database."""
    page = render_to_string("ui/database_down.html")
    return HttpResponse(page, status=503, headers={"Retry-After": "5"})
