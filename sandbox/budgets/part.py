"""AWS Budgets as a part of the account, with the world's own budget."""

from __future__ import annotations

from functools import partial

from sandbox import clock
from sandbox.budgets.notifications import Notifications
from sandbox.budgets.service import Budgets
from sandbox.budgets.spend import Spend
from sandbox.budgets.store import Store
from sandbox.budgets.watch import Watch, send
from sandbox.context import Context
from sandbox.costexplorer.service import CostExplorer
from sandbox.names import ACCOUNT, REGION

TOPIC = "billing-alerts"
_MONTHLY_USD = "600"


async def join(sandbox: Context) -> None:
    """Serve Budgets and begin to compare them with the bill."""
    spend = Spend(sandbox.of(CostExplorer).ledger)
    store = Store(sandbox.state)
    budgets = Budgets(store, spend, clock.now)
    sandbox.serve("budgets", budgets)
    sandbox.serve("budgets", Notifications(store))
    with sandbox.state.together():
        if not store.seeded:
            _seed(budgets)

    async def publish(topic: str, subject: str, text: str) -> None:
        await sandbox.in_moto(partial(send, topic, subject, text))

    sandbox.spawn(_watch(sandbox, Watch(store, spend, publish)))


async def _watch(sandbox: Context, watch: Watch) -> None:
    await sandbox.in_moto(_topic)
    await watch.run()


def _topic() -> None:
    from sandbox.moto_adapter import backend

    backend("sns", ACCOUNT, REGION).create_topic(TOPIC)


def _seed(budgets: Budgets) -> None:
    topic = {"SubscriptionType": "SNS", "Address": f"arn:aws:sns:{REGION}:{ACCOUNT}:{TOPIC}"}
    mail = {"SubscriptionType": "EMAIL", "Address": "news@example.com"}
    thresholds = (("ACTUAL", 80.0), ("FORECASTED", 100.0))
    budgets.create_budget(
        AccountId=ACCOUNT,
        Budget={
            "BudgetName": "news-monthly",
            "BudgetType": "COST",
            "TimeUnit": "MONTHLY",
            "BudgetLimit": {"Amount": _MONTHLY_USD, "Unit": "USD"},
        },
        NotificationsWithSubscribers=[
            {
                "Notification": {
                    "NotificationType": kind,
                    "ComparisonOperator": "GREATER_THAN",
                    "Threshold": threshold,
                    "ThresholdType": "PERCENTAGE",
                },
                "Subscribers": [topic, mail],
            }
            for kind, threshold in thresholds
        ],
    )
