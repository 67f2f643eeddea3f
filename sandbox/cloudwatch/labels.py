"""Labels with dynamic values: `[max: ${MAX}] ${PROP('Dim.ServiceName')}`.

By "Using dynamic labels". How CloudWatch writes numbers and times is not documented; here numbers
have up to six digits and times are ISO 8601.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo

import numpy as np

from sandbox.cloudwatch.metric_math.values import Series
from sandbox.cloudwatch.queries import refuse
from sandbox.names import ACCOUNT, REGION

MAX_STATISTICS = 5
_VARIABLE = re.compile(r"\$\{\s*([^}]*?)\s*\}")
_PROPERTY = re.compile(r"PROP\('([^']+)'\)")
_ZONE = re.compile(r"([+-])(\d{2})(\d{2})")


@dataclass(frozen=True)
class Shown:
    """A series as its label sees it: known values and their moments, in order of time."""

    series: Series
    values: list[float]
    seconds: list[float]
    now: float
    zone: tzinfo

    def at(self, position: int) -> str:
        """The moment of one value."""
        return datetime.fromtimestamp(self.seconds[position], self.zone).isoformat()

    def ago(self, position: int) -> str:
        """How long ago one value was."""
        return _length(self.now - self.seconds[position])

    def apart(self, one: int, other: int) -> str:
        """The time between two values."""
        return _length(self.seconds[one] - self.seconds[other])

    @property
    def lowest(self) -> int:
        """The position of the smallest value."""
        return int(np.argmin(self.values))

    @property
    def highest(self) -> int:
        """The position of the largest value."""
        return int(np.argmax(self.values))


Part = Callable[[Shown], str]
_STATISTICS: Mapping[str, Part] = {
    "AVG": lambda shown: _number(float(np.mean(shown.values))),
    "DATAPOINT_COUNT": lambda shown: str(len(shown.values)),
    "FIRST": lambda shown: _number(shown.values[0]),
    "FIRST_LAST_RANGE": lambda shown: _number(shown.values[-1] - shown.values[0]),
    "FIRST_LAST_TIME_RANGE": lambda shown: shown.apart(-1, 0),
    "FIRST_TIME": lambda shown: shown.at(0),
    "FIRST_TIME_RELATIVE": lambda shown: shown.ago(0),
    "LAST": lambda shown: _number(shown.values[-1]),
    "LAST_TIME": lambda shown: shown.at(-1),
    "LAST_TIME_RELATIVE": lambda shown: shown.ago(-1),
    "MAX": lambda shown: _number(max(shown.values)),
    "MAX_TIME": lambda shown: shown.at(shown.highest),
    "MAX_TIME_RELATIVE": lambda shown: shown.ago(shown.highest),
    "MIN": lambda shown: _number(min(shown.values)),
    "MIN_MAX_RANGE": lambda shown: _number(max(shown.values) - min(shown.values)),
    "MIN_MAX_TIME_RANGE": lambda shown: shown.apart(shown.lowest, shown.highest),
    "MIN_TIME": lambda shown: shown.at(shown.lowest),
    "MIN_TIME_RELATIVE": lambda shown: shown.ago(shown.lowest),
    "SUM": lambda shown: _number(float(np.sum(shown.values))),
}


def zone(option: str | None) -> tzinfo:
    """LabelOptions' Timezone, `+0130` or `-0600`; raises AwsError ValidationError."""
    if option is None:
        return UTC
    found = _ZONE.fullmatch(option)
    if not found or int(found[2]) > 14 or int(found[3]) > 59:
        raise refuse(f"Invalid Timezone: {option}; it is + or - and four digits, such as +0130.")
    offset = timedelta(hours=int(found[2]), minutes=int(found[3]))
    return timezone(-offset if found[1] == "-" else offset)


def check(label: str) -> None:
    """Raise AwsError ValidationError for a label CloudWatch would not take."""
    variables = _VARIABLE.findall(label)
    unknown = [one for one in variables if not _is_known(one)]
    if unknown:
        raise refuse(f"Invalid label: ${{{unknown[0]}}} is not a dynamic label.")
    if variables.count("LABEL") > 1:
        raise refuse("Invalid label: ${LABEL} can be used only once.")
    if sum(one in _STATISTICS for one in variables) > MAX_STATISTICS:
        raise refuse(f"Invalid label: at most {MAX_STATISTICS} dynamic values are allowed.")


def _is_known(variable: str) -> bool:
    return variable == "LABEL" or variable in _STATISTICS or bool(_PROPERTY.fullmatch(variable))


def written(label: str, default: str, series: Series, start: int, now: datetime, at: tzinfo) -> str:
    """The label with its dynamic parts written out; values that do not exist are `--`."""
    if "${" not in label:
        return label
    slots = np.flatnonzero(np.isfinite(series.values))
    shown = Shown(
        series,
        series.values[slots].tolist(),
        (start + slots * float(series.period)).tolist(),
        now.timestamp(),
        at,
    )
    return _VARIABLE.sub(lambda found: _part(found[1], default, shown), label)


def _part(variable: str, default: str, shown: Shown) -> str:
    if variable == "LABEL":
        return default
    if prop := _PROPERTY.fullmatch(variable):
        return _property(prop[1], shown.series)
    return _STATISTICS[variable](shown) if shown.values else "--"


def _property(name: str, series: Series) -> str:
    if series.metric is None:
        return "--"
    if name.startswith("Dim."):
        return dict(series.metric.dimensions).get(name[4:], "--")
    known = {
        "AccountId": ACCOUNT,
        "MetricName": series.metric.name,
        "Namespace": series.metric.namespace,
        "Period": str(series.period),
        "Region": REGION,
        "Stat": series.statistic or "--",
    }
    return known.get(name, "--")


def _number(value: float) -> str:
    return f"{value:.6g}"


def _length(seconds: float) -> str:
    minutes, rest = divmod(round(abs(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    parts = [f"{number}{unit}" for number, unit in ((hours, "h"), (minutes, "m")) if number]
    return "".join(parts if parts and not rest else [*parts, f"{rest}s"])
