from __future__ import annotations

import psycopg

from news_api.locks import Lock
from tests.news_api.service import PATIENCE_SECONDS, Server, Service, wait_for

WAITING = """
SELECT count(*) FROM pg_locks
WHERE NOT granted AND locktype = 'advisory'
  AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def test_tasks_that_migrate_at_once_take_turns(service: Service, db: psycopg.Connection) -> None:
    db.execute("SELECT pg_advisory_lock(%s)", [int(Lock.MIGRATE)])
    tasks = [service.start("migrate"), service.start("migrate")]
    wait_for(lambda: db.execute(WAITING).fetchone() == (2,))

    db.execute("SELECT pg_advisory_unlock(%s)", [int(Lock.MIGRATE)])

    assert [task.popen.wait(PATIENCE_SECONDS) for task in tasks] == [0, 0]


def test_the_models_need_no_further_migration(service: Service) -> None:
    checked = service.run("migrate", "--check")

    assert checked.returncode == 0, checked.stdout + checked.stderr


def test_a_server_without_a_secret_does_not_start(service: Service) -> None:
    refused = service.run("serve", NEWS_SECRET_KEY="")

    assert refused.returncode == 1
    assert "NEWS_SECRET_KEY must be set" in refused.stderr


def test_the_health_check_tells_a_living_server_from_a_dead_one(
    service: Service, server: Server
) -> None:
    living = f"127.0.0.1:{server.http.base_url.port}"

    assert service.run("healthcheck", "--address", living).returncode == 0
    assert service.run("healthcheck", "--address", "127.0.0.1:1").returncode == 1
