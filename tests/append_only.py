"""Transactional tests flush all tables between them; the append-only ones refuse TRUNCATE."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest


@pytest.fixture(scope="session", autouse=True)
def append_only_tables_can_be_flushed() -> Iterator[None]:
    """Let Django's flush, and nothing else, past the triggers."""
    # The root conftest imports this module before Django has its settings.
    from django.db.backends.postgresql.operations import DatabaseOperations

    with pytest.MonkeyPatch.context() as patch:
        flush = DatabaseOperations.sql_flush

        def without_triggers(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
            # LOCAL: only for the transaction that flushes.
            statements = flush(self, *args, **options)
            return statements and ["SET LOCAL session_replication_role = replica;", *statements]

        patch.setattr(DatabaseOperations, "sql_flush", without_triggers)
        yield
