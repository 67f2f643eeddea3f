"""Budgets count what the bill counts, renew with the calendar and change on request."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from sandbox.budgets import periods
from sandbox.costexplorer.questions import Period
from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, dimension, total
from tests.sandbox.costs.desk import MAIL, TOPIC, Desk, notify, with_topic


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

    records = dimension("RECORD_TYPE", "Tax", "Support", "Credit")
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
