"""Budgets: what counts, what is forecast, and when somebody is told."""

from __future__ import annotations

import asyncio
import inspect
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.budgets import periods
from sandbox.budgets.notifications import Notifications
from sandbox.budgets.service import Budgets
from sandbox.budgets.spend import Spend
from sandbox.budgets.store import Notification, Store
from sandbox.budgets.watch import Watch, exceeded
from sandbox.costexplorer.questions import Period
from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, Books, database, dimension, total

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


@pytest.fixture
def desk(tmp_path):
    found = Desk(tmp_path)
    yield found
    found.books.close()


def notify(kind="ACTUAL", threshold=80.0, unit="PERCENTAGE", operator="GREATER_THAN"):
    return {
        "NotificationType": kind,
        "ComparisonOperator": operator,
        "Threshold": threshold,
        "ThresholdType": unit,
    }


def with_topic(**notification):
    return {"Notification": notify(**notification), "Subscribers": [TOPIC]}


def test_a_budget_counts_what_the_month_has_cost(desk):
    desk.create()

    assert desk.spent() == total(desk.books.pages("2026-11-01", "2026-12-01", "MONTHLY"))


def test_the_forecast_is_that_of_cost_explorer(desk):
    desk.create()

    forecast = desk.books.call(
        "get_cost_forecast",
        TimePeriod={"Start": str(NOW.date()), "End": "2026-12-01"},
        Granularity="MONTHLY",
        Metric="UNBLENDED_COST",
    )["Total"]["Amount"]
    assert desk.shown()["CalculatedSpend"]["ForecastedSpend"]["Amount"] == forecast


def test_cost_types_leave_tax_support_and_credits_out(tmp_path):
    desk = Desk(tmp_path, datetime(2026, 7, 20, 21, 0, tzinfo=UTC))
    desk.create("whole")
    desk.create(
        "usage", CostTypes=dict.fromkeys(["IncludeTax", "IncludeSupport", "IncludeCredit"], False)
    )

    records = dimension("RECORD_TYPE", "Tax", "Fee", "Credit")
    others = total(desk.books.pages("2026-07-01", "2026-08-01", "MONTHLY", Filter=records))

    assert desk.spent("whole") - desk.spent("usage") == others
    desk.books.close()


def test_filters_choose_services_and_tags(desk):
    desk.create("cache", CostFilters={"Service": ["Amazon ElastiCache"]})
    desk.create("staging", CostFilters={"TagKeyValue": ["user:environment$staging"]})
    desk.create("nat", FilterExpression=dimension("USAGE_TYPE", "NatGateway-Hours"))

    def cost(wanted):
        return total(desk.books.pages("2026-11-01", "2026-12-01", "MONTHLY", Filter=wanted))

    staging = {"Tags": {"Key": "environment", "Values": ["staging"]}}
    assert desk.spent("cache") == cost(dimension("SERVICE", "Amazon ElastiCache"))
    assert desk.spent("staging") == cost(staging) > 0
    assert desk.spent("nat") == cost(dimension("USAGE_TYPE", "NatGateway-Hours"))


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("DAILY", Period(date(2026, 11, 22), date(2026, 11, 23))),
        ("MONTHLY", Period(date(2026, 11, 1), date(2026, 12, 1))),
        ("QUARTERLY", Period(date(2026, 10, 1), date(2027, 1, 1))),
        ("ANNUALLY", Period(date(2026, 1, 1), date(2027, 1, 1))),
    ],
)
def test_budgets_renew_with_their_calendar(unit, expected):
    period = periods.containing(unit, date(2026, 11, 22))

    assert period == expected
    assert periods.before(unit, period).end == period.start


def test_performance_history_is_the_bill_month_by_month(desk):
    desk.create()

    history = desk.call("describe_budget_performance_history", BudgetName="all")
    rows = history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]

    september = next(r for r in rows if r["TimePeriod"]["Start"].month == 9)
    assert len(rows) == 12
    assert Decimal(september["ActualAmount"]["Amount"]) == total(
        desk.books.pages("2026-09-01", "2026-10-01", "MONTHLY")
    )


# -- telling ---------------------------------------------------------------------------------


def test_a_crossed_threshold_is_told_once_a_period(desk):
    desk.books.hold(database())
    desk.create(limit="100", notifications=[with_topic()])

    for _ in range(3):
        desk.compare()
    desk.books.now += timedelta(days=35)
    desk.compare()

    assert [topic for topic, _, _ in desk.sent] == [TOPIC["Address"]] * 2
    assert "Budgeted Amount: $100.00" in desk.sent[0][2]
    assert "Alert Threshold: > $80.00" in desk.sent[0][2]


def test_a_budget_deleted_while_it_is_computed_stays_deleted(desk):
    desk.books.hold(database())
    desk.create(limit="100", notifications=[with_topic()])

    async def delete_meanwhile():
        comparing = asyncio.ensure_future(desk.watch.compare())
        await asyncio.sleep(0)
        desk.store.delete("all")
        await comparing

    asyncio.run(delete_meanwhile())

    assert Store(desk.books.state).all() == []
    assert desk.sent == []


def test_a_budget_deleted_while_it_is_told_stays_deleted(desk):
    desk.books.hold(database())
    desk.create(limit="100", notifications=[with_topic()])
    publish = desk.watch._publish

    async def delete_and_publish(*message):
        desk.store.delete("all")
        await publish(*message)

    desk.watch._publish = delete_and_publish
    desk.compare()

    assert Store(desk.books.state).all() == []
    assert len(desk.sent) == 1


def test_what_could_not_be_sent_is_sent_later_and_what_came_meanwhile_is_compared(
    desk, monkeypatch
):
    monkeypatch.setattr("sandbox.budgets.watch.INTERVAL", 0.01)
    desk.books.hold(database())
    desk.create(limit="100", notifications=[with_topic()])
    publish, attempts = desk.watch._publish, []

    async def fail_once(*message):
        attempts.append(message)
        if len(attempts) == 1:
            raise OSError("no route to SNS")
        if len(attempts) == 2:
            desk.create(name="late", limit="50", notifications=[with_topic()])
        await publish(*message)

    async def watch():
        running = asyncio.ensure_future(desk.watch.run())
        while len(desk.sent) < 2 and not running.done():
            await asyncio.sleep(0.01)
        running.cancel()

    desk.watch._publish = fail_once
    asyncio.run(asyncio.wait_for(watch(), 30))

    assert len(attempts) == 3
    assert "Budget Name: late" in desk.sent[1][2]


def test_a_threshold_that_is_not_crossed_tells_nobody(desk):
    desk.create(limit="5000", notifications=[with_topic(), with_topic(kind="FORECASTED")])

    desk.compare()

    states = desk.call("describe_notifications_for_budget", BudgetName="all")["Notifications"]
    assert desk.sent == []
    assert {state["NotificationState"] for state in states} == {"OK"}


def test_a_forecast_alarms_before_the_money_is_spent(desk):
    desk.create(
        limit="480",
        notifications=[with_topic(threshold=100.0), with_topic(kind="FORECASTED", threshold=100.0)],
    )

    desk.compare()

    states = desk.call("describe_notifications_for_budget", BudgetName="all")["Notifications"]
    assert {s["NotificationType"]: s["NotificationState"] for s in states} == {
        "ACTUAL": "OK",
        "FORECASTED": "ALARM",
    }
    assert len(desk.sent) == 1


def test_what_was_sent_is_remembered_over_a_restart(tmp_path):
    first = Desk(tmp_path)
    first.create(limit="100", notifications=[with_topic()])
    first.compare()
    first.books.close()
    second = Desk(tmp_path)

    second.compare()

    assert (len(first.sent), second.sent) == (1, [])
    second.books.close()


@pytest.mark.parametrize(
    ("operator", "unit", "threshold", "amount", "crossed"),
    [
        ("GREATER_THAN", "PERCENTAGE", 80.0, "80", False),
        ("GREATER_THAN", "PERCENTAGE", 80.0, "80.01", True),
        ("GREATER_THAN", "ABSOLUTE_VALUE", 30.0, "31", True),
        ("LESS_THAN", "PERCENTAGE", 50.0, "49", True),
        ("LESS_THAN", "PERCENTAGE", 50.0, "50", False),
        ("EQUAL_TO", "ABSOLUTE_VALUE", 12.0, "12", True),
    ],
)
def test_thresholds_are_shares_of_the_limit_or_amounts(operator, unit, threshold, amount, crossed):
    notification = Notification("ACTUAL", operator, threshold, unit)

    assert exceeded(notification, Decimal(amount), Decimal(100)) is crossed


# -- operations ------------------------------------------------------------------------------


def test_budgets_are_changed_paged_and_deleted(desk):
    for name in ("a", "b", "c"):
        desk.create(name)
    body = {"BudgetName": "b", "BudgetType": "COST", "TimeUnit": "ANNUALLY"}
    body |= {"BudgetLimit": {"Amount": "7000", "Unit": "USD"}}

    desk.call("update_budget", NewBudget=body)
    desk.call("delete_budget", BudgetName="c")
    first = desk.call("describe_budgets", MaxResults=1)
    second = desk.call("describe_budgets", MaxResults=1, NextToken=first["NextToken"])

    assert [b["BudgetName"] for b in first["Budgets"]] == ["a"]
    assert second["Budgets"][0]["BudgetLimit"]["Amount"] == "7000"
    assert "NextToken" not in second


def test_subscribers_come_and_go(desk):
    desk.create(notifications=[with_topic()])
    which = {"BudgetName": "all", "Notification": notify()}
    other = MAIL | {"Address": "b@example.com"}

    desk.call("create_subscriber", Subscriber=MAIL, **which)
    desk.call("update_subscriber", OldSubscriber=MAIL, NewSubscriber=other, **which)
    desk.call("delete_subscriber", Subscriber=TOPIC, **which)

    assert desk.call("describe_subscribers_for_notification", **which)["Subscribers"] == [other]


def test_notifications_come_and_go(desk):
    desk.create()
    desk.call("create_notification", BudgetName="all", Notification=notify(), Subscribers=[MAIL])
    desk.call(
        "update_notification",
        BudgetName="all",
        OldNotification=notify(),
        NewNotification=notify(threshold=90.0),
    )
    (listed,) = desk.call("describe_budget_notifications_for_account")[
        "BudgetNotificationsForAccount"
    ]
    desk.call("delete_notification", BudgetName="all", Notification=notify(threshold=90.0))

    assert [n["Threshold"] for n in listed["Notifications"]] == [90.0]
    left = desk.call("describe_notifications_for_budget", BudgetName="all")
    assert left["Notifications"] == []


BUDGET = {
    "BudgetName": "x",
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "1", "Unit": "USD"},
}


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("create_budget", {"Budget": BUDGET | {"BudgetName": "all"}}, "DuplicateRecordException"),
        ("create_budget", {"Budget": BUDGET | {"BudgetName": "a:b"}}, "InvalidParameterException"),
        (
            "create_budget",
            {"Budget": BUDGET | {"BudgetType": "USAGE"}},
            "InvalidParameterException",
        ),
        ("create_budget", {"Budget": BUDGET | {"TimeUnit": "CUSTOM"}}, "InvalidParameterException"),
        (
            "create_budget",
            {"Budget": BUDGET | {"BudgetLimit": {"Amount": "x", "Unit": "USD"}}},
            "InvalidParameterException",
        ),
        (
            "create_budget",
            {"Budget": BUDGET | {"BudgetLimit": {"Amount": "1", "Unit": "EUR"}}},
            "InvalidParameterException",
        ),
        (
            "create_budget",
            {"Budget": BUDGET | {"CostFilters": {"Planet": ["Earth"]}}},
            "InvalidParameterException",
        ),
        (
            "create_budget",
            {"Budget": BUDGET | {"AutoAdjustData": {"AutoAdjustType": "FORECAST"}}},
            "InvalidParameterException",
        ),
        (
            "create_budget",
            {"Budget": BUDGET, "NotificationsWithSubscribers": [with_topic()] * 11},
            "CreationLimitExceededException",
        ),
        ("create_budget", {"Budget": BUDGET, "AccountId": "999999999999"}, "AccessDeniedException"),
        ("update_budget", {"NewBudget": BUDGET}, "NotFoundException"),
        ("delete_budget", {"BudgetName": "x"}, "NotFoundException"),
        ("describe_budget", {"BudgetName": "x"}, "NotFoundException"),
        ("describe_budgets", {"NextToken": "x"}, "InvalidNextTokenException"),
        (
            "create_notification",
            {"BudgetName": "all", "Notification": notify(), "Subscribers": [MAIL]},
            "DuplicateRecordException",
        ),
        (
            "create_notification",
            {"BudgetName": "all", "Notification": notify(threshold=0.0), "Subscribers": [MAIL]},
            "InvalidParameterException",
        ),
        (
            "create_subscriber",
            {
                "BudgetName": "all",
                "Notification": notify(),
                "Subscriber": TOPIC | {"Address": TOPIC["Address"] + "2"},
            },
            "CreationLimitExceededException",
        ),
        (
            "delete_subscriber",
            {"BudgetName": "all", "Notification": notify(), "Subscriber": TOPIC},
            "InvalidParameterException",
        ),
        (
            "create_budget",
            {"Budget": {"BudgetName": "b"}, "ResourceTags": [{"Key": "a", "Value": "b"}]},
            "InvalidParameterException",
        ),
        (
            "delete_notification",
            {"BudgetName": "all", "Notification": notify(threshold=1.0)},
            "NotFoundException",
        ),
    ],
)
def test_what_cannot_be_is_refused(desk, operation, parameters, code):
    desk.create(notifications=[with_topic()])

    with pytest.raises(AwsError) as refused:
        desk.call(operation, **parameters)

    assert refused.value.code == code
