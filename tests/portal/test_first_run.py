"""`first_run --migrate` on an empty database, as `bin/up` calls it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from launcher.paths import CHECKOUT
from portal.environment import database

NAME = f"first_run_{os.getpid()}"


@pytest.fixture
def empty_database() -> Iterator[str]:
    """Return the URL of a database in which there is nothing."""
    server = os.environ["DATABASE_URL"]
    ours = f"/{database(server)['NAME']}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"create database {NAME}")
        yield server.replace(ours, f"/{NAME}", 1)
        connection.execute(f"drop database {NAME} with (force)")


def first_run(url: str, home: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "manage.py", "first_run", "--migrate"],
        cwd=CHECKOUT,
        env=os.environ | {"DATABASE_URL": url, "QUARTERDECK_HOME": str(home)},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.splitlines()


def test_an_empty_database_is_migrated_before_anybody_is_made(
    empty_database: str, tmp_path: Path
) -> None:
    said = first_run(empty_database, tmp_path)
    again = first_run(empty_database, tmp_path)

    assert said[0] == again[0] == "migrated"
    assert [user["username"] for user in json.loads(said[1])["users"]] == [
        "admin",
        "anna",
        "olga",
        "vera",
    ]
    assert json.loads(again[1]) == {"users": []}
    with psycopg.connect(empty_database) as connection:
        assert connection.execute("select count(*) from catalog_user").fetchone() == (4,)


def test_without_the_option_nothing_is_migrated(empty_database: str) -> None:
    refused = subprocess.run(
        [sys.executable, "manage.py", "first_run"],
        cwd=CHECKOUT,
        env=os.environ | {"DATABASE_URL": empty_database},
        capture_output=True,
        text=True,
        check=False,
    )

    assert refused.returncode == 1
    assert "catalog_user" in refused.stderr
