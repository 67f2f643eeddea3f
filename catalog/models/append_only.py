"""Tables whose rows PostgreSQL lets nobody change or take away."""

from __future__ import annotations

import pgtrigger


def append_only(what: str) -> list[pgtrigger.Trigger]:
    """Return the triggers of such a table; `what` names it in the refusal."""
    return [
        pgtrigger.Protect(name="append_only", operation=pgtrigger.Update | pgtrigger.Delete),
        pgtrigger.Trigger(
            name="no_truncate",
            level=pgtrigger.Statement,
            when=pgtrigger.Before,
            operation=pgtrigger.Truncate,
            func=f"raise exception '{what} cannot be truncated'; return null;",
        ),
    ]
