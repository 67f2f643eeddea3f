"""The operations of AWS Budgets on budgets themselves."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox.budgets import periods, validation
from sandbox.budgets.pages import MOST, page
from sandbox.budgets.spend import Spend
from sandbox.budgets.store import Budget as Planned
from sandbox.budgets.store import Notification, Store, read_notification
from sandbox.costexplorer.bill import midnight
from sandbox.costexplorer.ledger import text
from sandbox.costexplorer.questions import MONTHS_KEPT, Period, months_before
from sandbox.errors import AwsError
from sandbox.honesty import simplified

Answer = dict[str, Any]


class Budgets:
    """Budgets, what was spent of them and what they were before."""

    def __init__(self, store: Store, spend: Spend, now: Callable[[], datetime]) -> None:
        self._store = store
        self._spend = spend
        self._now = now

    @simplified("Budgets are of type COST, with a fixed limit; CUSTOM periods are refused.")
    def create_budget(
        self,
        AccountId: str,
        Budget: Mapping[str, Any],
        NotificationsWithSubscribers: Sequence[Mapping[str, Any]] = (),
        ResourceTags: Sequence[Mapping[str, str]] = (),
    ) -> Answer:
        """Plan costs; raises AwsError (DuplicateRecordException …)."""
        validation.account(AccountId)
        if ResourceTags:
            raise validation.invalid("ResourceTags are not supported by the sandbox.")
        name = Budget["BudgetName"]
        body = validation.budget(Budget, self._now())
        if self._store.find(name):
            message = f"Error creating budget: {name} - the budget already exists."
            raise AwsError("DuplicateRecordException", message)
        notifications = [_notification(each) for each in NotificationsWithSubscribers]
        if len(notifications) > validation.MOST_NOTIFICATIONS:
            message = f"A budget can have {validation.MOST_NOTIFICATIONS} notifications."
            raise AwsError("CreationLimitExceededException", message)
        self._store.save(Planned(name, body, self._now(), notifications))
        return {}

    def update_budget(self, AccountId: str, NewBudget: Mapping[str, Any]) -> Answer:
        """Replace everything but name and notifications; raises AwsError."""
        validation.account(AccountId)
        known = self._store.get(NewBudget["BudgetName"], "update")
        known.body, known.updated = validation.budget(NewBudget, self._now()), self._now()
        self._store.save(known)
        return {}

    def delete_budget(self, AccountId: str, BudgetName: str) -> Answer:
        """Delete a budget with its notifications; raises AwsError (NotFoundException)."""
        validation.account(AccountId)
        self._store.delete(self._store.get(BudgetName, "delete").name)
        return {}

    async def describe_budget(
        self, AccountId: str, BudgetName: str, ShowFilterExpression: bool = False
    ) -> Answer:
        """One budget with what was spent; raises AwsError (NotFoundException)."""
        validation.account(AccountId)
        budget = self._store.get(BudgetName)
        return {"Budget": await asyncio.to_thread(self._shown, budget)}

    async def describe_budgets(
        self,
        AccountId: str,
        MaxResults: int = MOST,
        NextToken: str | None = None,
        ShowFilterExpression: bool = False,
    ) -> Answer:
        """Budgets by name, by page; raises AwsError."""
        validation.account(AccountId)
        rows, more = page(self._store.all(), NextToken, MaxResults, "budgets")
        return {"Budgets": [await asyncio.to_thread(self._shown, b) for b in rows], **more}

    async def describe_budget_performance_history(
        self,
        AccountId: str,
        BudgetName: str,
        TimePeriod: Mapping[str, datetime] | None = None,
        MaxResults: int = MOST,
        NextToken: str | None = None,
    ) -> Answer:
        """Budgeted and actual amounts of past periods; raises AwsError."""
        validation.account(AccountId)
        budget = self._store.get(BudgetName)
        found = await asyncio.to_thread(self._history, budget, TimePeriod or {})
        rows, more = page(found, NextToken, MaxResults, BudgetName)
        kept = ("BudgetName", "BudgetType", "CostFilters", "CostTypes", "TimeUnit", "Metrics")
        body = {key: budget.body[key] for key in (*kept, "FilterExpression") if key in budget.body}
        history = body | {"BudgetedAndActualAmountsList": list(rows)}
        return {"BudgetPerformanceHistory": history, **more}

    def _shown(self, budget: Planned) -> Answer:
        actual = self._spend.actual(budget, self._spend.period(budget))
        forecast = self._spend.forecast(budget)
        coming = {} if forecast is None else {"ForecastedSpend": _usd(forecast)}
        return {
            **budget.body,
            "CalculatedSpend": {"ActualSpend": _usd(actual), **coming},
            "LastUpdatedTime": budget.updated,
            "HealthStatus": {"Status": "HEALTHY", "LastUpdatedTime": budget.updated},
        }

    def _history(self, budget: Planned, asked: Mapping[str, datetime]) -> list[Answer]:
        """Newest first, the present period included, as far back as the bill goes."""
        oldest = months_before(self._now().date(), MONTHS_KEPT)
        first = asked["Start"].date() if "Start" in asked else oldest
        before = asked["End"].date() if "End" in asked else date.max
        period = self._spend.period(budget)
        found: list[Answer] = []
        while period.start >= max(oldest, first) and len(found) < periods.SHOWN[budget.unit]:
            if period.start < before:
                found.append(self._amounts(budget, period))
            period = periods.before(budget.unit, period)
        return found

    def _amounts(self, budget: Planned, period: Period) -> Answer:
        return {
            "BudgetedAmount": budget.body["BudgetLimit"],
            "ActualAmount": _usd(self._spend.actual(budget, period)),
            "TimePeriod": {"Start": midnight(period.start), "End": midnight(period.end)},
        }


def _usd(amount: Decimal) -> dict[str, str]:
    return {"Amount": text(amount), "Unit": "USD"}


def _notification(asked: Mapping[str, Any]) -> Notification:
    validation.notification(asked["Notification"])
    found = read_notification(asked["Notification"])
    found.subscribers = validation.subscribers(asked["Subscribers"])
    return found
