"""Runs a query over messages, without a sandbox."""

from __future__ import annotations

from sandbox.logs.insights.execution import Execution
from sandbox.logs.insights.plan import plan
from sandbox.logs.store import Event

# 2023-11-14 22:13:20 UTC, a Tuesday.
BEGIN = 1_700_000_000_000


def events(messages, *, step=60_000, group="/ecs/news-api"):
    """One event a message, `step` milliseconds apart, the oldest first."""
    return [
        Event(number, BEGIN + number * step, BEGIN + number * step + 500, message, "web/1", group)
        for number, message in enumerate(messages)
    ]


def run(query, messages, *, limit=10_000, step=60_000):
    """The rows of a query as dictionaries."""
    execution = execute(query, messages, limit=limit, step=step)
    return [dict(fields) for fields, _ in execution.results()]


def execute(query, messages, *, limit=10_000, step=60_000):
    """A query that has seen every message, newest first."""
    execution = Execution(plan(query, limit))
    execution.feed(events(messages, step=step)[::-1])
    return execution
