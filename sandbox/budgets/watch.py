"""Compares budgets with the bill and tells subscribers, once a period and threshold."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

from sandbox.budgets.spend import Spend
from sandbox.budgets.store import Budget, Notification, Store
from sandbox.names import ACCOUNT, REGION
from sandbox.repeating import repeat

log = logging.getLogger("sandbox.budgets")

# Real seconds; nothing is computed until the bill or a budget has changed.
INTERVAL = 2.0

Publish = Callable[[str, str, str], Awaitable[None]]


class Watch:
    """`publish(topic, subject, message)` sends to SNS."""

    def __init__(self, store: Store, spend: Spend, publish: Publish) -> None:
        self._store = store
        self._spend = spend
        self._publish = publish
        self._compared: object = None

    async def run(self) -> None:
        """Compare until cancelled, whenever new costs have arrived or a budget was changed."""
        await repeat(self._compare_news, "comparing budgets", every=INTERVAL)

    async def _compare_news(self) -> None:
        state = self._spend.refreshed(), self._store.changes
        if state != self._compared:
            await self.compare()
            # What changed meanwhile is compared next time.
            self._compared = state

    async def compare(self) -> None:
        """Look at every budget once."""
        for budget in self._store.all():
            if budget.notifications and not budget.ended(self._spend.period(budget).start):
                amounts = await asyncio.to_thread(self._amounts, budget)
                for notification in list(budget.notifications):
                    await self._judge(budget, notification, amounts[notification.kind])

    def _amounts(self, budget: Budget) -> dict[str, Decimal | None]:
        actual = self._spend.actual(budget, self._spend.period(budget))
        return {"ACTUAL": actual, "FORECASTED": self._spend.forecast(budget)}

    async def _judge(
        self, budget: Budget, notification: Notification, amount: Decimal | None
    ) -> None:
        before = notification.state, notification.sent_for
        crossed = amount is not None and exceeded(notification, amount, Decimal(budget.limit))
        period = self._spend.period(budget).start.isoformat()
        if not self._kept(budget, notification):
            return
        if crossed and amount is not None and notification.sent_for != period:
            await self._tell(budget, notification, amount)
            notification.sent_for = period
        notification.state = "ALARM" if crossed else "OK"
        changed = (notification.state, notification.sent_for) != before
        if changed and self._kept(budget, notification):
            self._store.save(budget)

    def _kept(self, budget: Budget, notification: Notification) -> bool:
        """Whether both are still there: others delete them while amounts are computed."""
        known = self._store.find(budget.name)
        return known is budget and any(each is notification for each in budget.notifications)

    async def _tell(self, budget: Budget, notification: Notification, amount: Decimal) -> None:
        subject = f"AWS Budgets: {budget.name} has exceeded your alert threshold"
        for subscriber in notification.subscribers:
            if subscriber["SubscriptionType"] == "SNS":
                text = message(budget, notification, amount)
                await self._publish(subscriber["Address"], subject, text)


def exceeded(notification: Notification, amount: Decimal, limit: Decimal) -> bool:
    """Whether an amount in USD has crossed a notification's threshold of a limit in USD."""
    threshold = threshold_usd(notification, limit)
    if notification.operator == "GREATER_THAN":
        return amount > threshold
    return amount < threshold if notification.operator == "LESS_THAN" else amount == threshold


def threshold_usd(notification: Notification, limit: Decimal) -> Decimal:
    """The threshold in USD: a percentage of the limit, or an amount."""
    threshold = Decimal(str(notification.threshold))
    return limit * threshold / 100 if notification.unit == "PERCENTAGE" else threshold


def message(budget: Budget, notification: Notification, amount: Decimal) -> str:
    """The text of a notification, with the fields of AWS's."""
    limit = Decimal(budget.limit)
    kind = "Actual" if notification.kind == "ACTUAL" else "Forecasted"
    sign = {"GREATER_THAN": ">", "LESS_THAN": "<", "EQUAL_TO": "="}[notification.operator]
    return (
        f"AWS Budget Notification\nAWS Account {ACCOUNT}\n\n"
        f"Budget Name: {budget.name}\nBudget Type: Cost\nBudgeted Amount: ${limit:.2f}\n"
        f"Alert Type: {notification.kind}\n"
        f"Alert Threshold: {sign} ${threshold_usd(notification, limit):.2f}\n"
        f"{kind} Amount: ${amount:.2f}\n"
    )


def send(topic: str, subject: str, text: str) -> None:
    """Publish to a topic of moto's SNS; call it in moto's thread."""
    from moto.sns.exceptions import TopicNotFound

    from sandbox.moto_adapter import backend

    sns: Any = backend("sns", ACCOUNT, REGION)
    try:
        sns.publish(text, arn=topic, subject=subject[:100])
    except TopicNotFound:
        log.warning("budget notification not sent: there is no topic %s", topic)
