"""A throw-away database with a fleet in it, and a way to ask the portal without a network.

Needs DATABASE_URL of a server on which databases may be made (`python -m launcher run -- …`).
"""

from __future__ import annotations

import logging
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Any

import django

os.environ["QUARTERDECK_ENV"] = "test"
os.environ["DJANGO_SETTINGS_MODULE"] = "portal.settings"
django.setup()

import numpy as np  # noqa: E402
from django.conf import settings  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.core.wsgi import get_wsgi_application  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from catalog.models import Account, Service, User  # noqa: E402
from monitoring import operations, queries, timeseries  # noqa: E402
from monitoring.blocks import Floats  # noqa: E402
from monitoring.models import Collection  # noqa: E402
from monitoring.resources import layout_for  # noqa: E402

SERVICES, DAYS = 50, 14
TURN = 10
_ARN = "arn:aws:elasticloadbalancing:us-east-1:123456789012:targetgroup"


@contextmanager
def throw_away_database() -> Iterator[None]:
    """Make a database with all migrations, and drop it afterwards."""
    before = connection.settings_dict["NAME"]
    connection.creation.create_test_db(verbosity=0, autoclobber=True, serialize=False)
    try:
        yield
    finally:
        connection.creation.destroy_test_db(before, verbosity=0)


def seed(*, services: int = SERVICES, days: int = DAYS) -> list[Service]:
    """Fill the store with so many services and days of all series, as the collector would."""
    at = timezone.now()
    account = Account.objects.create(
        account_id="123456789012", name="Benchmark", region="us-east-1", read_at=at
    )
    made = [_service(account, number, at) for number in range(services)]
    start = (at - timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    end = at.replace(second=0, microsecond=0)
    for service in made:
        _fill(service, start, end, at)
    operations.compact(at=at)
    hour = end - timedelta(minutes=timeseries.MINUTES)
    timeseries.put_now(hour, queries.golden_hour(made, start=hour, end=end))
    with connection.cursor() as cursor:
        cursor.execute("analyze")
    return made


def _service(account: Account, number: int, at: datetime) -> Service:
    name = f"service-{number:03d}"
    return Service.objects.create(
        account=account,
        region="us-east-1",
        cluster="production",
        name=name,
        arn=f"arn:aws:ecs:us-east-1:123456789012:service/production/{name}",
        slug=f"production-{name}",
        title=f"Service {number}",
        environment="production",
        desired_count=2,
        running_count=2,
        image=f"{name}:1.4.0",
        load_balancer=f"app/{name}/0123456789abcdef",
        target_groups=[f"{_ARN}/{name}-{colour}/0123456789abcdef" for colour in ("blue", "green")],
        db_instance=name,
        cache_cluster=f"{name}-001",
        read_at=at,
    )


def _fill(service: Service, start: datetime, end: datetime, at: datetime) -> None:
    layout = layout_for(service)
    number = timeseries.layout_id(layout)
    minutes = int((end - start).total_seconds()) // 60
    values = _values(service.pk, minutes, layout.additive)
    block = timeseries.Block(service.pk, number, int(start.timestamp()), values)
    timeseries.write([block], at=at)
    Collection.objects.create(
        service=service, due_at=at, backfill_floor=start.date(), collected_at=at, watermark=at
    )


def _values(seed_: int, minutes: int, additive: Any) -> Floats:
    """Counts with a daily shape where minutes add up, full-mantissa gauges elsewhere."""
    random = np.random.default_rng(seed_)
    shape = 600 + 400 * np.sin(np.arange(minutes) * 2 * np.pi / 1440)
    values = random.lognormal(0, 0.2, (minutes, len(additive))) * 0.2
    values[:, additive] = random.poisson(shape[:, None], (minutes, int(additive.sum())))
    return values.astype(np.float32)


@dataclass(frozen=True, slots=True)
class Timing:
    """Milliseconds on the clock (median, 95th percentile) and of this process's CPU (mean).

    `queries` and `size` (of the body, in bytes) are of one call.
    """

    median: float
    p95: float
    cpu: float
    queries: int = 0
    size: int = 0


@dataclass(frozen=True, slots=True)
class Question:
    """Something to measure, and the statements and bytes that one answer takes."""

    ask: Callable[[], object]
    queries: int = 0
    size: int = 0


class Portal:
    """The portal's WSGI application with somebody signed in, called without a server.

    It writes its log, if to nowhere, and serves static files as in production.
    """

    def __init__(self) -> None:
        settings.ROOT_URLCONF = "benchmarks.urls"
        settings.WHITENOISE_AUTOREFRESH = settings.WHITENOISE_USE_FINDERS = False
        self.application = get_wsgi_application()
        (handler,) = logging.getLogger().handlers
        handler.setStream(Path(os.devnull).open("w"))  # type: ignore[attr-defined]  # noqa: SIM115
        self.cookie = f"{settings.SESSION_COOKIE_NAME}={_session()}"

    def get(self, path: str, **headers: str) -> tuple[int, dict[str, str], int]:
        """Return status, headers and the size of the body."""
        answer: dict[str, Any] = {}

        def start_response(status: str, sent: list[tuple[str, str]], *_: Any) -> None:
            answer.update(status=int(status.split(maxsplit=1)[0]), headers=dict(sent))

        body = self.application(self._environ(path, headers), start_response)
        size = sum(map(len, body))
        body.close()
        return answer["status"], answer["headers"], size

    def _environ(self, path: str, headers: dict[str, str]) -> dict[str, Any]:
        where, _, query = path.partition("?")
        return {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": where,
            "QUERY_STRING": query,
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_HOST": "localhost",
            "HTTP_COOKIE": self.cookie,
            "wsgi.url_scheme": "http",
            "wsgi.input": BytesIO(),
            "wsgi.errors": BytesIO(),
            **headers,
        }

    def question(self, path: str, *, expected: int = 200, **headers: str) -> Question:
        """Return a request after a warm-up; anything but `expected` ends the benchmark."""
        ask = partial(self.get, path, **headers)
        for _ in range(6):  # so often PostgreSQL plans a statement before it is prepared
            status, _, size = ask()
            if status != expected:
                raise SystemExit(f"{path} answered {status}, not {expected}")
        return Question(ask, count_queries(ask), size)

    def timed(self, path: str, *, rounds: int, expected: int = 200, **headers: str) -> Timing:
        """Ask so many times in a row."""
        question = self.question(path, expected=expected, **headers)
        return taking_turns({path: question}, rounds=rounds)[path]


def _session() -> str:
    user = User.objects.create_user(username="bench", role="viewer")
    session = SessionStore()
    session[SESSION_KEY] = str(user.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = user.get_session_auth_hash()
    session.create()
    return str(session.session_key)


def timed(call: Callable[[], object], *, rounds: int) -> Timing:
    """Return how long one call takes."""
    return taking_turns({"": Question(call)}, rounds=rounds)[""]


def taking_turns(questions: Mapping[str, Question], *, rounds: int) -> dict[str, Timing]:
    """Ask everything so often, ten times at a turn: what slows the machine slows all alike."""
    wall: dict[str, list[float]] = {name: [] for name in questions}
    cpu: Counter[str] = Counter()
    for _ in range(rounds // TURN):
        for name, question in questions.items():
            cpu[name] += _turn(question, wall[name])
    return {
        name: Timing(
            statistics.median(wall[name]),
            statistics.quantiles(wall[name], n=20)[-1],
            1000 * cpu[name] / len(wall[name]),
            question.queries,
            question.size,
        )
        for name, question in questions.items()
    }


def _turn(question: Question, wall: list[float]) -> float:
    """Ask ten times, note the milliseconds of each, and return the seconds of CPU of all."""
    cpu = time.process_time()
    for _ in range(TURN):
        before = time.perf_counter()
        question.ask()
        wall.append(1000 * (time.perf_counter() - before))
    return time.process_time() - cpu


def count_queries(call: Callable[[], object]) -> int:
    """Return how many statements one call sends."""
    count = 0

    def counted(execute: Any, sql: Any, parameters: Any, many: Any, context: Any) -> Any:
        nonlocal count
        count += 1
        return execute(sql, parameters, many, context)

    with connection.execute_wrapper(counted):
        call()
    return count


def select_one() -> None:
    """The least a page can ask of the database."""
    with connection.cursor() as cursor:
        cursor.execute("select 1")
        cursor.fetchone()


def report(rows: dict[str, Timing], *, unit: str, floor: str) -> None:
    """Print the timings as a Markdown table; the ratios are of CPU, which neighbours blur less."""
    print(f"| what | median ms | p95 ms | CPU ms | queries | body kB | × {unit} | × {floor} |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for name, row in rows.items():
        ratios = [row.cpu / rows[base].cpu for base in (unit, floor)]
        print(
            f"| {name} | {row.median:.2f} | {row.p95:.2f} | {row.cpu:.2f} | {row.queries} "
            f"| {row.size / 1000:.1f} | {ratios[0]:.1f} | {ratios[1]:.1f} |"
        )
