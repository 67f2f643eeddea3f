"""`docs/states.md`: the transition table of every app, as the code has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

from django.apps import apps
from django.db.models import TextChoices

Table = Mapping[TextChoices, frozenset[Any]]
HEAD = """# States

Which state may follow which. Generated from the `TRANSITIONS` tables of the apps by
`python manage.py document_states`; a test says when it is out of date.
"""


def render() -> str:
    """Return the page."""
    return "\n".join([HEAD, *(_section(title, table) for title, table in _tables())])


def _tables() -> Iterator[tuple[str, Table]]:
    for app in sorted(apps.get_app_configs(), key=lambda config: config.label):
        module = f"{app.name}.models"
        table = getattr(import_module(module), "TRANSITIONS", None) if app.models_module else None
        if table:
            yield str(app.verbose_name), table


def _section(title: str, table: Table) -> str:
    rows = [_row(state, table) for state in type(next(iter(table)))]
    head = ["| state | in words | may become |", "|---|---|---|"]
    return "\n".join([f"## {title}", "", *head, *rows, ""])


def _row(state: Any, table: Table) -> str:
    after = [following for following in type(state) if following in table[state]]
    words = ", ".join(f"`{following.value}`" for following in after) or "– (final)"
    return f"| `{state.value}` | {state.label} | {words} |"
