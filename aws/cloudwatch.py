"""CloudWatch metrics in bulk: 500 series a request, raw statistics only, one period at a time.

Expressions are left to the caller: for them CloudWatch does not page.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import cache
from typing import Any

from aws import clients
from aws.errors import Garbled, Unreachable, required, rows, translated

OPERATION = "cloudwatch:GetMetricData"
MAX_QUERIES = 500
MAX_DATAPOINTS = 100_800


class Status(StrEnum):
    """CloudWatch's words for how much of a series it answered."""

    COMPLETE = "Complete"
    PARTIAL_DATA = "PartialData"
    INTERNAL_ERROR = "InternalError"


@dataclass(frozen=True, slots=True)
class MetricQuery:
    """One statistic, such as `Sum` or `p99`, of one metric; dimensions are (name, value)."""

    namespace: str
    name: str
    stat: str
    dimensions: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class MetricSeries:
    """The points of one query, oldest first: seconds since 1970 and values in the metric's unit."""

    timestamps: Sequence[int] = ()
    values: Sequence[float] = ()
    status: Status = Status.COMPLETE


@dataclass(slots=True)
class _Collected:
    timestamps: list[int] = field(default_factory=list)
    values: list[float] = field(default_factory=list)
    status: Status = Status.INTERNAL_ERROR


@cache
def client() -> Any:
    return clients.make_for_bulk("cloudwatch")


def get_metric_data(
    queries: Sequence[MetricQuery], *, start: datetime, end: datetime, period: int
) -> list[MetricSeries]:
    """Return a series for each query, in their order, for start <= time < end.

    :param period: of all series, in seconds; 60 or a multiple of it.
    :raises Throttled: if CloudWatch was asked too much; nothing is returned then.
    :raises Denied, Unreachable: as every adapter.
    """
    found: list[MetricSeries] = []
    for first in range(0, len(queries), MAX_QUERIES):
        chunk = queries[first : first + MAX_QUERIES]
        found += _chunk(chunk, start=start, end=end, period=period)
    return found


def _chunk(
    queries: Sequence[MetricQuery], *, start: datetime, end: datetime, period: int
) -> list[MetricSeries]:
    request = {
        "MetricDataQueries": [_spelled(i, query, period) for i, query in enumerate(queries)],
        "StartTime": start,
        "EndTime": end,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": MAX_DATAPOINTS,
    }
    collected = [_Collected() for _ in queries]
    slots = int((end - start).total_seconds()) // period + 1
    # A token that leads in circles must not hold a worker for ever.
    for _ in range(len(queries) * slots // MAX_DATAPOINTS + 3):
        token = _read_page(request, collected)
        if not token:
            return [MetricSeries(one.timestamps, one.values, one.status) for one in collected]
        request["NextToken"] = token
    raise Unreachable(f"{OPERATION}: the pages do not end.", operation=OPERATION)


def _read_page(request: Mapping[str, Any], collected: list[_Collected]) -> str:
    """Add the page to what was collected, and return the token of the next one or an empty text."""
    with translated(OPERATION):
        answer = client().get_metric_data(**request)
    results = rows(answer, "MetricDataResults", OPERATION)
    token: str = answer.get("NextToken", "")
    by_id = {f"q{number}": series for number, series in enumerate(collected)}
    for result in results:
        _take(result, required(by_id, required(result, "Id", OPERATION), OPERATION))
    if not token:
        _complete(by_id, {result["Id"] for result in results})
    return token


def _take(result: Mapping[str, Any], series: _Collected) -> None:
    timestamps, values = result.get("Timestamps", ()), result.get("Values", ())
    if len(timestamps) != len(values):
        raise Garbled(
            f"{OPERATION}: {len(timestamps)} times came with {len(values)} values.",
            operation=OPERATION,
        )
    series.timestamps += timestamps
    series.values += values
    series.status = _status(result.get("StatusCode", ""))


def _status(word: str) -> Status:
    """Return CloudWatch's word; one that is not known is no promise of completeness."""
    return Status(word) if word in set(Status) else Status.INTERNAL_ERROR


def _complete(by_id: Mapping[str, _Collected], on_last_page: set[str]) -> None:
    # "PartialData" on an earlier page only meant "see the next one".
    for name, series in by_id.items():
        if series.status == Status.PARTIAL_DATA and name not in on_last_page:
            series.status = Status.COMPLETE


def _spelled(number: int, query: MetricQuery, period: int) -> dict[str, Any]:
    dimensions = [{"Name": name, "Value": value} for name, value in query.dimensions]
    metric = {"Namespace": query.namespace, "MetricName": query.name, "Dimensions": dimensions}
    return {
        "Id": f"q{number}",
        "MetricStat": {"Metric": metric, "Period": period, "Stat": query.stat},
        "ReturnData": True,
    }
