"""A crossed threshold is told once a period, and never for a deleted budget."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest

from sandbox.budgets.store import Notification, Store
from sandbox.budgets.watch import exceeded
from tests.sandbox.account import LIMIT
from tests.sandbox.costs.books import database
from tests.sandbox.costs.desk import TOPIC, Desk, with_topic


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
    asyncio.run(asyncio.wait_for(watch(), LIMIT))

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
