"""Budgets with their notifications and subscribers, durable."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from typing import Any

from sandbox.errors import AwsError
from sandbox.state import State

_DOCUMENT = "Budget"


@dataclass
class Notification:
    """One threshold; `sent_for` is the first day of the period it was last sent for, in ISO."""

    kind: str
    operator: str
    threshold: float
    unit: str
    subscribers: list[dict[str, str]] = field(default_factory=list)
    state: str = "OK"
    sent_for: str = ""

    @property
    def key(self) -> tuple[str, str, float, str]:
        """What tells notifications of a budget apart."""
        return self.kind, self.operator, self.threshold, self.unit

    def as_dict(self) -> dict[str, Any]:
        """The API's spelling."""
        return {
            "NotificationType": self.kind,
            "ComparisonOperator": self.operator,
            "Threshold": self.threshold,
            "ThresholdType": self.unit,
            "NotificationState": self.state,
        }


@dataclass
class Budget:
    """`body` is what was asked for, in botocore's shape, with defaults filled in."""

    name: str
    body: dict[str, Any]
    updated: datetime
    notifications: list[Notification] = field(default_factory=list)

    @property
    def unit(self) -> str:
        """DAILY, MONTHLY, QUARTERLY or ANNUALLY."""
        return str(self.body["TimeUnit"])

    @property
    def limit(self) -> str:
        """The amount in USD."""
        return str(self.body["BudgetLimit"]["Amount"])

    def ended(self, day: date) -> bool:
        """Whether the budget was over before a day."""
        return bool(self.body["TimePeriod"]["End"].date() <= day)

    def notification(self, asked: Mapping[str, Any]) -> Notification:
        """The notification with the same threshold; raises AwsError (NotFoundException)."""
        wanted = read_notification(asked).key
        for known in self.notifications:
            if known.key == wanted:
                return known
        message = f"Unable to get notification for budget: {self.name} - it doesn't exist."
        raise AwsError("NotFoundException", message)


def read_notification(asked: Mapping[str, Any]) -> Notification:
    """A notification as the API spells it."""
    return Notification(
        kind=asked["NotificationType"],
        operator=asked["ComparisonOperator"],
        threshold=float(asked["Threshold"]),
        unit=asked.get("ThresholdType", "PERCENTAGE"),
    )


class Store:
    """Budgets by name."""

    def __init__(self, state: State) -> None:
        self._state = state
        self.changes = 0
        self._budgets = {b.name: b for b in map(_read, state.all(_DOCUMENT))}

    @property
    def seeded(self) -> bool:
        """Whether the world's own budgets were made already; asking says that they are."""
        known = self._state.get("Budgets", "seeded") is not None
        self._state.put("Budgets", "seeded", True)
        return known

    def all(self) -> list[Budget]:
        """Every budget by name."""
        return sorted(self._budgets.values(), key=lambda budget: budget.name)

    def find(self, name: str) -> Budget | None:
        """A budget by name, None when there is none."""
        return self._budgets.get(name)

    def get(self, name: str, verb: str = "get") -> Budget:
        """A budget by name; raises AwsError (NotFoundException) in AWS's words."""
        found = self._budgets.get(name)
        if found is None:
            hint = "" if verb == "get" else " Try creating it first. "
            message = f"Unable to {verb} budget: {name} - the budget doesn't exist.{hint}"
            raise AwsError("NotFoundException", message)
        return found

    def save(self, budget: Budget) -> None:
        """Keep a budget."""
        self.changes += 1
        self._budgets[budget.name] = budget
        self._state.put(_DOCUMENT, budget.name, asdict(budget))

    def delete(self, name: str) -> None:
        """Forget a budget and its notifications."""
        del self._budgets[name]
        self._state.delete(_DOCUMENT, name)


def _read(body: dict[str, Any]) -> Budget:
    notifications = [Notification(**each) for each in body.pop("notifications")]
    return Budget(**body, notifications=notifications)
