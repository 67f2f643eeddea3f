"""The operations of AWS Budgets on notifications and their subscribers."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from sandbox.budgets import validation
from sandbox.budgets.pages import MOST, page
from sandbox.budgets.store import Budget, Notification, Store, read_notification
from sandbox.errors import AwsError
from sandbox.honesty import simplified

Answer = dict[str, Any]
Asked = Mapping[str, Any]


class Notifications:
    """Who is told at which threshold."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @simplified("SNS subscribers get a message through the sandbox's SNS; no mail is sent.")
    def create_notification(
        self, AccountId: str, BudgetName: str, Notification: Asked, Subscribers: Sequence[Asked]
    ) -> Answer:
        """Add a threshold; raises AwsError (DuplicateRecordException …)."""
        budget = self._budget(AccountId, BudgetName)
        validation.notification(Notification)
        new = read_notification(Notification)
        new.subscribers = validation.subscribers(Subscribers)
        _refuse_twice(budget, new)
        if len(budget.notifications) == validation.MOST_NOTIFICATIONS:
            message = f"A budget can have {validation.MOST_NOTIFICATIONS} notifications."
            raise AwsError("CreationLimitExceededException", message)
        budget.notifications.append(new)
        self._store.save(budget)
        return {}

    def update_notification(
        self, AccountId: str, BudgetName: str, OldNotification: Asked, NewNotification: Asked
    ) -> Answer:
        """Move a threshold, which may then be crossed anew; raises AwsError."""
        budget = self._budget(AccountId, BudgetName)
        known = budget.notification(OldNotification)
        validation.notification(NewNotification)
        new = replace(read_notification(NewNotification), subscribers=known.subscribers)
        if new.key != known.key:
            _refuse_twice(budget, new)
        budget.notifications[budget.notifications.index(known)] = new
        self._store.save(budget)
        return {}

    def delete_notification(self, AccountId: str, BudgetName: str, Notification: Asked) -> Answer:
        """Remove a threshold; raises AwsError (NotFoundException)."""
        budget = self._budget(AccountId, BudgetName)
        budget.notifications.remove(budget.notification(Notification))
        self._store.save(budget)
        return {}

    def describe_notifications_for_budget(
        self, AccountId: str, BudgetName: str, MaxResults: int = MOST, NextToken: str | None = None
    ) -> Answer:
        """A budget's thresholds, by page; raises AwsError."""
        budget = self._budget(AccountId, BudgetName)
        rows, more = page(budget.notifications, NextToken, MaxResults, BudgetName)
        return {"Notifications": [each.as_dict() for each in rows], **more}

    def describe_budget_notifications_for_account(
        self, AccountId: str, MaxResults: int = MOST, NextToken: str | None = None
    ) -> Answer:
        """The thresholds of all budgets, by page; raises AwsError."""
        validation.account(AccountId)
        rows, more = page(self._store.all(), NextToken, MaxResults, "notifications")
        found = [
            {"BudgetName": b.name, "Notifications": [n.as_dict() for n in b.notifications]}
            for b in rows
        ]
        return {"BudgetNotificationsForAccount": found, **more}

    # -- subscribers ---------------------------------------------------------------------------

    def create_subscriber(
        self, AccountId: str, BudgetName: str, Notification: Asked, Subscriber: Mapping[str, str]
    ) -> Answer:
        """Tell one more; raises AwsError (DuplicateRecordException …)."""
        budget = self._budget(AccountId, BudgetName)
        known = budget.notification(Notification)
        if dict(Subscriber) in known.subscribers:
            message = f"Error creating subscriber: {Subscriber['Address']} already subscribes."
            raise AwsError("DuplicateRecordException", message)
        known.subscribers = validation.subscribers([*known.subscribers, Subscriber])
        self._store.save(budget)
        return {}

    def update_subscriber(
        self,
        AccountId: str,
        BudgetName: str,
        Notification: Asked,
        OldSubscriber: Mapping[str, str],
        NewSubscriber: Mapping[str, str],
    ) -> Answer:
        """Tell another instead; raises AwsError."""
        budget = self._budget(AccountId, BudgetName)
        known = budget.notification(Notification)
        place = _place(known, OldSubscriber)
        others = [*known.subscribers[:place], NewSubscriber, *known.subscribers[place + 1 :]]
        known.subscribers = validation.subscribers(others)
        self._store.save(budget)
        return {}

    def delete_subscriber(
        self, AccountId: str, BudgetName: str, Notification: Asked, Subscriber: Mapping[str, str]
    ) -> Answer:
        """Tell one less; a notification keeps its last subscriber. Raises AwsError."""
        budget = self._budget(AccountId, BudgetName)
        known = budget.notification(Notification)
        place = _place(known, Subscriber)
        others = known.subscribers[:place] + known.subscribers[place + 1 :]
        known.subscribers = validation.subscribers(others)
        self._store.save(budget)
        return {}

    def describe_subscribers_for_notification(
        self,
        AccountId: str,
        BudgetName: str,
        Notification: Asked,
        MaxResults: int = MOST,
        NextToken: str | None = None,
    ) -> Answer:
        """Who is told at a threshold, by page; raises AwsError."""
        known = self._budget(AccountId, BudgetName).notification(Notification)
        rows, more = page(known.subscribers, NextToken, MaxResults, f"{BudgetName} {known.key}")
        return {"Subscribers": list(rows), **more}

    def _budget(self, number: str, name: str) -> Budget:
        validation.account(number)
        return self._store.get(name)


def _refuse_twice(budget: Budget, new: Notification) -> None:
    if any(new.key == known.key for known in budget.notifications):
        message = "Error creating notification - the notification already exists."
        raise AwsError("DuplicateRecordException", message)


def _place(notification: Notification, subscriber: Mapping[str, str]) -> int:
    try:
        return notification.subscribers.index(dict(subscriber))
    except ValueError as error:
        message = f"Subscriber {subscriber.get('Address')} doesn't exist."
        raise AwsError("NotFoundException", message) from error
