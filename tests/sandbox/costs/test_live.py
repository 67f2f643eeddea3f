"""The live account's bill: what boto3 changes today costs another amount tomorrow."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from sandbox.costexplorer import script
from tests.sandbox.account import LIMIT, Account, wait_until
from tests.sandbox.contract import checked
from tests.sandbox.costs.books import by, dimension

DAY = timedelta(days=1)
METRICS = ("CW:MetricMonitorUsage", ())
SOURCES = {"moto", "tasks", "monitoring", "secrets", "logs"}


class Live:
    """A sandbox of this module's own, because its clock is moved."""

    def __init__(self, home, ports=None):
        self.account = Account(home, ports=ports).ready()
        self.epoch = datetime.fromisoformat(self.account.control("GET", "status")["epoch"])
        wait_until(lambda: {period["source"] for period in self.periods()} >= SOURCES)

    def periods(self):
        """What the meter has written down."""
        with sqlite3.connect(f"file:{self.account.home}/ecs.sqlite?mode=ro", uri=True) as database:
            rows = database.execute("select body from document where kind = 'CostPeriod'")
            return [json.loads(body) for (body,) in rows]

    def noticed(self, usage_type, amount, resource=""):
        """Wait until the meter has seen that a resource holds so much of a usage type."""

        def seen():
            return any(
                p["until"] is None
                and p["holding"]["kind"]["usage_type"] == usage_type
                and resource in p["holding"]["resource"]
                and Decimal(p["holding"]["amount"]) == Decimal(amount)
                for p in self.periods()
            )

        wait_until(seen)

    @property
    def now(self):
        return datetime.fromisoformat(self.account.control("GET", "status")["now"])

    def pass_days(self, days):
        for _ in range(days):
            self.account.control("POST", "faults", {"fault": "clock-step", "seconds": 86400})

    def costs(self, day, key="USAGE_TYPE", **parameters):
        """USD by group on one day, of usage."""
        answer = checked(
            self.account.client("ce"),
            "GetCostAndUsage",
            TimePeriod={"Start": str(day.date()), "End": str((day + DAY).date())},
            Granularity="DAILY",
            Metrics=["UnblendedCost", "UsageQuantity"],
            GroupBy=[by("DIMENSION", key)],
            Filter=dimension("RECORD_TYPE", "Usage"),
            **parameters,
        )
        groups = answer["ResultsByTime"][0]["Groups"]
        return {
            group["Keys"][0]: Decimal(group["Metrics"]["UnblendedCost"]["Amount"])
            for group in groups
        }


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    found = Live(tmp_path_factory.mktemp("costs") / "home")
    yield found
    found.account.stop()


def test_history_and_the_live_account_agree_about_what_is_held(live):
    first = [p for p in live.periods() if datetime.fromisoformat(p["since"]["$at"]) == live.epoch]
    month = script.days_in_month(live.epoch.date())

    held, scripted = {}, {}
    for period in first:
        holding = period["holding"]
        key = holding["kind"]["usage_type"], tuple(map(tuple, holding["tags"]))
        held[key] = held.get(key, 0) + float(holding["amount"])
    for kind, tags, quantity in script.usage(script.Day(live.epoch.date(), 0)):
        if kind.unit not in ("GB", "LCU-Hrs", "Metrics"):
            key = kind.usage_type, tags
            hourly = kind.unit in ("Hrs", "hours", "API Requests")
            amount = quantity / 24 if hourly else quantity * month
            scripted[key] = scripted.get(key, 0) + float(amount)

    # Metrics of one's own appear one by one as the tasks write.
    assert held | {METRICS: 0} == pytest.approx(scripted | {METRICS: 0}, rel=0.001)


def test_changes_show_on_the_following_days_and_never_before(live):
    account = live.account
    before = live.costs(live.epoch - 3 * DAY)
    account.client("rds").modify_db_instance(
        DBInstanceIdentifier="news-production",
        DBInstanceClass="db.t4g.small",
        ApplyImmediately=True,
    )
    changed, gateways = live.now, account.client("ec2").describe_nat_gateways()["NatGateways"]
    account.client("ec2").delete_nat_gateway(NatGatewayId=gateways[0]["NatGatewayId"])
    subnets = account.client("ec2").describe_subnets()["Subnets"][:2]
    account.client("ec2").create_vpc_endpoint(
        VpcId=subnets[0]["VpcId"],
        ServiceName="com.amazonaws.us-east-1.ecr.api",
        VpcEndpointType="Interface",
        SubnetIds=[subnet["SubnetId"] for subnet in subnets],
    )
    account.client("logs").put_retention_policy(logGroupName="/ecs/news-ingest", retentionInDays=30)
    account.ecs.update_service(cluster="staging", service="news-api", desiredCount=3)
    live.noticed("Multi-AZUsage:db.t4g.small", 1)
    live.noticed("USE1-Fargate-vCPU-Hours:perCPU", "1.5", "staging/news-api")
    live.noticed("USE1-VpcEndpoint-Hours", 2)
    live.noticed("USE1-TimedStorage-ByteHrs", "3.6", "/ecs/news-ingest")
    wait_until(lambda: sum(_is_open_nat(p) for p in live.periods()) == 1)

    live.pass_days(4)
    after = live.costs(changed + 2 * DAY)

    assert after["Multi-AZUsage:db.t4g.small"] == 24 * Decimal("0.065")
    assert "Multi-AZUsage:db.t4g.medium" not in after
    assert after["NatGateway-Hours"] == before["NatGateway-Hours"] / 2
    assert after["USE1-VpcEndpoint-Hours"] == 2 * 24 * Decimal("0.01")
    stored = "USE1-TimedStorage-ByteHrs"
    assert after[stored] < before[stored] / 10
    vcpu = "USE1-Fargate-vCPU-Hours:perCPU"
    assert after[vcpu] == before[vcpu] + 24 * Decimal("0.04048")
    assert live.costs(live.epoch - 3 * DAY) == before


def test_the_database_is_no_longer_advised_once_it_is_small(live):
    hub = live.account.client("cost-optimization-hub")
    live.account.client("rds").modify_db_instance(
        DBInstanceIdentifier="news-production", DBInstanceClass="db.t4g.medium"
    )
    wanted = {"filter": {"resourceTypes": ["RdsDbInstance"]}}
    (advice,) = checked(hub, "ListRecommendations", **wanted)["items"]

    live.account.client("rds").modify_db_instance(
        DBInstanceIdentifier="news-production",
        DBInstanceClass=advice["recommendedResourceSummary"],
    )

    assert advice["estimatedMonthlySavings"] == pytest.approx(730 * (0.129 - 0.065))
    assert advice["estimatedMonthlyCost"] == pytest.approx(730 * 0.065)
    assert checked(hub, "ListRecommendations", **wanted)["items"] == []


def test_a_spike_crosses_the_budget_s_forecast_and_is_published(live):
    account = live.account
    budgets = account.client("budgets")
    queue = account.client("sqs").create_queue(QueueName="bills")["QueueUrl"]
    account.client("sns").subscribe(
        TopicArn="arn:aws:sns:us-east-1:123456789012:billing-alerts",
        Protocol="sqs",
        Endpoint="arn:aws:sqs:us-east-1:123456789012:bills",
    )
    account.control(
        "POST",
        "faults",
        {"fault": "cost-spike", "service": "EC2 - Other", "usd_per_day": 400, "days": 30},
    )
    live.pass_days(6)

    def alarms():
        found = budgets.describe_notifications_for_budget(
            AccountId="123456789012", BudgetName="news-monthly"
        )["Notifications"]
        return {n["NotificationType"] for n in found if n["NotificationState"] == "ALARM"}

    wait_until(lambda: "FORECASTED" in alarms())
    received = account.client("sqs").receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
    texts = [json.loads(m["Body"])["Message"] for m in received["Messages"]]
    assert any("Alert Type: FORECASTED" in text for text in texts)
    assert all("Budget Name: news-monthly" in text for text in texts)


def test_the_bill_survives_kill_9(live):
    account = live.account
    live.pass_days(2)
    # The costs of both have arrived, so that only the kill could change them.
    days = [live.epoch - 5 * DAY, live.now - 2 * DAY]
    before = [live.costs(day) for day in days]
    account.process.kill()
    account.process.wait(LIMIT)

    live.account = Account(account.home).ready()
    account.output.close()

    assert [live.costs(day) for day in days] == before


def _is_open_nat(period):
    usage_type = period["holding"]["kind"]["usage_type"]
    return usage_type == "NatGateway-Hours" and period["until"] is None
