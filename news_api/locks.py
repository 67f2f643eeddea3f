"""Advisory locks: of several tasks that start the same work at once, one does it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import IntEnum

from django.db import connection


class Lock(IntEnum):
    """Numbers that only this service uses in its database."""

    MIGRATE = 0x6E657701
    INGEST = 0x6E657702


@contextmanager
def waiting_for(lock: Lock) -> Iterator[None]:
    """Hold ``lock``, after waiting as long as it takes."""
    with connection.cursor() as cursor:
        # Another task's migration may well take longer than a request ever should.
        cursor.execute("SET statement_timeout = 0")
        cursor.execute("SELECT pg_advisory_lock(%s)", [int(lock)])
    try:
        yield
    finally:
        _release(lock)


@contextmanager
def trying(lock: Lock) -> Iterator[bool]:
    """Hold ``lock`` if nobody else does; yields whether we hold it.

    PostgreSQL frees it by itself when the connection breaks.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [int(lock)])
        (held,) = cursor.fetchone()
    try:
        yield held
    finally:
        if held:
            _release(lock)


def _release(lock: Lock) -> None:
    # On a broken connection there is nothing left to release, and asking would hide why it broke.
    if not connection.is_usable():
        connection.close()
        return
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [int(lock)])
