"""Runs a compiled query over events, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sandbox.logs.insights.plan import Plan
from sandbox.logs.insights.rows import Row
from sandbox.logs.store import Event

# `dedup` and `stats` by many keys; beyond this a query fails instead of filling the memory.
MAX_KEPT = 200_000
# Of a sort with a limit, rows that it cannot show are dropped whenever there are so many.
PRUNED_AT = 40_000


class TooManyRows(Exception):
    """More rows or groups than the sandbox is willing to keep."""


@dataclass
class Statistics:
    """What GetQueryResults counts."""

    scanned: int = 0
    matched: int = 0
    bytes: int = 0


class Execution:
    """One run of a plan."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._kept: list[Row] = []
        self.statistics = Statistics()

    def feed(self, events: Sequence[Event]) -> bool:
        """Look at some more events; False when no more are needed. Raises TooManyRows."""
        statistics = self.statistics
        for event in events:
            statistics.scanned += 1
            statistics.bytes += _bytes(event.message)
            row = Row(event, {})
            if all(step(row) for step in self._plan.steps):
                statistics.matched += 1
                self._take(row)
                if statistics.matched == self._plan.at_once:
                    return False
        return True

    def _take(self, row: Row) -> None:
        if self._plan.grouping is not None:
            self._plan.grouping.add(row)
            if len(self._plan.grouping) > MAX_KEPT:
                raise TooManyRows
        elif self._plan.keep is None or len(self._kept) < self._plan.keep:
            self._kept.append(row)
            if self._plan.prune and len(self._kept) >= max(PRUNED_AT, 2 * self._plan.prune[0]):
                count, order = self._plan.prune
                self._kept = order(self._kept)[:count]
            if len(self._kept) > MAX_KEPT:
                raise TooManyRows

    def rows(self) -> list[Row]:
        """The rows so far, as the rest of the query leaves them."""
        grouping = self._plan.grouping
        rows: Iterable[Row] = grouping.rows() if grouping is not None else list(self._kept)
        for whole in self._plan.wholes:
            rows = whole(rows)
        return list(rows)

    def results(self) -> list[tuple[list[tuple[str, str]], Event | None]]:
        """Field and value of every column that is not missing, with the event behind the row."""
        columns = self._plan.columns
        return [
            (
                [(name, value) for name, show in columns if (value := show(row)) is not None],
                None if self._plan.grouped else row.event,
            )
            for row in self.rows()
        ]


def _bytes(message: str) -> int:
    return len(message) if message.isascii() else len(message.encode())
