"""Metric filters: which there are, and what an event that matches amounts to."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.cloudwatch.metrics import Metric
from sandbox.logs import patterns
from sandbox.logs.errors import at_most, invalid
from sandbox.logs.patterns.scanner import number
from sandbox.state import State

MAX_FILTERS = 100
MAX_DIMENSIONS = 3
_KIND = "logs-metric-filter"


@dataclass(frozen=True)
class Filter:
    """One metric filter; `transformation` in botocore's shape."""

    group: str
    name: str
    pattern: str
    transformation: dict[str, Any]
    created: int

    @property
    def metric(self) -> Metric:
        """The metric without dimensions."""
        of = self.transformation
        return Metric.of(of["metricNamespace"], of["metricName"])

    @property
    def unit(self) -> str:
        """The metric's unit."""
        return str(self.transformation.get("unit", "None"))

    @property
    def default(self) -> float | None:
        """What a minute with events but without a match is worth."""
        return self.transformation.get("defaultValue")

    def value(self, message: str) -> tuple[Metric, float] | None:
        """The value an event adds and the metric it adds to; None when it does not match.

        An event whose value is no number, or that lacks one of the dimensions, counts as no match.
        """
        found = patterns.parse(self.pattern)(message)
        if found is None:
            return None
        wanted: Mapping[str, str] = self.transformation.get("dimensions", {})
        dimensions = {name: found.get(source, "") for name, source in wanted.items()}
        text = self.transformation["metricValue"]
        worth = number(found.get(text, "") if text.startswith("$") else text)
        if worth is None or not all(dimensions.values()):
            return None
        return Metric.of(self.metric.namespace, self.metric.name, **dimensions), worth


class Filters:
    """The account's metric filters, kept in `state`; reading is safe from any thread."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._lock = threading.Lock()
        self._filters = {
            (found.group, found.name): found for found in (Filter(**d) for d in state.all(_KIND))
        }

    def find(self, group: str, name: str) -> Filter | None:
        """One filter of a log group."""
        return self._filters.get((group, name))

    def of(self, group: str) -> list[Filter]:
        """The filters of one log group by name."""
        return [each for each in self if each.group == group]

    def __iter__(self) -> Iterator[Filter]:
        with self._lock:
            return iter(sorted(self._filters.values(), key=lambda each: (each.group, each.name)))

    def put(self, new: Filter) -> None:
        """Add a filter, or replace the one of its name."""
        with self._lock:
            self._filters[new.group, new.name] = new
        self._state.put(_KIND, f"{new.group}\n{new.name}", asdict(new))

    def delete(self, old: Filter) -> None:
        """Remove a filter."""
        with self._lock:
            del self._filters[old.group, old.name]
        self._state.delete(_KIND, f"{old.group}\n{old.name}")

    def forget(self, group: str) -> None:
        """Remove the filters of a log group that is deleted."""
        for each in self.of(group):
            self.delete(each)


def checked_pattern(pattern: str) -> str:
    """`pattern`; raises InvalidParameterException when AWS would not take it."""
    at_most("filterPattern", len(pattern), 1024, 0)
    patterns.parse(pattern)
    return pattern


def checked(transformations: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The one transformation of a filter; raises InvalidParameterException."""
    if len(transformations) != 1:
        raise invalid("A metric filter must have exactly one metric transformation.")
    (found,) = transformations
    dimensions = found.get("dimensions", {})
    if found["metricNamespace"].startswith("AWS/"):
        raise invalid("Invalid metric transformation: namespace must not begin with AWS/")
    if dimensions and "defaultValue" in found:
        message = "default value is mutually exclusive with dimensions"
        raise invalid(f"Invalid metric transformation: {message}")
    if len(dimensions) > MAX_DIMENSIONS:
        raise invalid(f"Invalid metric transformation: at most {MAX_DIMENSIONS} dimensions")
    value = found["metricValue"]
    if number(value) is None and not value.startswith("$"):
        raise invalid(f"Invalid metric transformation: metricValue {value} is not a number")
    return dict(found)
