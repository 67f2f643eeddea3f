"""Requests to Cost Explorer, checked: periods, metrics, grouping and filters."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sandbox.costexplorer.expressions import Test, parse, refuse
from sandbox.costexplorer.lines import Line
from sandbox.errors import AwsError
from sandbox.names import ACCOUNT

COSTS = (
    "UnblendedCost",
    "AmortizedCost",
    "NetAmortizedCost",
    "NetUnblendedCost",
    "BlendedCost",
)
METRICS = (*COSTS, "UsageQuantity", "NormalizedUsageAmount")
GROUPABLE = (
    "AZ",
    "INSTANCE_TYPE",
    "LINKED_ACCOUNT",
    "OPERATION",
    "PURCHASE_TYPE",
    "SERVICE",
    "USAGE_TYPE",
    "PLATFORM",
    "TENANCY",
    "RECORD_TYPE",
    "LEGAL_ENTITY_NAME",
    "INVOICING_ENTITY",
    "DEPLOYMENT_OPTION",
    "DATABASE_ENGINE",
    "CACHE_ENGINE",
    "INSTANCE_TYPE_FAMILY",
    "REGION",
    "BILLING_ENTITY",
    "RESERVATION_ID",
    "SAVINGS_PLANS_TYPE",
    "SAVINGS_PLAN_ARN",
    "OPERATING_SYSTEM",
)
MONTHS_KEPT = 14
PRIMARY_VIEW = f"arn:aws:billing::{ACCOUNT}:billingview/primary"
_GROUP_KINDS = ("DIMENSION", "TAG", "COST_CATEGORY", "PRODUCT_ATTRIBUTE")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


@dataclass(frozen=True)
class GroupBy:
    """A dimension's, a tag's or a cost category's key to group by."""

    kind: str
    key: str

    def value(self, line: Line) -> str:
        """The group a line belongs to; tags are spelled `key$value`, untagged `key$`."""
        if self.kind == "DIMENSION":
            return line.dimension(self.key)
        return f"{self.key}${line.tag(self.key) if self.kind == 'TAG' else ''}"

    def as_dict(self) -> dict[str, str]:
        """The API's spelling."""
        return {"Type": self.kind, "Key": self.key}


@dataclass(frozen=True)
class Period:
    """From `start` to before `end`."""

    start: date
    end: date

    @property
    def days(self) -> int:
        """How many days it has."""
        return (self.end - self.start).days

    def as_dict(self) -> dict[str, str]:
        """The API's spelling."""
        return {"Start": self.start.isoformat(), "End": self.end.isoformat()}


@dataclass(frozen=True)
class Question:
    """What was asked: periods to report, metrics, grouping and a test for the lines."""

    periods: tuple[Period, ...]
    metrics: tuple[str, ...]
    group_by: tuple[GroupBy, ...]
    wanted: Test


def ask(parameters: Mapping[str, Any], today: date) -> Question:
    """The question a GetCostAndUsage request asks; raises AwsError (ValidationException)."""
    view(parameters)
    whole = past(parameters["TimePeriod"], today)
    metrics = tuple(parameters.get("Metrics") or ())
    if not metrics or not set(metrics) <= set(METRICS):
        raise refuse(f"Metrics must name some of {', '.join(METRICS)}.")
    groups = group_by(parameters.get("GroupBy") or ())
    wanted = parse(parameters.get("Filter"))
    if any(group.kind == "PRODUCT_ATTRIBUTE" for group in groups):
        # Such a question is about services with product attributes only; the account uses none.
        groups, wanted = (), lambda _: False
    return Question(periods(whole, parameters.get("Granularity")), metrics, groups, wanted)


def view(parameters: Mapping[str, Any]) -> None:
    """Raise AwsError (ResourceNotFoundException) for any billing view but the primary one."""
    arn = parameters.get("BillingViewArn", PRIMARY_VIEW)
    if arn != PRIMARY_VIEW:
        raise AwsError("ResourceNotFoundException", f"Billing view {arn} was not found.")


def past(period: Mapping[str, str], today: date) -> Period:
    """A period of the last 14 months, until the next month at most; raises AwsError."""
    start, end = day(period["Start"]), day(period["End"])
    if start >= end:
        raise refuse("Start date (and hour) should be before end date (and hour)")
    if start < months_before(today, MONTHS_KEPT):
        raise refuse(
            f"You haven't enabled historical data beyond {MONTHS_KEPT} months. "
            "See https://docs.aws.amazon.com/cost-management/latest/userguide/ce-enable.html"
        )
    if end > next_month(today):
        raise refuse("end date past the beginning of next month")
    return Period(start, end)


def day(text: str) -> date:
    """A day as the API spells it; raises AwsError."""
    # Python's own parser takes weeks and days without hyphens as well.
    if not _DATE.fullmatch(text):
        raise refuse(f"Dates must look like 2026-01-31, not {text!r}.")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise refuse(f"There is no such date: {text!r}.") from error


def months_before(today: date, months: int) -> date:
    """The first of the month so many months before today's."""
    first = today.replace(day=1)
    for _ in range(months):
        first = (first - timedelta(days=1)).replace(day=1)
    return first


def next_month(today: date) -> date:
    """The first of the month after today's."""
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1)


def group_by(groups: Sequence[Mapping[str, str]]) -> tuple[GroupBy, ...]:
    """At most two groups; raises AwsError (ValidationException)."""
    if len(groups) > 2:
        raise refuse("GroupBy can have at most two entries.")
    return tuple(_group(group.get("Type", ""), group.get("Key", "")) for group in groups)


def _group(kind: str, key: str) -> GroupBy:
    if kind not in _GROUP_KINDS:
        raise refuse("Group Definition type is invalid.")
    if kind == "DIMENSION" and key not in GROUPABLE:
        raise refuse(
            f"Group Definition dimension is invalid. Valid values are {', '.join(GROUPABLE)}"
        )
    if not key:
        raise refuse("Group Definition key is invalid.")
    return GroupBy(kind, key)


def periods(whole: Period, granularity: str | None) -> tuple[Period, ...]:
    """The days or months of a period; months begin and end with it. Raises AwsError."""
    if granularity == "HOURLY":
        raise refuse("You haven't enabled hourly granularity. Enable it in Cost Explorer settings.")
    if granularity not in {"DAILY", "MONTHLY"}:
        raise refuse("Granularity must be DAILY, MONTHLY or HOURLY.")
    found, start = [], whole.start
    while start < whole.end:
        following = start + timedelta(days=1) if granularity == "DAILY" else next_month(start)
        found.append(Period(start, min(following, whole.end)))
        start = following
    return tuple(found)
