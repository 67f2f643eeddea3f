"""Budgets without a sandbox, and whom their notifications tell."""

from __future__ import annotations

import asyncio
import inspect
from decimal import Decimal

from sandbox.budgets.notifications import Notifications
from sandbox.budgets.service import Budgets
from sandbox.budgets.spend import Spend
from sandbox.budgets.store import Store
from sandbox.budgets.watch import Watch
from tests.sandbox.costs.books import NOW, Books

ACCOUNT = "123456789012"
TOPIC = {"SubscriptionType": "SNS", "Address": f"arn:aws:sns:us-east-1:{ACCOUNT}:bills"}
MAIL = {"SubscriptionType": "EMAIL", "Address": "a@example.com"}


class Desk:
    """Budgets over books that tests date."""

    def __init__(self, home, now=NOW):
        self.books = Books(home, now)
        self.store = Store(self.books.state)
        self.spend = Spend(self.books.ledger)
        self.owners = [
            Budgets(self.store, self.spend, lambda: self.books.now),
            Notifications(self.store),
        ]
        self.sent = []
        self.watch = Watch(self.store, self.spend, self._publish)

    async def _publish(self, topic, subject, text):
        self.sent.append((topic, subject, text))

    def call(self, operation, **parameters):
        owner = next(each for each in self.owners if hasattr(each, operation))
        answer = getattr(owner, operation)(**{"AccountId": ACCOUNT} | parameters)
        return asyncio.run(answer) if inspect.iscoroutine(answer) else answer

    def create(self, name="all", limit="600", notifications=(), **body):
        budget = {"BudgetName": name, "BudgetType": "COST", "TimeUnit": "MONTHLY"}
        budget |= {"BudgetLimit": {"Amount": limit, "Unit": "USD"}} | body
        return self.call(
            "create_budget", Budget=budget, NotificationsWithSubscribers=list(notifications)
        )

    def shown(self, name="all"):
        return self.call("describe_budget", BudgetName=name)["Budget"]

    def spent(self, name="all"):
        return Decimal(self.shown(name)["CalculatedSpend"]["ActualSpend"]["Amount"])

    def compare(self):
        asyncio.run(self.watch.compare())


def notify(kind="ACTUAL", threshold=80.0, unit="PERCENTAGE", operator="GREATER_THAN"):
    return {
        "NotificationType": kind,
        "ComparisonOperator": operator,
        "Threshold": threshold,
        "ThresholdType": unit,
    }


def with_topic(**notification):
    return {"Notification": notify(**notification), "Subscribers": [TOPIC]}
