"""Is the process alive, and can it serve."""

from __future__ import annotations

from django.db import Error as DatabaseError
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from news_api import cache, settings
from news_api.resp import CacheUnavailable


def healthz(request: HttpRequest) -> HttpResponse:
    """Answer without asking anybody else: a dead database must not make ECS kill every task."""
    return JsonResponse({"status": "ok", "version": settings.APP_VERSION})


def readyz(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database is down; without the cache we are slower, not down."""
    database = _database()
    status = 200 if database == "ok" else 503
    return JsonResponse({"database": database, "cache": _cache()}, status=status)


def _database() -> str:
    try:
        with connection.cursor() as statement:
            statement.execute("SELECT 1")
    except DatabaseError:
        return "down"
    return "ok"


def _cache() -> str:
    server = cache.valkey()
    if server is None:
        return "off"
    try:
        server.execute("PING")
    except CacheUnavailable:
        return "degraded"
    return "ok"
