"""What a budget may be; everything else is refused as AWS refuses it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from sandbox.budgets.periods import UNITS
from sandbox.budgets.spend import wanted_lines
from sandbox.errors import AwsError
from sandbox.names import ACCOUNT

MOST_NOTIFICATIONS = 10
MOST_MAILS, MOST_TOPICS = 10, 1
# What AWS fills in when a budget has no end: 06/15/87 00:00 UTC.
FOREVER = datetime(2087, 6, 15, tzinfo=UTC)
COST_TYPES: Mapping[str, bool] = {
    "IncludeTax": True,
    "IncludeSubscription": True,
    "UseBlended": False,
    "IncludeRefund": True,
    "IncludeCredit": True,
    "IncludeUpfront": True,
    "IncludeRecurring": True,
    "IncludeOtherSubscription": True,
    "IncludeSupport": True,
    "IncludeDiscount": True,
    "UseAmortized": False,
}
_NAME = re.compile(r"(?![^:\\]*/action/)[^:\\]{1,100}")
_NOT_SUPPORTED = ("PlannedBudgetLimits", "AutoAdjustData", "BillingViewArn")


def invalid(message: str) -> AwsError:
    """Budgets' error for what makes no sense."""
    return AwsError("InvalidParameterException", message)


def account(number: str) -> None:
    """Raise AwsError (AccessDeniedException) for an account that is not ours."""
    if number != ACCOUNT:
        message = f"Account {number} is not authorized to access budgets of this account."
        raise AwsError("AccessDeniedException", message)


def budget(asked: Mapping[str, Any], now: datetime) -> dict[str, Any]:
    """The budget with defaults filled in; raises AwsError (InvalidParameterException)."""
    if not _NAME.fullmatch(asked["BudgetName"]):
        raise invalid("Budget name must have at most 100 characters, without : and \\.")
    if asked["BudgetType"] != "COST":
        raise invalid(f"Budgets of type {asked['BudgetType']} are not supported by the sandbox.")
    if asked["TimeUnit"] not in UNITS:
        raise invalid(f"TimeUnit must be one of {', '.join(UNITS)}.")
    for name in _NOT_SUPPORTED:
        if asked.get(name):
            raise invalid(f"{name} is not supported by the sandbox.")
    body = {k: v for k, v in asked.items() if k not in ("CalculatedSpend", "LastUpdatedTime")}
    body |= {"BudgetLimit": _limit(asked), "TimePeriod": _period(asked, now)}
    if "FilterExpression" not in asked:
        body["CostTypes"] = {**COST_TYPES, **asked.get("CostTypes", {})}
        body["CostFilters"] = asked.get("CostFilters", {})
    elif asked.get("CostFilters") or asked.get("CostTypes"):
        raise invalid("FilterExpression cannot be used together with CostFilters or CostTypes.")
    wanted_lines(body)
    return body


def _limit(asked: Mapping[str, Any]) -> dict[str, str]:
    limit = asked.get("BudgetLimit")
    if not limit:
        raise invalid("BudgetLimit is required for budgets of type COST.")
    try:
        amount = Decimal(limit["Amount"])
    except InvalidOperation as error:
        raise invalid("BudgetLimit must be a number.") from error
    if limit["Unit"] != "USD" or not amount.is_finite() or amount <= 0:
        raise invalid("BudgetLimit must be greater than 0 USD.")
    return {"Amount": str(amount), "Unit": "USD"}


def _period(asked: Mapping[str, Any], now: datetime) -> dict[str, datetime]:
    given = asked.get("TimePeriod") or {}
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    start, end = given.get("Start", first), given.get("End", FOREVER)
    if start >= end:
        raise invalid("The start of a budget must be before its end.")
    return {"Start": start, "End": end}


def notification(asked: Mapping[str, Any]) -> None:
    """Raise AwsError (InvalidParameterException) for a notification that cannot be."""
    if asked["NotificationType"] not in ("ACTUAL", "FORECASTED"):
        raise invalid("NotificationType must be ACTUAL or FORECASTED.")
    if asked["ComparisonOperator"] not in ("GREATER_THAN", "LESS_THAN", "EQUAL_TO"):
        raise invalid("ComparisonOperator must be GREATER_THAN, LESS_THAN or EQUAL_TO.")
    if asked.get("ThresholdType", "PERCENTAGE") not in ("PERCENTAGE", "ABSOLUTE_VALUE"):
        raise invalid("ThresholdType must be PERCENTAGE or ABSOLUTE_VALUE.")
    if float(asked["Threshold"]) <= 0:
        raise invalid("Threshold must be greater than 0.")


def subscribers(asked: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
    """Subscribers, at most one topic and ten addresses; raises AwsError."""
    kinds = [each["SubscriptionType"] for each in asked]
    if not set(kinds) <= {"SNS", "EMAIL"}:
        raise invalid("SubscriptionType must be SNS or EMAIL.")
    if not asked:
        raise invalid("A notification must have at least one subscriber.")
    if kinds.count("SNS") > MOST_TOPICS or kinds.count("EMAIL") > MOST_MAILS:
        message = "A notification can have one SNS topic and ten e-mail subscribers."
        raise AwsError("CreationLimitExceededException", message)
    for each in asked:
        if each["SubscriptionType"] == "SNS" and not each["Address"].startswith("arn:aws:sns:"):
            raise invalid("The address of an SNS subscriber must be the ARN of a topic.")
    return [dict(each) for each in asked]
