"""Who is asking, from where: set by the middleware, read by logs and by the audit log."""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RequestContext:
    request_id: str = ""
    address: str = ""
    user: str = ""


_NOBODY = RequestContext()
current: ContextVar[RequestContext] = ContextVar("request_context", default=_NOBODY)
