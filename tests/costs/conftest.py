from __future__ import annotations

from typing import Any

import pytest
from django.db.backends.postgresql.operations import DatabaseOperations


@pytest.fixture(scope="package", autouse=True)
def _append_only_tables_can_be_flushed():
    """Let Django's flush between transactional tests past the triggers that refuse TRUNCATE."""
    with pytest.MonkeyPatch.context() as patch:
        flush = DatabaseOperations.sql_flush

        def without_triggers(self: DatabaseOperations, *args: Any, **options: Any) -> list[str]:
            # LOCAL: only for the transaction that flushes.
            statements = flush(self, *args, **options)
            return statements and ["SET LOCAL session_replication_role = replica;", *statements]

        patch.setattr(DatabaseOperations, "sql_flush", without_triggers)
        yield
