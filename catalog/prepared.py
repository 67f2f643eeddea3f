"""Statements that PostgreSQL plans once for each connection and answers in binary.

Django's own cursors write the values into the text of a statement, so that PostgreSQL parses and
plans it every time, and they get bytea as hexadecimal digits. That is most of what a short request
costs. These cursors are for the few statements that every request sends.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, InterfaceError, OperationalError, connection, models
from django.db.backends.utils import CursorWrapper
from psycopg import Cursor
from psycopg.pq import Format

M = TypeVar("M", bound=models.Model)


def cursor() -> CursorWrapper:
    """Return a cursor with Django's errors, wrappers and counting; jsonb comes as Python objects.

    A statement is prepared when its connection has seen it five times.
    """
    connection.close_if_health_check_failed()
    connection.ensure_connection()
    bare: Any = Cursor(connection.connection)
    bare.format = Format.BINARY
    wrap = connection.make_debug_cursor if connection.queries_logged else connection.make_cursor
    return wrap(bare)


def one(statement: str, values: Sequence[str | int]) -> tuple[Any, ...] | None:
    """Return the first row a reading statement finds, or None.

    The first statement of a request is its own health check: if the connection turns out to be
    dead, a new one is asked. Django would ask `select 1` beforehand, which costs as much again.
    """
    state: Any = connection  # whose health checks the types do not know
    if state.in_atomic_block or not state.health_check_enabled:
        return _one(statement, values)
    proven, state.health_check_done = state.health_check_done, True
    try:
        return _one(statement, values)
    except (OperationalError, InterfaceError):
        if proven:
            raise
        connection.close()
        return _one(statement, values)


def _one(statement: str, values: Sequence[str | int]) -> tuple[Any, ...] | None:
    with cursor() as asking:
        asking.execute(statement, values)
        row: tuple[Any, ...] | None = asking.fetchone()
    return row


class Lookup(Generic[M]):
    """Finds one row by one unique column, with a statement that Django writes once per process."""

    def __init__(self, model: type[M], column: str) -> None:
        self.model = model
        self.column = column

    def get(self, value: str | int) -> M | None:
        """Return the row, or None."""
        row = one(self._statement, [value])
        return self.model.from_db(DEFAULT_DB_ALIAS, self._names, row) if row else None

    @cached_property
    def _statement(self) -> str:
        # The value is only there for Django to write a placeholder for it.
        found = self.model._base_manager.filter(**{self.column: 0}).order_by()
        statement: str = found.query.sql_with_params()[0]
        return statement

    @cached_property
    def _names(self) -> list[Any]:
        return [field.attname for field in self.model._meta.concrete_fields]
