from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.test import Client, RequestFactory, override_settings
from django.utils import timezone

from catalog import schedule
from catalog.models import JobRun
from portal import health
from tests import make

pytestmark = pytest.mark.django_db
NOBODY_LISTENS = "redis://127.0.0.1:9/0"


def states(client: Client) -> dict[str, str]:
    return {check["name"]: check["state"] for check in client.get("/readyz").json()["checks"]}


def heartbeat(age: timedelta = timedelta(0)) -> None:
    at = timezone.now() - age
    schedule.claim_slot(job="catalog.discover", every=timedelta(seconds=30), at=at)
    with schedule.recorded("catalog.discover"):
        pass


def test_the_process_answers_without_the_database(client: Client) -> None:
    with connection.execute_wrapper(lambda *_: pytest.fail("asked the database")):
        answer = client.get("/healthz")

    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_everything_is_well(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "BROKER_SECONDS", 200)
    make.account(read_at=timezone.now())
    heartbeat()

    answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "ok"
    assert set(states(client)) == {"database", "migrations", "broker", "worker", "aws"}


def test_without_the_broker_the_portal_is_degraded_and_still_ready(client: Client) -> None:
    with override_settings(REDIS_URL=NOBODY_LISTENS):
        answer = client.get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["status"] == "degraded"


def test_a_dead_broker_is_named(client: Client) -> None:
    with override_settings(REDIS_URL=NOBODY_LISTENS):
        assert states(client)["broker"] == "degraded"


def test_a_job_that_ends_during_the_request_is_no_time_ago(client: Client) -> None:
    heartbeat()
    JobRun.objects.update(finished_at=timezone.now() + timedelta(minutes=1))

    checks = {check["name"]: check["detail"] for check in client.get("/readyz").json()["checks"]}

    assert checks["worker"] == "last job 0 s ago"


def test_a_silent_worker_is_noticed() -> None:
    heartbeat()
    later = JobRun.objects.get().finished_at + timedelta(minutes=3)

    worker = {check.name: check for check in health.read(at=later)}["worker"]

    assert (worker.state, worker.detail) == ("degraded", "last job 180 s ago")


def test_a_portal_that_has_not_worked_yet_says_so(client: Client) -> None:
    assert states(client)["worker"] == "degraded"
    assert states(client)["aws"] == "degraded"


def test_an_account_read_long_ago_is_degraded(client: Client) -> None:
    make.account(read_at=timezone.now() - timedelta(minutes=4))

    assert states(client)["aws"] == "degraded"


def test_an_account_that_cannot_be_read_is_degraded_without_details(client: Client) -> None:
    make.account(read_at=timezone.now(), read_error="secret-looking text")

    answer = client.get("/readyz")

    assert states(client)["aws"] == "degraded"
    assert b"secret-looking" not in answer.content


def test_missing_migrations_are_degraded(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    health._unapplied.cache_clear()
    monkeypatch.setattr(
        health.MigrationExecutor, "migration_plan", lambda *_: [("one", False), ("two", False)]
    )

    found = {check["name"]: check for check in client.get("/readyz").json()["checks"]}

    assert found["migrations"]["detail"] == "2 not applied"


def test_without_the_database_the_portal_is_not_ready() -> None:
    def down(*_: object) -> None:
        raise OperationalError("connection refused at 10.0.0.1")

    with connection.execute_wrapper(down):
        answer = health.readyz(RequestFactory().get("/readyz"))

    assert answer.status_code == 503
    assert b'"status": "down"' in answer.content
    assert b"10.0.0.1" not in answer.content
