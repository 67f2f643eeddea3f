"""GetCostAndUsage, and Cost Explorer's object for the rest of the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import kinds
from sandbox.costexplorer.expressions import refuse
from sandbox.costexplorer.journal import Holding, Journal
from sandbox.costexplorer.ledger import Ledger, amount, page, text
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.prices import price
from sandbox.costexplorer.questions import Period, Question, ask, day
from sandbox.errors import AwsError
from sandbox.honesty import OUR_READING, SIMPLIFIED, Note, our_reading, simplified
from sandbox.names import ACCOUNT

# Smaller than AWS's, so that a client that forgets to page finds out here.
ROWS_PER_PAGE = 250
ACCOUNT_NAME = "quarterdeck-sandbox"
_RESOURCE_DAYS = 14
# A month's bill is closed some days after its end.
_CLOSING = timedelta(days=5)
_SPIKE = "spike"
# What grows when a service's costs spike.
_SPIKES = {
    kind.service: kind
    for kind in (
        kinds.fargate(arm=False)[0],
        kinds.database("db.t4g.medium", engine="postgres", multi_az=True),
        kinds.cache_node("cache.t3.medium", engine="redis"),
        kinds.CAPACITY_UNITS,
        kinds.NAT_BYTES,
        kinds.IDLE_ADDRESS,
        kinds.LOG_INGESTION,
        kinds.IMAGES,
        kinds.SECRET_CALLS,
    )
}


@dataclass(frozen=True)
class _Row:
    """One group of one period; `keys` is None for a period that is not grouped or empty."""

    period: Period
    keys: tuple[str, ...] | None
    lines: Sequence[Line]


class CostExplorer:
    """The account's bill since 14 months before the epoch."""

    NOTES = (
        Note(SIMPLIFIED, "Before the first start the bill is computed; after it, it is measured."),
        Note(
            SIMPLIFIED,
            "NAT bytes, transfer between zones and flow logs are so much a request to a load "
            "balancer; an LCU is one GB an hour.",
        ),
        Note(
            SIMPLIFIED,
            "While the sandbox is off, resources go on to cost what they cost; traffic does not.",
        ),
        Note(OUR_READING, "A month is an estimate up to the fifth of the next one."),
        Note(SIMPLIFIED, "Support (29 USD) and tax (7 % on the first) are assumptions."),
        Note(
            SIMPLIFIED, "There is no free tier: the first GB of logs and alarm cost as any other."
        ),
        Note(SIMPLIFIED, "Sizes that are not in prices.json are not billed."),
        Note(
            SIMPLIFIED,
            "RDS backups, infrequent access logs, extended support, Inspector: not billed.",
        ),
        Note(
            OUR_READING,
            "Usage arrives 4 to 12 hours late, that of EC2 - Other and CloudWatch 16 to 24.",
        ),
    )

    def __init__(self, ledger: Ledger, journal: Journal) -> None:
        self.ledger = ledger
        self._journal = journal

    # -- for faults ----------------------------------------------------------------------------

    def spike(self, service: str, usd_per_day: float, days: int) -> None:
        """Let a service cost so much more a day from now on; durable.

        :param service: as the bill spells it, such as `EC2 - Other`.
        :raises ValueError: for another service, or nothing to add.
        """
        if service not in _SPIKES:
            raise ValueError(f"service must be one of {', '.join(sorted(_SPIKES))}")
        if usd_per_day <= 0 or days <= 0:
            raise ValueError("usd_per_day and days must be greater than 0")
        kind, now = _SPIKES[service], self.ledger.now()
        hourly = Decimal(str(usd_per_day)) / 24 / price(kind.price)
        holding = Holding(kind, f"spike-{service}", _constant(kind.unit, hourly))
        self._journal.add(_SPIKE, holding, now, now + timedelta(days=days))

    def calm(self) -> int:
        """End every spike now; how many there were. What it cost so far stays on the bill."""
        return self._journal.end(_SPIKE, self.ledger.now())

    # -- operations ----------------------------------------------------------------------------

    @simplified("Hourly data and multi-year data are not enabled and are refused.")
    @our_reading("The message for HOURLY without opting in is ours; AWS's is not documented.")
    async def get_cost_and_usage(self, **parameters: Any) -> dict[str, Any]:
        """One page of costs; every page answered is charged. Raises AwsError.

        Runs in a thread: a year of days takes longer than the gateway's other answers may wait.
        """
        return await asyncio.to_thread(self._cost_and_usage, parameters)

    def _cost_and_usage(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        question = ask(parameters, self.ledger.today)
        rows, more = page(list(self._rows(question)), parameters, size=ROWS_PER_PAGE)
        answer: dict[str, Any] = {
            "GroupDefinitions": [by.as_dict() for by in question.group_by],
            "ResultsByTime": _results(rows, question, self.ledger.today),
            "DimensionValueAttributes": _attributes(question),
        }
        self.ledger.charge()
        return answer | more

    def _rows(self, question: Question) -> Iterable[_Row]:
        for period in question.periods:
            lines = self.ledger.lines(period.start, period.end, question.wanted)
            if not lines or not question.group_by:
                yield _Row(period, None, lines)
                continue
            groups: dict[tuple[str, ...], list[Line]] = {}
            for line in lines:
                keys = tuple(by.value(line) for by in question.group_by)
                groups.setdefault(keys, []).append(line)
            for keys in sorted(groups):
                yield _Row(period, keys, groups[keys])

    @our_reading("Resource-level data is opt-in: not enabled, so DataUnavailableException.")
    def get_cost_and_usage_with_resources(self, **parameters: Any) -> dict[str, Any]:
        """Always raises AwsError: the account has not opted in to resource-level data."""
        start = day(parameters["TimePeriod"]["Start"][:10])
        if start < self.ledger.today - timedelta(days=_RESOURCE_DAYS):
            raise refuse(
                "Start date is more than 14 days ago for hourly granularity. Please adjust start "
                "date as we support only 14 days of data at hourly granularity."
            )
        message = "Resource-level data is not enabled for this account."
        raise AwsError("DataUnavailableException", message)


def _constant(unit: str, hourly: Decimal) -> Decimal:
    """The amount to hold so that `hourly` units are billed each hour of a 30-day month."""
    return hourly * 24 * 30 if unit == "GB-Mo" else hourly


def _attributes(question: Question) -> list[dict[str, Any]]:
    if all(by.key != "LINKED_ACCOUNT" for by in question.group_by):
        return []
    return [{"Value": ACCOUNT, "Attributes": {"description": ACCOUNT_NAME}}]


def _results(rows: Sequence[_Row], question: Question, today: date) -> list[dict[str, Any]]:
    """Rows gathered into their periods; a period whose groups do not fit is repeated."""
    results: list[dict[str, Any]] = []
    for row in rows:
        period = row.period.as_dict()
        if not results or results[-1]["TimePeriod"] != period:
            # An open month is an estimate as a whole.
            estimated = row.period.end > (today - _CLOSING).replace(day=1)
            results.append(
                {"TimePeriod": period, "Total": {}, "Groups": [], "Estimated": estimated}
            )
        metrics = {name: _value(name, row.lines) for name in question.metrics}
        if row.keys is None:
            results[-1]["Total"] = metrics
        else:
            results[-1]["Groups"].append({"Keys": list(row.keys), "Metrics": metrics})
    return results


def _value(metric: str, lines: Sequence[Line]) -> dict[str, str]:
    number, unit = amount(metric, lines)
    return {"Amount": text(number), "Unit": unit}
