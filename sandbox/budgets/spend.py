"""What counts towards a budget, and how much that is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from sandbox.budgets import periods
from sandbox.budgets.store import Budget
from sandbox.costexplorer import lines as words
from sandbox.costexplorer.bill import known_until
from sandbox.costexplorer.expressions import ALL_OPTIONS, Test, parse
from sandbox.costexplorer.forecasts import Forecasts
from sandbox.costexplorer.ledger import Ledger, amount
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.questions import Period
from sandbox.errors import AwsError

_DIMENSIONS = {
    "AZ": "AZ",
    "InstanceType": "INSTANCE_TYPE",
    "LinkedAccount": "LINKED_ACCOUNT",
    "Operation": "OPERATION",
    "PurchaseType": "PURCHASE_TYPE",
    "Region": "REGION",
    "Service": "SERVICE",
    "UsageType": "USAGE_TYPE",
}
_TAG = "TagKeyValue"
_EXCLUDED_BY = {
    "IncludeTax": words.TAX,
    "IncludeCredit": words.CREDIT,
    "IncludeSupport": words.FEE,
}


def wanted_lines(body: Mapping[str, Any]) -> Test:
    """The lines that count towards a budget; raises AwsError (InvalidParameterException)."""
    if "FilterExpression" in body:
        return _expression(body["FilterExpression"])
    tests = [_test(key, values) for key, values in body.get("CostFilters", {}).items()]
    excluded = {
        record for name, record in _EXCLUDED_BY.items() if body["CostTypes"].get(name) is False
    }
    return lambda line: line.record_type not in excluded and all(test(line) for test in tests)


def _expression(expression: Mapping[str, Any]) -> Test:
    try:
        return parse(expression, ALL_OPTIONS)
    except AwsError as error:
        raise AwsError("InvalidParameterException", error.message) from error


def _test(key: str, values: Sequence[str]) -> Test:
    if key in _DIMENSIONS:
        return lambda line: line.dimension(_DIMENSIONS[key]) in values
    if key == _TAG:
        pairs = [tuple(value.removeprefix("user:").split("$", 1)) for value in values]
        return lambda line: any(_tagged(line, pair) for pair in pairs)
    known = ", ".join([*_DIMENSIONS, _TAG])
    raise AwsError("InvalidParameterException", f"Cost filter {key} is not one of {known}.")


def _tagged(line: Line, pair: tuple[str, ...]) -> bool:
    return len(pair) == 2 and line.tag(pair[0]) == pair[1]


class Spend:
    """Actual and forecast amounts of budgets, read from the bill without being charged for it."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._forecasts = Forecasts(ledger)

    def refreshed(self) -> tuple[date, datetime, datetime]:
        """What changes when new costs have arrived or a new day begins."""
        now = self._ledger.now()
        return now.date(), known_until(now), known_until(now, words.CLOUDWATCH)

    def period(self, budget: Budget) -> Period:
        """The budget's period that contains today."""
        return periods.containing(budget.unit, self._ledger.today)

    def actual(self, budget: Budget, period: Period) -> Decimal:
        """USD spent in a period so far."""
        end = min(period.end, self._ledger.today + timedelta(days=1))
        found = self._ledger.lines(period.start, end, wanted_lines(budget.body))
        return amount("UnblendedCost", found)[0]

    def forecast(self, budget: Budget) -> Decimal | None:
        """USD at the end of the present period, None where there is too little history."""
        try:
            total = self._forecasts.total(self.period(budget), wanted_lines(budget.body))
        except AwsError:
            return None
        return Decimal(str(round(total, 10)))
