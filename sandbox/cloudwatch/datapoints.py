"""GetMetricStatistics: several statistics of one metric, unordered and in one piece."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import numpy as np

from sandbox.cloudwatch import queries
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.periods import Periods
from sandbox.cloudwatch.points import Floats
from sandbox.cloudwatch.source import Source
from sandbox.cloudwatch.statistics import is_told
from sandbox.errors import AwsError

MAX_DATAPOINTS = 1440
MAX_EXTENDED = 10
_PLAIN = ("SampleCount", "Average", "Sum", "Minimum", "Maximum")


def answer(parameters: Mapping[str, Any], *, source: Source, now: datetime) -> dict[str, Any]:
    """The operation's output shape; raises AwsError for parameters that make no sense."""
    try:
        return _answer(parameters, source, now)
    except AwsError as error:
        # What GetMetricData calls a ValidationError has another name here.
        if error.code == "ValidationError":
            raise AwsError("InvalidParameterValue", error.message) from error
        raise


def _answer(parameters: Mapping[str, Any], source: Source, now: datetime) -> dict[str, Any]:
    plain, extended = _statistics(parameters)
    period = queries.checked_period(parameters["Period"])
    grain = queries.grain_of([period])
    window = queries.window(parameters["StartTime"], parameters["EndTime"], now, grain)
    if window.slots(period) > MAX_DATAPOINTS:
        raise AwsError(
            "InvalidParameterCombination",
            f"You have requested up to {window.slots(period)} datapoints, which exceeds the "
            f"limit of {MAX_DATAPOINTS}. You may reduce the datapoints requested by increasing "
            "Period, or decreasing the time range.",
        )
    name = parameters["MetricName"]
    metric = Metric.parse(parameters["Namespace"], name, parameters.get("Dimensions", ()))
    unit = source.unit(metric)
    if parameters.get("Unit", unit) != unit:
        return {"Label": name, "Datapoints": []}
    periods = source.periods(metric, window.start, window.end, period=period, now=now)
    columns = {stat: _column(stat, metric, periods) for stat in [*plain, *extended]}
    moments = [window.start + slot * period for slot in periods.index.tolist()]
    points = [
        {"Timestamp": datetime.fromtimestamp(moment, UTC), "Unit": unit}
        | _values(columns, row, plain, extended)
        for row, moment in enumerate(moments)
    ]
    return {"Label": name, "Datapoints": points}


def _column(name: str, metric: Metric, periods: Periods) -> Floats:
    found = queries.statistic(name)(periods)
    return found if is_told(name, metric.namespace) else np.full(len(periods.index), np.nan)


def _statistics(parameters: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    plain = list(parameters.get("Statistics") or [])
    extended = list(parameters.get("ExtendedStatistics") or [])
    if not plain and not extended:
        raise AwsError("MissingParameter", "Statistics or ExtendedStatistics is required.")
    if plain and extended:
        raise AwsError(
            "InvalidParameterCombination",
            "Statistics and ExtendedStatistics are mutually exclusive and you have specified both.",
        )
    if len(extended) > MAX_EXTENDED:
        message = f"ExtendedStatistics must hold 1 to {MAX_EXTENDED} statistics."
        raise AwsError("InvalidParameterValue", message)
    if unknown := [stat for stat in plain if stat not in _PLAIN]:
        raise AwsError("InvalidParameterValue", f"Unknown statistic: {unknown[0]}")
    return plain, extended


def _values(
    columns: Mapping[str, Floats], row: int, plain: list[str], extended: list[str]
) -> dict[str, Any]:
    found: dict[str, Any] = {stat: float(columns[stat][row]) for stat in plain}
    known = {stat: float(columns[stat][row]) for stat in extended}
    if extended:
        found["ExtendedStatistics"] = {
            stat: value for stat, value in known.items() if math.isfinite(value)
        }
    return found
