"""The data points an alarm looks at: the newest complete periods, as CloudWatch retrieves them.

Periods end at the last full minute, not at multiples of the period: an alarm of five minutes asked
at 13:56:40 looks at 13:51 to 13:56 (seen in StateReasonData of published alarm messages).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.alarms.reasons import Datapoint, Watched
from sandbox.cloudwatch.service import CloudWatch

_VALUE, _SAMPLES = "alarm", "samples"
_MINUTE, _HIGH_RESOLUTION = 60, 10


@dataclass(frozen=True)
class Reading:
    """The points of the evaluation range, oldest first; `partial` when some could not be read."""

    points: list[Datapoint]
    partial: bool = False


@dataclass(frozen=True)
class _Slots:
    """`number` periods of `seconds` from `start` (seconds since 1970)."""

    start: float
    seconds: int
    number: int

    @property
    def end(self) -> float:
        return self.start + self.seconds * self.number

    def of(self, result: Mapping[str, Any]) -> dict[int, float]:
        """A GetMetricData result's values by slot."""
        pairs = zip(result["Timestamps"], result["Values"], strict=True)
        found = {int((at.timestamp() - self.start) // self.seconds): value for at, value in pairs}
        return {slot: value for slot, value in found.items() if 0 <= slot < self.number}


async def read(
    cloudwatch: CloudWatch, settings: Mapping[str, Any], watched: Watched, at: float
) -> Reading:
    """What the alarm sees at a moment (seconds since 1970); raises AwsError for bad expressions."""
    slots = _slots(watched, at)
    answer = await cloudwatch.data_for_alarms(
        grain=_grain(watched),
        MetricDataQueries=_queries(settings),
        StartTime=datetime.fromtimestamp(slots.start, UTC),
        EndTime=datetime.fromtimestamp(slots.end, UTC),
        ScanBy="TimestampAscending",
    )
    results = {result["Id"]: result for result in answer["MetricDataResults"]}
    name = _watched_id(settings)
    values = slots.of(results[name])
    samples = slots.of(results[_SAMPLES]) if _SAMPLES in results else {}
    points = [
        Datapoint(slots.start + slot * slots.seconds, values.get(slot), samples.get(slot))
        for slot in range(slots.number)
    ]
    return Reading(points, results[name]["StatusCode"] == "PartialData")


def _slots(watched: Watched, at: float) -> _Slots:
    end = at // _grain(watched) * _grain(watched)
    number = watched.rule.range
    return _Slots(end - number * watched.period, watched.period, number)


def _grain(watched: Watched) -> int:
    return _HIGH_RESOLUTION if watched.period < _MINUTE else _MINUTE


def _watched_id(settings: Mapping[str, Any]) -> str:
    queries: Sequence[Mapping[str, Any]] = settings.get("Metrics") or ()
    return next((str(query["Id"]) for query in queries if query.get("ReturnData", True)), _VALUE)


def _queries(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    if settings.get("Metrics"):
        return [_query(query) for query in settings["Metrics"]]
    stat = settings.get("Statistic") or settings["ExtendedStatistic"]
    return [_metric(settings, _VALUE, stat), _metric(settings, _SAMPLES, "SampleCount")]


def _query(query: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in query.items() if key != "AccountId"}


def _metric(settings: Mapping[str, Any], name: str, stat: str) -> dict[str, Any]:
    metric = {
        "Namespace": settings["Namespace"],
        "MetricName": settings["MetricName"],
        "Dimensions": settings["Dimensions"],
    }
    asked = {"Metric": metric, "Period": settings["Period"], "Stat": stat}
    if settings.get("Unit"):
        asked["Unit"] = settings["Unit"]
    return {"Id": name, "MetricStat": asked}
