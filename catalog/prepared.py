"""Statements that PostgreSQL plans once for each connection and answers in binary.

Django's own cursors write the values into the text of a statement, so that PostgreSQL parses and
plans it every time, and they get bytea as hexadecimal digits. That is most of what a short request
costs. These cursors are for the few statements that every request sends.
"""

from __future__ import annotations

from functools import cached_property
from typing import Any, Generic, TypeVar

from django.db import DEFAULT_DB_ALIAS, connection, models
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


class Lookup(Generic[M]):
    """Finds one row by one unique column, with a statement that Django writes once per process."""

    def __init__(self, model: type[M], column: str) -> None:
        self.model = model
        self.column = column

    def get(self, value: str | int) -> M | None:
        """Return the row, or None."""
        with cursor() as asking:
            asking.execute(self._statement, [value])
            row = asking.fetchone()
        return row and self.model.from_db(DEFAULT_DB_ALIAS, self._names, row)

    @cached_property
    def _statement(self) -> str:
        # The value is only there for Django to write a placeholder for it.
        found = self.model._base_manager.filter(**{self.column: 0}).order_by()
        statement: str = found.query.sql_with_params()[0]
        return statement

    @cached_property
    def _names(self) -> list[Any]:
        return [field.attname for field in self.model._meta.concrete_fields]
