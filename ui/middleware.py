"""HTTP manners every page shares."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string

from ui.request_context import RequestContext, current

Next = Callable[[HttpRequest], HttpResponse]
_SANE_ID = re.compile(r"[\w.=;:-]{8,128}")


class RequestContextMiddleware:
    """Gives each request an id, puts it into logs and audit entries, and answers with it."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        sent = request.headers.get("X-Request-Id", "")
        request_id = sent if _SANE_ID.fullmatch(sent) else uuid.uuid4().hex
        address = request.META.get("REMOTE_ADDR", "")
        token = current.set(RequestContext(request_id=request_id, address=address))
        try:
            response = self.get_response(request)
        finally:
            current.reset(token)
        response["X-Request-Id"] = request_id
        return response


class DatabaseDownMiddleware:
    """Answers 503 with a plain explanation while PostgreSQL is away, instead of a stack trace."""

    def __init__(self, get_response: Next) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        page = render_to_string("ui/database_down.html")
        return HttpResponse(page, status=503, headers={"Retry-After": "5"})
