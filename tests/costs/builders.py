"""Cost Explorer as a function, and facts as rows, for tests of the costs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

from aws.costexplorer import Amount, Group, Question
from costs.models import CostFact, IngestRun
from tests import make

# A Sunday, after 08:00 UTC, late enough in the month to compare three weeks.
AT = datetime(2026, 11, 22, 9, tzinfo=UTC)
TODAY = AT.date()
NAT = ("EC2 - Other", "NatGateway-Hours", "Usage")
TAX = ("Tax", "NoUsageType", "Tax")
CREDIT = ("EC2 - Other", "NatGateway-Hours", "Credit")
Lines = dict[tuple[str, str, str], str]
EVERY_DAY: Lines = {
    NAT: "1.08",
    ("AmazonCloudWatch", "DataProcessing-Bytes", "Usage"): "0.25",
}


def bill(lines: Callable[[date], Lines] | None = None) -> Callable[..., list[Group]]:
    """Return a stand-in for `get_cost_and_usage`: `lines(day)` are a day's costs in USD."""
    cost_of = lines or (lambda day: EVERY_DAY)

    def answer(question: Question, *, most_pages: int, charged: Callable[[], None]) -> list[Group]:
        charged()
        days = (question.end - question.start).days
        return [
            group
            for number in range(days)
            for group in _groups(question, question.start + timedelta(days=number), cost_of)
        ]

    return answer


def _groups(question: Question, day: date, cost_of: Callable[[date], Lines]) -> list[Group]:
    if question.granularity == "MONTHLY" and day.day != 1:
        return []
    place = 1 if question.dimensions[1] == "USAGE_TYPE" else 2
    sums: dict[tuple[str, str], Decimal] = {}
    for line, cost in cost_of(day).items():
        if line[2] not in question.without_record_types:
            key = (line[0], line[place])
            sums[key] = sums.get(key, Decimal(0)) + Decimal(cost)
    return [group(day, key, cost, question.metrics) for key, cost in sums.items()]


def group(day: date, keys: tuple[str, ...], cost: Decimal, metrics: Any) -> Group:
    amounts = {name: Amount(cost, "USD") for name in metrics}
    if "UsageQuantity" in amounts:
        unit = "N/A" if keys[1] == "NoUsageType" else "Hrs"
        amounts["UsageQuantity"] = Amount(Decimal(24), unit)
    estimated = (day.year, day.month) == (TODAY.year, TODAY.month)
    return Group(day, day + timedelta(days=1), keys, amounts, estimated)


def fact(**changes: Any) -> CostFact:
    defaults = {
        "shape": "RECORD",
        "granularity": "DAILY",
        "day": date(2026, 11, 1),
        "service": "EC2 - Other",
        "unblended": Decimal("1.08"),
        "amortized": Decimal("1.08"),
        "net_amortized": Decimal("1.08"),
        "estimated": True,
        "as_of": AT,
    }
    fields = defaults | changes
    if fields["shape"] == "RECORD":
        fields.setdefault("record_type", "Usage")
    else:
        fields.setdefault("usage_type", "NatGateway-Hours")
    return CostFact.objects.create(account=make.account(), **fields)


def run(**changes: Any) -> IngestRun:
    defaults = {
        "granularity": "DAILY",
        "start": date(2026, 10, 1),
        "end": date(2026, 11, 23),
        "status": "SUCCEEDED",
        "charged_requests": 3,
        "started_at": AT,
        "finished_at": AT,
    }
    return IngestRun.objects.create(account=make.account(), **defaults | changes)


def full(day: date) -> Lines:
    """NAT for 1.08 a day (2 on Nov 5), tax on the first, a credit in October."""
    lines = {NAT: "2.00" if day == date(2026, 11, 5) else "1.08"}
    if day.day == 1:
        lines[TAX] = "9.17"
    if day == date(2026, 10, 1):
        lines[CREDIT] = "-25.00"
    return lines


def text(response: Any) -> str:
    """The main part of the page with its white space collapsed."""
    main = response.text.partition('<main id="main"')[2].partition("</main>")[0]
    return " ".join(main.split())
