"""GetMetricData's answer: as many data points a page as asked for, then a token."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sandbox import tokens
from sandbox.cloudwatch.evaluation import Evaluation
from sandbox.cloudwatch.points import Ints
from sandbox.cloudwatch.queries import Query
from sandbox.errors import AwsError

MAX_DATAPOINTS = 100_800


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
    results: list[dict[str, Any]] = []
    room, stop = order.limit, None
    for number, query in enumerate(returned):
        if number < begin.query:
            continue
        if stop is None:
            slots = _slots(evaluation, query, order, begin if number == begin.query else None)
            sent, rest = slots[:room], slots[room:]
            room -= len(sent)
            stop = _Position(number, int(rest[0])) if len(rest) else None
            if len(sent) or len(rest) or token is None:
                results.append(_result(evaluation, query, sent, complete=stop is None))
        elif token is None:
            results.append(_result(evaluation, query, np.empty(0, dtype=np.int64), complete=False))
    answer: dict[str, Any] = {"MetricDataResults": results, "Messages": []}
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


def _slots(evaluation: Evaluation, query: Query, order: Order, begin: _Position | None) -> Ints:
    """The slots that have a value, in the caller's order, from the position on."""
    slots = np.flatnonzero(np.isfinite(evaluation.series(query.id).values)).astype(np.int64)
    if order.descending:
        slots = slots[::-1]
    if begin is None or begin.slot < 0:
        return slots
    return slots[slots <= begin.slot] if order.descending else slots[slots >= begin.slot]


def _result(
    evaluation: Evaluation,
    query: Query,
    slots: Ints,
    *,
    complete: bool,
) -> dict[str, Any]:
    series = evaluation.series(query.id) if len(slots) else None
    stamps = evaluation.stamps(series.period) if series else []
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [stamps[slot] for slot in slots.tolist()],
        "Values": series.values[slots].tolist() if series else [],
        "StatusCode": "Complete" if complete else "PartialData",
    }
