"""Database and cache that the tasks reach through relays, and can lose."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest
import redis

from sandbox import relays
from sandbox.state import State
from tests.sandbox.account import LIMIT, wait_until

SOCKETS = Path("/tmp/qd-x")


def told(environment):
    """The environment of the tasks, and what the relays are told."""
    plans = relays.plans(environment, SOCKETS)
    return relays.environment(environment, plans), [plan.argument() for plan in plans]


def test_unix_sockets_are_relayed_by_unix_sockets():
    environment, arguments = told(
        {
            "NEWS_DATABASE_URL": "postgresql:///news?host=/run/pg&user=news",
            "NEWS_REDIS_URL": "unix:///run/valkey.sock?db=1",
        }
    )

    database = "postgresql:///news?user=news&host=/tmp/qd-x&port=5432"
    assert environment["NEWS_DATABASE_URL"] == database
    assert environment["NEWS_REDIS_URL"] == "unix:///tmp/qd-x/cache?db=1"
    assert environment["SANDBOX_LINKS"] == "/tmp/qd-x/.s.PGSQL.5432:/tmp/qd-x/cache"
    assert arguments == [
        {"name": "database", "link": "/tmp/qd-x/.s.PGSQL.5432", "path": "/run/pg/.s.PGSQL.5432"},
        {"name": "cache", "link": "/tmp/qd-x/cache", "path": "/run/valkey.sock"},
    ]


def test_credentials_stay_and_ports_are_followed():
    environment, arguments = told(
        {
            "NEWS_DATABASE_URL": "postgresql://news:p%40ss@db:5433/news",
            "NEWS_REDIS_URL": "redis://:secret@cache:6380/2",
        }
    )

    database = "postgresql://news:p%40ss@/news?host=/tmp/qd-x&port=5433"
    assert environment["NEWS_DATABASE_URL"] == database
    assert environment["NEWS_REDIS_URL"] == "unix://:secret@/tmp/qd-x/cache?db=2"
    assert [(one["host"], one["port"]) for one in arguments] == [("db", 5433), ("cache", 6380)]


@pytest.mark.parametrize(
    "environment",
    [
        {"NEWS_DATABASE_URL": "postgresql://db/news?sslmode=verify-full"},
        {"NEWS_REDIS_URL": "rediss://cache:6379/1"},
        {"NEWS_REDIS_URL": ""},
        {},
    ],
)
def test_what_cannot_be_relayed_is_left_alone(environment):
    assert told(environment) == ({**environment, "SANDBOX_LINKS": ""}, [])


@pytest.fixture
def through_relays(account):
    """Ways to ask database and cache as the account's tasks do."""
    state = State(account.home / "ecs.sqlite")
    sockets = Path(state.get("account", "sockets"))
    state.close()
    given = {name: os.environ[name] for name in ("NEWS_DATABASE_URL", "NEWS_REDIS_URL")}
    environment = relays.environment(given, relays.plans(given, sockets))

    def database():
        with psycopg.connect(environment["NEWS_DATABASE_URL"], connect_timeout=LIMIT) as connection:
            return connection.execute("SELECT 1").fetchone()[0]

    def cache():
        with redis.Redis.from_url(environment["NEWS_REDIS_URL"], socket_timeout=LIMIT) as client:
            return client.ping()

    return {"database": database, "cache": cache}


@pytest.mark.parametrize(
    ("which", "error"), [("database", psycopg.OperationalError), ("cache", redis.ConnectionError)]
)
def test_a_dependency_that_is_down_refuses_until_it_is_back(account, through_relays, which, error):
    ask = through_relays[which]
    assert ask()

    account.control("POST", "faults", {"fault": "dependency", "which": which})
    wait_until(lambda: not _answers(ask, error))
    with pytest.raises(error):
        ask()

    account.control("DELETE", "faults")
    wait_until(lambda: _answers(ask, error))


def _answers(ask, error):
    try:
        return ask()
    except error:
        return False
