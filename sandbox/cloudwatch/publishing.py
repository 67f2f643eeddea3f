"""PutMetricData: what a caller publishes, checked and summed up by the minute."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloudwatch.metrics import Aggregate, Metric, aggregate, statistic_set
from sandbox.cloudwatch.queries import AHEAD
from sandbox.cloudwatch.source import minute_of
from sandbox.errors import AwsError

MAX_METRICS = 1000
MAX_VALUES = 150
_LARGEST = 2.0**360


def minutes(
    namespace: str, data: Iterable[Mapping[str, Any]], now: datetime
) -> dict[tuple[Metric, int], tuple[Aggregate, str]]:
    """The minutes that a PutMetricData call adds to; raises AwsError if any datum is wrong."""
    data = list(data)
    if namespace.startswith("AWS/"):
        raise _invalid("The value for parameter Namespace must not begin with AWS/.")
    if not data:
        raise AwsError("MissingParameter", "The parameter MetricData is required.")
    if len(data) > MAX_METRICS:
        raise _invalid(f"A request may hold at most {MAX_METRICS} metrics.")
    batch: dict[tuple[Metric, int], tuple[Aggregate, str]] = {}
    for datum in data:
        metric = Metric.parse(namespace, datum["MetricName"], datum.get("Dimensions", ()))
        key = (metric, _minute(datum.get("Timestamp", now), now))
        new = _aggregate(datum)
        old = batch.get(key)
        batch[key] = (old[0] + new if old else new, datum.get("Unit", "None"))
    return batch


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


def _minute(moment: datetime, now: datetime) -> int:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=now.tzinfo)
    if not now - timedelta(days=14) <= moment <= now + AHEAD:
        raise _invalid("Timestamp must lie between two weeks ago and two hours from now.")
    return minute_of(moment)


def _aggregate(datum: Mapping[str, Any]) -> Aggregate:
    forms = [form for form in ("Value", "Values", "StatisticValues") if datum.get(form) is not None]
    if not forms:
        raise AwsError("MissingParameter", "A datum needs Value, Values or StatisticValues.")
    if len(forms) > 1:
        raise AwsError("InvalidParameterCombination", f"{' and '.join(forms)} exclude each other.")
    if forms == ["StatisticValues"]:
        return _statistics(datum["StatisticValues"])
    if forms == ["Value"]:
        return aggregate(_checked([datum["Value"]]))
    return _array(datum["Values"], datum.get("Counts"))


def _array(values: list[float], counts: list[float] | None) -> Aggregate:
    if not values or len(values) > MAX_VALUES:
        raise _invalid(f"Values must hold 1 to {MAX_VALUES} numbers.")
    if counts is not None and len(counts) != len(values):
        raise AwsError(
            "InvalidParameterCombination", "Values and Counts must have the same length."
        )
    if counts is not None and min(_checked(counts)) <= 0:
        raise _invalid("Counts must be positive.")
    return aggregate(_checked(values), counts)


def _statistics(values: Mapping[str, float]) -> Aggregate:
    count, total, low, high = _checked(
        [values[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum")]
    )
    if count <= 0 or low > high:
        raise _invalid("SampleCount must be positive and Minimum not above Maximum.")
    return statistic_set(count, total, low, high)


def _checked(numbers: list[float]) -> list[float]:
    for number in numbers:
        if not math.isfinite(number) or abs(number) > _LARGEST:
            raise _invalid("Values must be finite and between -2^360 and 2^360.")
    return [float(number) for number in numbers]
