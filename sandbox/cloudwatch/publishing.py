"""PutMetricData: what a caller publishes, checked and summed up by the minute."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sandbox.cloudwatch.metrics import Aggregate, Metric, aggregate, statistic_set
from sandbox.cloudwatch.queries import AHEAD
from sandbox.errors import AwsError

MAX_METRICS = 1000
MAX_VALUES = 150
MAX_DIMENSIONS = 30
_LARGEST = 2.0**360
_LONGEST = {"MetricName": 255, "Name": 255, "Value": 1024}
_BEHIND = timedelta(days=14)
_SIZES = [
    f"{prefix}{unit}" for unit in ("bytes", "bits") for prefix in ("Kilo", "Mega", "Giga", "Tera")
]
_SIZES += ["Bytes", "Bits"]
UNITS = frozenset(
    ["Seconds", "Microseconds", "Milliseconds", "Percent", "Count", "Count/Second", "None"]
    + _SIZES
    + [f"{size}/Second" for size in _SIZES]
)

HIGH_RESOLUTION = 1


@dataclass
class Published:
    """What a call adds to minutes, with its unit, and of high resolution also to seconds."""

    minutes: dict[tuple[Metric, int], tuple[Aggregate, str]] = field(default_factory=dict)
    seconds: dict[tuple[Metric, int], Aggregate] = field(default_factory=dict)

    def add(self, metric: Metric, second: int, new: Aggregate, unit: str, *, fine: bool) -> None:
        """One datum more."""
        minute = metric, second // 60
        old = self.minutes.get(minute)
        self.minutes[minute] = (old[0] + new if old else new, unit)
        if fine:
            before = self.seconds.get((metric, second))
            self.seconds[metric, second] = before + new if before else new


def read(namespace: str, data: Iterable[Mapping[str, Any]], now: datetime) -> Published:
    """What a PutMetricData call adds; raises AwsError if any datum is wrong."""
    data = list(data)
    if namespace.startswith("AWS/"):
        raise _invalid("The value AWS/ for parameter Namespace is invalid.")
    if not namespace or namespace.startswith(":") or len(namespace) > 255:
        raise _invalid(f"The value {namespace} for parameter Namespace is invalid.")
    if not data:
        raise AwsError("MissingParameter", "The parameter MetricData is required.")
    if len(data) > MAX_METRICS:
        raise _invalid(
            f"The collection MetricData must not have a size greater than {MAX_METRICS}."
        )
    published = Published()
    for number, datum in enumerate(data, start=1):
        _Datum(f"MetricData.member.{number}", datum).add_to(published, namespace, now)
    return published


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValue", message)


class _Datum:
    """One datum; `path` is its place in the request, as CloudWatch's messages write it."""

    def __init__(self, path: str, datum: Mapping[str, Any]) -> None:
        self._path = path
        self._datum = datum

    def add_to(self, published: Published, namespace: str, now: datetime) -> None:
        """Check the datum and add it; raises AwsError."""
        metric = self._metric(namespace)
        second = self._second(self._datum.get("Timestamp", now), now)
        unit = self._datum.get("Unit", "None")
        if unit not in UNITS:
            raise self._wrong("Unit", unit)
        resolution = self._datum.get("StorageResolution", 60)
        if resolution not in {HIGH_RESOLUTION, 60}:
            raise self._wrong("StorageResolution", resolution)
        fine = resolution == HIGH_RESOLUTION
        published.add(metric, second, self._aggregate(), unit, fine=fine)

    def _wrong(self, name: str, value: object) -> AwsError:
        shown = "NaN" if value != value else value  # noqa: PLR0124
        return _invalid(f"The value {shown} for parameter {self._path}.{name} is invalid.")

    def _metric(self, namespace: str) -> Metric:
        dimensions: Sequence[Mapping[str, str]] = self._datum.get("Dimensions", ())
        if len(dimensions) > MAX_DIMENSIONS:
            raise _invalid(
                f"The collection {self._path}.Dimensions must not have a size greater than "
                f"{MAX_DIMENSIONS}."
            )
        self._check_text("MetricName", self._datum["MetricName"])
        for number, dimension in enumerate(dimensions, start=1):
            for part in ("Name", "Value"):
                self._check_text(part, dimension[part], f"Dimensions.member.{number}.")
        if len({dimension["Name"] for dimension in dimensions}) < len(dimensions):
            raise _invalid(f"The parameter {self._path}.Dimensions must not repeat a name.")
        return Metric.parse(namespace, self._datum["MetricName"], dimensions)

    def _check_text(self, part: str, text: str, place: str = "") -> None:
        fits = text.strip() and text.isascii() and len(text) <= _LONGEST[part]
        if not fits or (part == "Name" and text.startswith(":")):
            raise self._wrong(f"{place}{part}", text)

    def _second(self, moment: datetime, now: datetime) -> int:
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=now.tzinfo)
        where = f"The parameter {self._path}.Timestamp must specify a time"
        if moment < now - _BEHIND:
            raise _invalid(f"{where} within the past two weeks.")
        if moment > now + AHEAD:
            raise _invalid(f"{where} no more than two hours in the future.")
        return int(moment.timestamp())

    def _aggregate(self) -> Aggregate:
        forms = [
            f for f in ("Value", "Values", "StatisticValues") if self._datum.get(f) is not None
        ]
        if not forms:
            raise AwsError("MissingParameter", f"The parameter {self._path}.Value is required.")
        if len(forms) > 1:
            first, second = (f"{self._path}.{form}" for form in forms[:2])
            raise AwsError(
                "InvalidParameterCombination",
                f"The parameters {first} and {second} are mutually exclusive and you have "
                "specified both.",
            )
        if forms == ["StatisticValues"]:
            return self._statistics(self._datum["StatisticValues"])
        if forms == ["Value"]:
            return aggregate(self._checked("Value", [self._datum["Value"]]))
        return self._array(self._datum["Values"], self._datum.get("Counts"))

    def _array(self, values: list[float], counts: list[float] | None) -> Aggregate:
        if not values:
            raise AwsError("MissingParameter", f"The parameter {self._path}.Values is required.")
        if len(values) > MAX_VALUES:
            raise _invalid(
                f"The collection {self._path}.Values must not have a size greater than "
                f"{MAX_VALUES}."
            )
        if counts is not None and len(counts) != len(values):
            raise _invalid(
                f"The parameters {self._path}.Values and {self._path}.Counts must be of the "
                "same size."
            )
        for count in self._checked("Counts", counts or []):
            if count <= 0:
                raise self._wrong("Counts", count)
        return aggregate(self._checked("Values", values), counts)

    def _statistics(self, values: Mapping[str, float]) -> Aggregate:
        count, total, low, high = (
            self._checked(f"StatisticValues.{name}", [values[name]])[0]
            for name in ("SampleCount", "Sum", "Minimum", "Maximum")
        )
        if count <= 0:
            raise self._wrong("StatisticValues.SampleCount", count)
        if low > high:
            raise _invalid(
                f"The parameter {self._path}.StatisticValues.Maximum must be greater than or "
                f"equal to {self._path}.StatisticValues.Minimum."
            )
        return statistic_set(count, total, low, high)

    def _checked(self, name: str, numbers: Sequence[float]) -> list[float]:
        for number in numbers:
            if not math.isfinite(number) or abs(number) > _LARGEST:
                raise self._wrong(name, number)
        return [float(number) for number in numbers]
