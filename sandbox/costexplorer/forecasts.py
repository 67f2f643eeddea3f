"""GetCostForecast and GetUsageForecast."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import forecast
from sandbox.costexplorer.bill import known_until
from sandbox.costexplorer.expressions import Test, parse, refuse
from sandbox.costexplorer.forecast import Outlook
from sandbox.costexplorer.ledger import Ledger, amount, text
from sandbox.costexplorer.lines import CLOUDWATCH, Line
from sandbox.costexplorer.questions import Period, day, next_month, periods, view
from sandbox.errors import AwsError
from sandbox.honesty import our_reading

_COST_METRICS = {
    "AMORTIZED_COST": "AmortizedCost",
    "BLENDED_COST": "BlendedCost",
    "NET_AMORTIZED_COST": "NetAmortizedCost",
    "NET_UNBLENDED_COST": "NetUnblendedCost",
    "UNBLENDED_COST": "UnblendedCost",
}
_USAGE_METRICS = {
    "USAGE_QUANTITY": "UsageQuantity",
    "NORMALIZED_USAGE_AMOUNT": "NormalizedUsageAmount",
}
_LOOK_BACK = 63
_MOST_DAYS = 93
_MOST_MONTHS = 18
_METHOD = (
    "AWS does not publish its model: the mean is a trimmed mean of 28 days plus the lump of the "
    "first, the interval is normal around it."
)
_WHOLE_MONTH = (
    "A monthly forecast that begins in the running month is of that whole month, with what it "
    "has cost so far."
)

Answer = dict[str, Any]


class Forecasts:
    """Forecasts from the bill's complete days."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @our_reading(_METHOD)
    @our_reading(_WHOLE_MONTH)
    async def get_cost_forecast(self, **parameters: Any) -> Answer:
        """Mean and prediction interval of coming costs; charged. Raises AwsError."""
        return await asyncio.to_thread(self._answer, parameters, _COST_METRICS)

    @our_reading(_METHOD)
    @our_reading(_WHOLE_MONTH)
    async def get_usage_forecast(self, **parameters: Any) -> Answer:
        """The same of usage in one unit; raises AwsError (UnresolvableUsageUnitException …)."""
        return await asyncio.to_thread(self._answer, parameters, _USAGE_METRICS)

    def _answer(self, parameters: Mapping[str, Any], metrics: Mapping[str, str]) -> Answer:
        view(parameters)
        if parameters["Metric"] not in metrics:
            raise refuse(f"Metric must be one of {', '.join(metrics)}.")
        coming = _coming(parameters, self._ledger.today)
        percent = _level(parameters)
        metric = metrics[parameters["Metric"]]
        lines = self.past(parse(parameters.get("Filter")))
        unit = _unit(metric, lines)
        daily = self.daily(metric, lines)
        ahead = self.outlook(daily)
        results = [_result(period, daily, ahead, percent) for period in coming]
        self._ledger.charge()
        total = sum((Decimal(result["MeanValue"]) for result in results), Decimal(0))
        return {"Total": {"Amount": text(total), "Unit": unit}, "ForecastResultsByTime": results}

    def past(self, wanted: Test) -> list[Line]:
        """The lines a forecast is made from."""
        today = self._ledger.today
        return self._ledger.lines(today - timedelta(days=_LOOK_BACK), today, wanted)

    def daily(self, metric: str, lines: Iterable[Line]) -> dict[date, float]:
        """A metric by day, of days whose usage has all arrived."""
        complete = known_until(self._ledger.now(), CLOUDWATCH).date()
        by_day: dict[date, list[Line]] = {}
        for line in lines:
            if line.day < complete:
                by_day.setdefault(line.day, []).append(line)
        return {each: float(amount(metric, found)[0]) for each, found in by_day.items()}

    def outlook(self, daily: Mapping[date, float]) -> Outlook:
        """The outlook from complete days; raises AwsError (DataUnavailableException)."""
        complete = known_until(self._ledger.now(), CLOUDWATCH).date()
        try:
            return forecast.outlook(daily, complete)
        except forecast.TooYoung as error:
            message = "Insufficient amount of historical data."
            raise AwsError("DataUnavailableException", message) from error

    def total(self, period: Period, wanted: Test, metric: str = "UnblendedCost") -> float:
        """What a period that has begun will have amounted to at its end; raises AwsError."""
        daily = self.daily(metric, self.past(wanted))
        spent = self.daily(metric, self._ledger.lines(period.start, self._ledger.today, wanted))
        ahead = self.outlook(daily)
        return forecast.whole(daily | spent, ahead, period.start, period.days, self._ledger.today)


def _coming(parameters: Mapping[str, Any], today: date) -> Sequence[Period]:
    granularity = parameters["Granularity"]
    whole = _period(parameters["TimePeriod"], today)
    if granularity == "MONTHLY" and whole.start < next_month(today):
        whole = Period(today.replace(day=1), whole.end)
    coming = periods(whole, granularity)
    _at_most(coming, granularity)
    return coming


def _result(period: Period, daily: Mapping[date, float], ahead: Outlook, percent: int) -> Answer:
    days = [period.start + timedelta(days=number) for number in range(period.days)]
    mean = sum(ahead.day(each) for each in days)
    uncertain = sum(each not in daily for each in days)
    if uncertain < len(days):
        mean = forecast.whole(daily, ahead, period.start, period.days, period.start)
    margin = ahead.margin(uncertain, percent)
    return {
        "TimePeriod": period.as_dict(),
        "MeanValue": _text(mean),
        "PredictionIntervalLowerBound": _text(max(mean - margin, 0.0)),
        "PredictionIntervalUpperBound": _text(mean + margin),
    }


def _text(number: float) -> str:
    return text(Decimal(repr(round(number, 10))))


def _period(asked: Mapping[str, str], today: date) -> Period:
    start, end = day(asked["Start"]), day(asked["End"])
    if start >= end:
        raise refuse(f"Requested Start: {start} must be before requested End: {end}")
    if start < today:
        raise refuse(f"Requested Start: {start} must be on or after today: {today}")
    return Period(start, end)


def _at_most(coming: Sequence[Period], granularity: str) -> None:
    if granularity == "DAILY" and len(coming) > _MOST_DAYS:
        raise refuse("The forecast of DAILY granularity can be at most 3 months long.")
    if len(coming) > _MOST_MONTHS and granularity == "MONTHLY":
        raise refuse("The forecast of MONTHLY granularity can be at most 18 months long.")


def _level(parameters: Mapping[str, Any]) -> int:
    percent = int(parameters.get("PredictionIntervalLevel") or 80)
    if not 51 <= percent <= 99:
        raise refuse("PredictionIntervalLevel must be between 51 and 99.")
    return percent


def _unit(metric: str, lines: Sequence[Line]) -> str:
    unit = amount(metric, lines)[1]
    if metric == "UsageQuantity" and unit == "N/A":
        raise AwsError(
            "UnresolvableUsageUnitException",
            "Cost Explorer was unable to identify the usage unit. Provide "
            "UsageType/UsageTypeGroup filter selections that contain matching units.",
        )
    return unit
