"""Releases while things break: the whole stack with real PostgreSQL, Valkey and ECS sandbox."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psycopg
import pytest
import redis

from tests.stack import Stack, wait_for

pytestmark = [pytest.mark.stack, pytest.mark.timeout(900)]

IMAGE = "1.4.1"
SERVES = f"{IMAGE} serves all traffic."
BUSY = """
select 1 from pg_stat_activity
where state <> 'idle' and pid <> pg_backend_pid() and backend_type = 'client backend'
union all
select 1 from catalog_operation where lease_until > now()
"""


def test_a_lost_answer_to_update_service_starts_one_deployment(account, olga):
    account.fail("UpdateService", "late-apply", count=1)

    path = olga.release(IMAGE, "hotfix", bake="0")

    olga.sees(path, SERVES)
    assert account.count("UpdateService") == 1


def test_a_lost_answer_to_an_approval_continues_once(account, olga, anna):
    path = olga.release(IMAGE, "canary", percent="50", canary_bake="1", bake="0")
    anna.sees(path, f"Promote {IMAGE}")
    answered = account.count("ContinueServiceDeployment")
    account.fail("ContinueServiceDeployment", "late-apply", count=1)

    anna.approve(path)

    olga.sees(path, SERVES)
    assert account.count("ContinueServiceDeployment") == answered + 1


def test_a_throttled_update_service_is_sent_again(account, olga):
    account.fail("UpdateService", "error", count=2)

    path = olga.release(IMAGE, "hotfix", bake="0")

    olga.sees(path, SERVES)
    assert account.count("UpdateService") == 3


def test_a_missing_permission_is_named_and_the_next_release_works(account, olga):
    account.fail("UpdateService", "access-denied")
    refused = olga.release(IMAGE, "hotfix", bake="0")
    olga.sees(refused, "lack the permission ecs:UpdateService")
    account.in_order()

    path = olga.release(IMAGE, "hotfix", bake="0")

    olga.sees(path, SERVES)


def test_a_refused_rollback_is_said_and_works_once_it_is_allowed(account, olga):
    path = olga.release(IMAGE, "canary", percent="50", canary_bake="1", bake="0")
    olga.sees(path, "An approver can let this go on")
    account.fail("StopServiceDeployment", "access-denied")
    olga.roll_back(path)
    olga.sees(path, "AWS refused the rollback")
    account.in_order()

    olga.roll_back(path)

    olga.sees(path, "serves all traffic again")


def test_killed_web_and_worker_lose_and_repeat_nothing(stack, account, olga):
    path = olga.ask_for(IMAGE, "hotfix", bake="0")
    account.fail("UpdateService", "late-apply", count=1)
    olga.start(path)
    wait_for(lambda: account.count("UpdateService"), seconds=300, what="UpdateService")

    stack.kill("worker")
    stack.kill("web")

    olga.sees(path, SERVES)
    assert account.count("UpdateService") == 1


def test_an_emptied_broker_loses_nothing(stack, account, olga):
    path = olga.release(IMAGE, "hotfix", bake="0")
    broker = redis.Redis.from_url(_environment(stack)["REDIS_URL"])

    broker.flushall()
    broker.close()

    olga.sees(path, SERVES)
    assert account.count("UpdateService") == 1


def test_a_restarted_postgresql_loses_nothing(stack, account, olga):
    path = olga.release(IMAGE, "hotfix", bake="0")

    os.kill(stack.pid("postgres"), signal.SIGKILL)

    olga.sees(path, SERVES)
    assert account.count("UpdateService") == 1


def test_a_rollback_works_while_the_worker_is_dead(stack, account, olga):
    path = olga.release(IMAGE, "canary", percent="50", canary_bake="1", bake="0")
    olga.sees(path, "An approver can let this go on")
    pause_between_operations(stack, stack.pid("worker"))

    try:
        olga.roll_back(path)
        stopped = account.count("StopServiceDeployment")
    finally:
        os.kill(stack.pid("worker"), signal.SIGCONT)

    assert stopped == 1
    olga.sees(path, "serves all traffic again")


def pause_between_operations(stack: Stack, pid: int) -> None:
    """A process that is stopped within one keeps its row locks and its lease for a while."""
    with psycopg.connect(_environment(stack)["DATABASE_URL"], autocommit=True) as database:
        for _ in range(200):
            os.kill(pid, signal.SIGSTOP)
            time.sleep(0.05)
            if not database.execute(BUSY).fetchall():
                return
            os.kill(pid, signal.SIGCONT)
            time.sleep(0.02)
    raise AssertionError("the worker was never between two operations")


def _environment(stack: Stack) -> dict[str, str]:
    """What the supervisor gave the portal's web process."""
    entries = Path(f"/proc/{stack.pid('web')}/environ").read_text().split("\0")
    return dict(entry.split("=", 1) for entry in entries if "=" in entry)
