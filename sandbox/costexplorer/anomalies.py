"""GetAnomalies and ProvideAnomalyFeedback: what stands out in the bill."""

from __future__ import annotations

import asyncio
import hashlib
import operator
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from sandbox.costexplorer import detection
from sandbox.costexplorer.bill import known_until
from sandbox.costexplorer.detection import Anomaly
from sandbox.costexplorer.expressions import ALL_OPTIONS, parse, refuse
from sandbox.costexplorer.ledger import Ledger, page, size
from sandbox.costexplorer.lines import CLOUDWATCH, USAGE, Line
from sandbox.costexplorer.monitors import Monitors
from sandbox.costexplorer.questions import Period, day
from sandbox.honesty import our_reading
from sandbox.names import ACCOUNT
from sandbox.state import State

DAYS_KEPT = 90
_MOST = 100
_MOST_CAUSES = 10
_DOCUMENT = "AnomalyFeedback"
_FEEDBACK = ("YES", "NO", "PLANNED_ACTIVITY")
_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "EQUAL": operator.eq,
    "GREATER_THAN_OR_EQUAL": operator.ge,
    "LESS_THAN_OR_EQUAL": operator.le,
    "GREATER_THAN": operator.gt,
    "LESS_THAN": operator.lt,
}

Answer = dict[str, Any]
Daily = dict[date, float]


class Anomalies:
    """Anomalies are computed from the bill whenever they are asked for; feedback is kept."""

    def __init__(self, ledger: Ledger, monitors: Monitors, state: State) -> None:
        self._ledger = ledger
        self._monitors = monitors
        self._state = state

    @our_reading(
        "AWS's models are undisclosed. A day is an anomaly when a service costs more than its "
        "weekday's median by 4 deviations, 2 USD and 10 %."
    )
    async def get_anomalies(self, **parameters: Any) -> Answer:
        """Anomalies that touch an interval, both dates inclusive; charged. Raises AwsError."""
        period = self._interval(parameters["DateInterval"])
        found = await self._found(self._monitors.chosen(parameters.get("MonitorArn")), period)
        wanted = [each for each in found if _wanted(each, parameters)]
        wanted.sort(key=lambda each: (each["AnomalyStartDate"], each["AnomalyId"]), reverse=True)
        rows, more = page(wanted, parameters, size=size(parameters, _MOST))
        self._ledger.charge()
        return {"Anomalies": list(rows), **more}

    async def provide_anomaly_feedback(self, AnomalyId: str, Feedback: str) -> Answer:  # noqa: N803
        """Keep what a person says about an anomaly; raises AwsError."""
        if Feedback not in _FEEDBACK:
            raise refuse(f"Feedback must be one of {', '.join(_FEEDBACK)}.")
        today = self._ledger.today
        period = Period(today - timedelta(days=DAYS_KEPT), today)
        known = await self._found(self._monitors.chosen(None), period)
        if all(each["AnomalyId"] != AnomalyId for each in known):
            raise refuse(f"Anomaly {AnomalyId} does not exist.")
        self._state.put(_DOCUMENT, AnomalyId, {"anomaly": AnomalyId, "feedback": Feedback})
        return {"AnomalyId": AnomalyId}

    async def _found(self, monitors: Sequence[Answer], period: Period) -> list[Answer]:
        """Described anomalies with their feedback; the bill is read in a thread."""
        found = await asyncio.to_thread(self._detected, monitors, period)
        given = {each["anomaly"]: each["feedback"] for each in self._state.all(_DOCUMENT)}
        for each in found:
            if each["AnomalyId"] in given:
                each["Feedback"] = given[each["AnomalyId"]]
        return found

    def _detected(self, monitors: Sequence[Answer], period: Period) -> list[Answer]:
        lines = self._lines(period)
        return [each for monitor in monitors for each in _of(monitor, lines, period)]

    def _interval(self, interval: Mapping[str, str]) -> Period:
        today = self._ledger.today
        start = day(interval["StartDate"])
        end = day(interval.get("EndDate") or today.isoformat())
        if start > end:
            raise refuse("Start date should be before or equal to end date.")
        if start < today - timedelta(days=DAYS_KEPT):
            raise refuse(f"Anomalies are available for the last {DAYS_KEPT} days.")
        return Period(start, end + timedelta(days=1))

    def _lines(self, period: Period) -> list[Line]:
        """Usage from before the interval, for its expectations, up to the last complete day."""
        complete = known_until(self._ledger.now(), CLOUDWATCH).date()
        before = detection.PROFILE_DAYS + detection.RESIDUAL_DAYS
        begin = period.start - timedelta(days=before)
        end = min(period.end, complete)
        return self._ledger.lines(begin, end, lambda line: line.record_type == USAGE)


def _of(monitor: Answer, lines: Sequence[Line], period: Period) -> list[Answer]:
    specification = monitor.get("MonitorSpecification")
    wanted = parse(specification, ALL_OPTIONS)
    groups: dict[str, list[Line]] = {}
    for line in filter(wanted, lines):
        value = "" if specification else line.dimension(monitor["MonitorDimension"])
        groups.setdefault(value, []).append(line)
    return [
        _described(monitor["MonitorArn"], value, anomaly, group)
        for value, group in groups.items()
        for anomaly in detection.anomalies(daily(group), period.start, period.end)
    ]


def _described(arn: str, value: str, anomaly: Anomaly, lines: Sequence[Line]) -> Answer:
    return {
        "AnomalyId": _identifier(arn, value, anomaly.start),
        "AnomalyStartDate": f"{anomaly.start}T00:00:00Z",
        "AnomalyEndDate": f"{anomaly.end}T00:00:00Z",
        **({"DimensionValue": value} if value else {}),
        "RootCauses": _causes(anomaly, lines),
        "AnomalyScore": {
            "MaxScore": round(max(each.score for each in anomaly.days), 4),
            "CurrentScore": round(anomaly.days[-1].score, 4),
        },
        "Impact": _impact(anomaly),
        "MonitorArn": arn,
    }


def daily(lines: Iterable[Line]) -> Daily:
    """USD by day."""
    found: Daily = {}
    for line in lines:
        found[line.day] = found.get(line.day, 0.0) + float(line.cost)
    return found


def _impact(anomaly: Anomaly) -> Answer:
    actual = sum(each.actual for each in anomaly.days)
    expected = sum(each.expected for each in anomaly.days)
    impact: Answer = {
        "MaxImpact": round(max(each.impact for each in anomaly.days), 2),
        "TotalImpact": round(actual - expected, 2),
        "TotalActualSpend": round(actual, 2),
        "TotalExpectedSpend": round(expected, 2),
    }
    if expected:
        impact["TotalImpactPercentage"] = round(100 * (actual - expected) / expected, 2)
    return impact


def _causes(anomaly: Anomaly, lines: Sequence[Line]) -> list[Answer]:
    """Usage types above their own expectation on the anomaly's days, largest first."""
    groups: dict[tuple[str, str, str], list[Line]] = {}
    for line in lines:
        groups.setdefault((line.service, line.region, line.usage_type), []).append(line)
    masked = {each.day for each in anomaly.days}
    excess = {key: _excess(daily(group), masked) for key, group in groups.items()}
    largest = sorted((key for key in groups if excess[key] > 0), key=lambda key: -excess[key])
    return [
        {
            "Service": service,
            "Region": region,
            "LinkedAccount": ACCOUNT,
            "UsageType": usage_type,
            "Impact": {"Contribution": round(excess[service, region, usage_type], 2)},
        }
        for service, region, usage_type in largest[:_MOST_CAUSES]
    ]


def _excess(known: Daily, days: set[date]) -> float:
    return sum(
        known.get(each, 0.0) - (detection.expectation(known, each, days) or 0.0) for each in days
    )


def _identifier(arn: str, value: str, start: date) -> str:
    digest = hashlib.blake2b(f"{arn}|{value}|{start}".encode(), digest_size=16).digest()
    return str(uuid.UUID(bytes=digest))


def _wanted(anomaly: Answer, parameters: Mapping[str, Any]) -> bool:
    if parameters.get("Feedback") not in (None, anomaly.get("Feedback")):
        return False
    limit = parameters.get("TotalImpact")
    return limit is None or _within(anomaly["Impact"]["TotalImpact"], limit)


def _within(impact: float, limit: Mapping[str, Any]) -> bool:
    name, value = limit["NumericOperator"], float(limit["StartValue"])
    if name == "BETWEEN":
        return value <= impact <= float(limit.get("EndValue", value))
    if name not in _OPERATORS:
        raise refuse(f"NumericOperator must be one of {', '.join(_OPERATORS)}, BETWEEN.")
    return _OPERATORS[name](impact, value)
