"""The embedded PostgreSQL and Valkey, as real servers in throw-away homes."""

from __future__ import annotations

import os

import psycopg
import redis


def test_tests_run_on_postgresql_16():
    with psycopg.connect(os.environ["DATABASE_URL"]) as connection:
        (version,) = connection.execute("SHOW server_version_num").fetchone()

    assert int(version) // 10000 == 16


def test_tests_have_a_valkey_that_answers():
    assert redis.Redis.from_url(os.environ["REDIS_URL"]).ping()
