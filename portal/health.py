"""Is the portal alive, and what of it works: for load balancers, supervisors and people."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import cache

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.db.migrations.executor import MigrationExecutor
from django.db.models import Max, Min
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone
from django.views.decorators.http import require_safe

from catalog.models import Account, JobRun

OK, DEGRADED, DOWN = "ok", "degraded", "down"
SILENT_AFTER = timedelta(minutes=2)
STALE_AFTER = timedelta(minutes=3)
BROKER_SECONDS = 1


@dataclass(frozen=True)
class Check:
    """One part of the portal: its state and what was seen, without secrets or addresses."""

    name: str
    state: str
    detail: str


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    """The process answers; nothing else is claimed."""
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """Answer 503 only when no page can work: without the database."""
    checks = read(at=timezone.now())
    states = {check.state for check in checks}
    overall = next((state for state in (DOWN, DEGRADED) if state in states), OK)
    body = {"status": overall, "checks": [asdict(check) for check in checks]}
    return JsonResponse(body, status=503 if overall == DOWN else 200)


def read(*, at: datetime) -> list[Check]:
    """Look at all parts. Without the database the rest cannot be known."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("select 1")
        return [
            Check("database", OK, "answers"),
            _migrations(),
            _broker(),
            _worker(at),
            _aws(at),
        ]
    except (OperationalError, InterfaceError) as error:
        return [Check("database", DOWN, type(error).__name__)]


def _migrations() -> Check:
    missing = _unapplied()
    if not missing:
        return Check("migrations", OK, "all applied")
    _unapplied.cache_clear()
    return Check("migrations", DEGRADED, f"{missing} not applied")


@cache
def _unapplied() -> int:
    """Return how many migrations the code knows and the database does not."""
    executor = MigrationExecutor(connection)
    return len(executor.migration_plan(executor.loader.graph.leaf_nodes()))


def _broker() -> Check:
    # Imported here: it takes a tenth of a second that no first page needs.
    from redis import Redis
    from redis.exceptions import RedisError

    try:
        with Redis.from_url(
            settings.REDIS_URL,
            socket_connect_timeout=BROKER_SECONDS,
            socket_timeout=BROKER_SECONDS,
        ) as client:
            client.ping()
    except RedisError as error:
        return Check("broker", DEGRADED, f"{type(error).__name__}: work waits in the database")
    return Check("broker", OK, "answers")


def _worker(at: datetime) -> Check:
    newest = JobRun.objects.aggregate(newest=Max("finished_at"))["newest"]
    if newest is None:
        return Check("worker", DEGRADED, "no job has finished yet")
    # A job may finish between the moment of the request and this look.
    age = max(at - newest, timedelta(0))
    state = DEGRADED if age > SILENT_AFTER else OK
    return Check("worker", state, f"last job {age.total_seconds():.0f} s ago")


def _aws(at: datetime) -> Check:
    if Account.objects.exclude(read_error="").exists():
        return Check("aws", DEGRADED, "an account cannot be read")
    oldest = Account.objects.aggregate(oldest=Min("read_at"))["oldest"]
    if oldest is None:
        return Check("aws", DEGRADED, "not read yet")
    age = at - oldest
    state = DEGRADED if age > STALE_AFTER else OK
    return Check("aws", state, f"read {age.total_seconds():.0f} s ago")
