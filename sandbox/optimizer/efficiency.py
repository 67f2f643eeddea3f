"""ListEfficiencyMetrics: how much of what was spent could have been saved."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from sandbox.costexplorer.ledger import Ledger, amount
from sandbox.costexplorer.lines import USAGE, Line
from sandbox.costexplorer.questions import Period, next_month
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT, REGION
from sandbox.optimizer.costhub import CostOptimizationHub
from sandbox.optimizer.facts import cents

# Days of a mean month.
_MONTH = Decimal("30.4167")
_GROUPS = {None: "", "AccountId": ACCOUNT, "Region": REGION}

Answer = dict[str, Any]


class Efficiency:
    """The efficiency score over time."""

    def __init__(self, hub: CostOptimizationHub, ledger: Ledger) -> None:
        self._hub = hub
        self._ledger = ledger

    @simplified("Savings of past periods are those recommended now, by days.")
    @our_reading("score = 100 · (1 - savings / spend), spend being all usage of the period.")
    async def list_efficiency_metrics(
        self,
        granularity: str,
        timePeriod: Mapping[str, str],  # noqa: N803
        groupBy: str | None = None,  # noqa: N803
        **_: Any,
    ) -> Answer:
        """Score, savings and spend by day or month, in one group; raises AwsError."""
        if groupBy not in _GROUPS:
            raise _invalid("groupBy must be AccountId or Region.")
        periods = _periods(timePeriod, granularity)
        monthly = await self._hub.monthly_savings()
        found = await asyncio.to_thread(self._metrics, periods, monthly, granularity)
        group: Answer = {"group": _GROUPS[groupBy]}
        if not found:
            message = "There is no cost and usage data in the time period."
            return {"efficiencyMetricsByGroup": [group | {"message": message}]}
        return {"efficiencyMetricsByGroup": [group | {"metricsByTime": found}]}

    def _metrics(
        self, periods: Sequence[Period], monthly: Decimal, granularity: str
    ) -> list[Answer]:
        length = 10 if granularity == "Daily" else 7
        found = []
        for period in periods:
            spend = amount("UnblendedCost", self._ledger.lines(period.start, period.end, _used))[0]
            if spend:
                savings = min(monthly * period.days / _MONTH, spend)
                found.append(
                    {
                        "score": cents(100 * (1 - savings / spend)),
                        "savings": cents(savings),
                        "spend": cents(spend),
                        "timestamp": period.start.isoformat()[:length],
                    }
                )
        return found


def _used(line: Line) -> bool:
    return line.record_type == USAGE


def _periods(asked: Mapping[str, str], granularity: str) -> Sequence[Period]:
    start, end = _day(asked["start"]), _day(asked["end"])
    if start >= end:
        raise _invalid("The start of timePeriod must be before its end.")
    if granularity == "Daily":
        days = range(start.toordinal(), end.toordinal())
        return [Period(date.fromordinal(n), date.fromordinal(n + 1)) for n in days]
    if granularity != "Monthly":
        raise _invalid("granularity must be Daily or Monthly.")
    months, first = [], start.replace(day=1)
    while first < end:
        months.append(Period(first, next_month(first)))
        first = next_month(first)
    return months


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text if len(text) > 7 else f"{text}-01")
    except ValueError as error:
        raise _invalid(f"{text!r} is no date.") from error


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)
