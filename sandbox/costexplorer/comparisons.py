"""GetCostAndUsageComparisons and GetCostComparisonDrivers: one month against another."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import lines as words
from sandbox.costexplorer.expressions import Test, parse, refuse
from sandbox.costexplorer.ledger import Ledger, amount, page, size, text
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.questions import (
    METRICS,
    GroupBy,
    Period,
    group_by,
    months_before,
    next_month,
    past,
    view,
)
from sandbox.honesty import our_reading

_MOST_COMPARISONS = 2000
_MOST_DRIVERS = 10
_MONTHS_BACK = 13
_OWN_TYPES = {words.TAX: "TAX", words.CREDIT: "CREDIT", words.FEE: "SUPPORT_FEE"}
_SERVICE, _USAGE_TYPE = GroupBy("DIMENSION", "SERVICE"), GroupBy("DIMENSION", "USAGE_TYPE")

Answer = dict[str, Any]
Keys = tuple[str, ...]


@dataclass
class _Pair:
    """The same lines in both months."""

    baseline: list[Line] = field(default_factory=list)
    comparison: list[Line] = field(default_factory=list)

    def metric(self, name: str) -> Answer:
        before, _ = amount(name, self.baseline)
        after, _ = amount(name, self.comparison)
        return {
            "BaselineTimePeriodAmount": text(before),
            "ComparisonTimePeriodAmount": text(after),
            "Difference": text(after - before),
            "Unit": amount(name, [*self.baseline, *self.comparison])[1],
        }

    def difference(self, name: str) -> Decimal:
        return abs(amount(name, self.comparison)[0] - amount(name, self.baseline)[0])


@dataclass(frozen=True)
class _Question:
    baseline: Period
    comparison: Period
    metric: str
    groups: tuple[GroupBy, ...]
    wanted: Test


class Comparisons:
    """Two whole months of the bill beside each other. Largest differences come first."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def get_cost_and_usage_comparisons(self, **parameters: Any) -> Answer:
        """Both months' amounts by group, and in total; charged. Raises AwsError."""
        return await asyncio.to_thread(self._compared, parameters)

    def _compared(self, parameters: Mapping[str, Any]) -> Answer:
        question = self._question(parameters)
        pairs = self._pairs(question, question.groups)
        rows = [
            {
                "CostAndUsageSelector": selector(question.groups, keys),
                "Metrics": {question.metric: pair.metric(question.metric)},
            }
            for keys, pair in _by_difference(pairs, question.metric)
        ]
        found, more = page(rows, parameters, size=size(parameters, _MOST_COMPARISONS))
        total = _Pair(
            [line for pair in pairs.values() for line in pair.baseline],
            [line for pair in pairs.values() for line in pair.comparison],
        )
        self._ledger.charge()
        return {
            "CostAndUsageComparisons": list(found),
            "TotalCostAndUsage": {question.metric: total.metric(question.metric)},
            **more,
        }

    @our_reading("A driver of type USAGE_CHANGE is named by its usage type and has its quantity.")
    async def get_cost_comparison_drivers(self, **parameters: Any) -> Answer:
        """What changed by service and usage type, with the kind of change; charged."""
        return await asyncio.to_thread(self._driven, parameters)

    def _driven(self, parameters: Mapping[str, Any]) -> Answer:
        question = self._question(parameters)
        always = [by for by in (_SERVICE, _USAGE_TYPE) if by not in question.groups]
        groups = (*question.groups, *always)
        pairs = {
            keys: pair
            for keys, pair in self._pairs(question, groups).items()
            if pair.difference(question.metric)
        }
        rows = [
            {
                "CostSelector": selector(groups, keys),
                "Metrics": {question.metric: pair.metric(question.metric)},
                "CostDrivers": _drivers(pair, question.metric),
            }
            for keys, pair in _by_difference(pairs, question.metric)
        ]
        found, more = page(rows, parameters, size=size(parameters, _MOST_DRIVERS))
        self._ledger.charge()
        return {"CostComparisonDrivers": list(found), **more}

    def _question(self, parameters: Mapping[str, Any]) -> _Question:
        view(parameters)
        metric = parameters["MetricForComparison"]
        if metric not in METRICS:
            raise refuse(f"MetricForComparison must be one of {', '.join(METRICS)}.")
        return _Question(
            self._month(parameters, "BaselineTimePeriod"),
            self._month(parameters, "ComparisonTimePeriod"),
            metric,
            group_by(parameters.get("GroupBy") or ()),
            parse(parameters.get("Filter")),
        )

    def _month(self, parameters: Mapping[str, Any], name: str) -> Period:
        period = past(parameters[name], self._ledger.today)
        if period.start.day != 1 or period.end != next_month(period.start):
            raise refuse(
                f"{name} must start and end on the first day of a month, with a duration of "
                "exactly one month."
            )
        if period.start < months_before(self._ledger.today, _MONTHS_BACK):
            raise refuse(f"{name} must be within the last {_MONTHS_BACK} months.")
        return period

    def _pairs(self, question: _Question, groups: tuple[GroupBy, ...]) -> dict[Keys, _Pair]:
        pairs: dict[Keys, _Pair] = {}
        for line in self._lines(question.baseline, question.wanted):
            _pair(pairs, line, groups).baseline.append(line)
        for line in self._lines(question.comparison, question.wanted):
            _pair(pairs, line, groups).comparison.append(line)
        return pairs

    def _lines(self, period: Period, wanted: Test) -> list[Line]:
        return self._ledger.lines(period.start, period.end, wanted)


def _pair(pairs: dict[Keys, _Pair], line: Line, groups: tuple[GroupBy, ...]) -> _Pair:
    return pairs.setdefault(tuple(by.value(line) for by in groups), _Pair())


def _by_difference(pairs: Mapping[Keys, _Pair], metric: str) -> list[tuple[Keys, _Pair]]:
    return sorted(pairs.items(), key=lambda item: (-item[1].difference(metric), item[0]))


def selector(groups: Iterable[GroupBy], keys: Keys) -> Answer:
    """The filter expression that selects one group; empty for the group of everything."""
    parts = [_part(by, key) for by, key in zip(groups, keys, strict=True)]
    if len(parts) > 1:
        return {"And": parts}
    return parts[0] if parts else {}


def _part(by: GroupBy, key: str) -> Answer:
    if by.kind == "DIMENSION":
        return {"Dimensions": {"Key": by.key, "Values": [key], "MatchOptions": ["EQUALS"]}}
    member = "Tags" if by.kind == "TAG" else "CostCategories"
    value = key.partition("$")[2]
    if not value:
        return {member: {"Key": by.key, "MatchOptions": ["ABSENT"]}}
    return {member: {"Key": by.key, "Values": [value], "MatchOptions": ["EQUALS"]}}


def _drivers(pair: _Pair, metric: str) -> list[Answer]:
    """Tax, credits and fees are drivers of their own; everything else is changed usage."""
    by_type: dict[tuple[str, str], _Pair] = {}
    for line in pair.baseline:
        by_type.setdefault(_driver(line), _Pair()).baseline.append(line)
    for line in pair.comparison:
        by_type.setdefault(_driver(line), _Pair()).comparison.append(line)
    return [
        {"Type": kind, "Name": name, "Metrics": _metrics(kind, each, metric)}
        for (kind, name), each in sorted(by_type.items())
        if each.difference(metric)
    ]


def _driver(line: Line) -> tuple[str, str]:
    return _OWN_TYPES.get(line.record_type, "USAGE_CHANGE"), line.usage_type


def _metrics(kind: str, pair: _Pair, metric: str) -> Answer:
    found = {metric: pair.metric(metric)}
    return found | ({"UsageQuantity": pair.metric("UsageQuantity")} if kind[:5] == "USAGE" else {})
