"""GetMetricData's answer: as many data points a page as asked for, then a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, overload

import numpy as np

from sandbox import tokens
from sandbox.cloudwatch.evaluation import Evaluation, Result
from sandbox.cloudwatch.points import Ints
from sandbox.cloudwatch.queries import Query
from sandbox.errors import AwsError

MAX_DATAPOINTS = 100_800


class Moments(Sequence[datetime]):
    """Moments by their seconds since 1970; the gateway's JSON takes `tolist` and no detour."""

    def __init__(self, seconds: list[int]) -> None:
        self._seconds = seconds

    def tolist(self) -> list[int]:
        """Seconds since 1970."""
        return self._seconds

    def __len__(self) -> int:
        return len(self._seconds)

    @overload
    def __getitem__(self, at: int) -> datetime: ...

    @overload
    def __getitem__(self, at: slice) -> Moments: ...

    def __getitem__(self, at: int | slice) -> datetime | Moments:
        if isinstance(at, slice):
            return Moments(self._seconds[at])
        return datetime.fromtimestamp(self._seconds[at], UTC)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    def __hash__(self) -> int:
        return hash(tuple(self._seconds))


@dataclass(frozen=True)
class Order:
    """How the caller wants the points: the page's size, newest or oldest first."""

    limit: int
    descending: bool


@dataclass(frozen=True)
class _Position:
    """The next point to send: which of the returned queries, and which slot of its window."""

    query: int
    slot: int


def page(
    *,
    queries: Sequence[Query],
    evaluation: Evaluation,
    order: Order,
    token: str | None,
    parameters: Mapping[str, Any],
) -> dict[str, Any]:
    """One page in GetMetricData's output shape; raises AwsError for a wrong token."""
    returned = [query for query in queries if query.return_data]
    begin = _read(token, parameters)
    lines: list[dict[str, Any]] = []
    room, stop = order.limit, None
    for number, query in enumerate(returned):
        if number < begin.query:
            continue
        if stop is None:
            results = evaluation.results(query)
            for result in results:
                slots = _slots(result, order, begin if number == begin.query else None)
                sent, rest = slots[:room], slots[room:]
                room -= len(sent)
                stop = stop or (_Position(number, int(rest[0])) if len(rest) else None)
                if len(sent) or len(rest) or token is None:
                    lines.append(_line(evaluation, result, sent, complete=not len(rest)))
        elif token is None:
            lines.append(_empty(evaluation, query))
    answer: dict[str, Any] = {"MetricDataResults": lines, "Messages": []}
    # CloudWatch gives no token when expressions are computed: the rest is simply not sent.
    if stop and not any(query.expression for query in queries):
        answer["NextToken"] = tokens.write([stop.query, stop.slot], parameters)
    return answer


def _read(token: str | None, parameters: Mapping[str, Any]) -> _Position:
    if token is None:
        return _Position(0, -1)
    try:
        return _Position(*tokens.read(token, parameters))
    except (tokens.WrongToken, TypeError) as error:
        raise AwsError("InvalidNextToken", "The next token specified is invalid.") from error


def _slots(result: Result, order: Order, begin: _Position | None) -> Ints:
    """The slots that have a value, in the caller's order, from the position on."""
    slots = np.flatnonzero(np.isfinite(result.series.values)).astype(np.int64)
    if order.descending:
        slots = slots[::-1]
    if begin is None or begin.slot < 0:
        return slots
    return slots[slots <= begin.slot] if order.descending else slots[slots >= begin.slot]


def _line(evaluation: Evaluation, result: Result, slots: Ints, *, complete: bool) -> dict[str, Any]:
    seconds = evaluation.start + slots * result.series.period
    return {
        "Id": result.query.id,
        "Label": result.label,
        "Timestamps": Moments(seconds.tolist()),
        "Values": result.series.values[slots].tolist(),
        "StatusCode": "Complete" if complete else "PartialData",
    }


def _empty(evaluation: Evaluation, query: Query) -> dict[str, Any]:
    """What is said of a query whose points begin on a later page."""
    label = query.label or (query.stat.metric.name if query.stat else query.id)
    return {
        "Id": query.id,
        "Label": label,
        "Timestamps": Moments([]),
        "Values": [],
        "StatusCode": "PartialData",
    }
