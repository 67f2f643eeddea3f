"""Every cost operation through boto3: the answers' shapes and the errors' names."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import wait_until
from tests.sandbox.contract import checked
from tests.sandbox.costs.books import by, dimension

ACCOUNT = "123456789012"
TOPIC = f"arn:aws:sns:us-east-1:{ACCOUNT}:billing-alerts"
NOTIFICATION = {
    "NotificationType": "ACTUAL",
    "ComparisonOperator": "GREATER_THAN",
    "Threshold": 50.0,
    "ThresholdType": "PERCENTAGE",
}
MAIL = {"SubscriptionType": "EMAIL", "Address": "a@example.com"}
OTHER = {"SubscriptionType": "SNS", "Address": TOPIC}
BUDGET = {
    "BudgetName": "wire",
    "BudgetType": "COST",
    "TimeUnit": "MONTHLY",
    "BudgetLimit": {"Amount": "123.45", "Unit": "USD"},
}


@pytest.fixture
def today(account):
    """The account's day; its last minute is waited for, so that it lasts as long as the test."""

    def lasts():
        now = datetime.fromisoformat(account.control("GET", "status")["now"])
        return now.date() if (now + timedelta(minutes=1)).date() == now.date() else None

    return wait_until(lasts)


def months(today):
    """The two months before today's as the API spells them."""
    last = today.replace(day=1)
    middle = (last - timedelta(days=1)).replace(day=1)
    first = (middle - timedelta(days=1)).replace(day=1)
    return [{"Start": str(a), "End": str(b)} for a, b in ((first, middle), (middle, last))]


def following(today):
    return (today.replace(day=28) + timedelta(days=4)).replace(day=1)


def refusal(client, operation, **parameters):
    with pytest.raises(ClientError) as refused:
        getattr(client, operation)(**parameters)
    return refused.value.response["Error"]["Code"]


def test_costs_and_what_they_are_grouped_by(account, today):
    ce, (_, month) = account.client("ce"), months(today)

    costs = checked(
        ce,
        "GetCostAndUsage",
        TimePeriod=month,
        Granularity="MONTHLY",
        Metrics=["UnblendedCost", "UsageQuantity", "NormalizedUsageAmount"],
        GroupBy=[by("DIMENSION", "LINKED_ACCOUNT"), by("TAG", "environment")],
    )
    services = checked(ce, "GetDimensionValues", TimePeriod=month, Dimension="SERVICE")
    tags = checked(ce, "GetTags", TimePeriod=month, TagKey="environment")
    allocation = checked(ce, "ListCostAllocationTags", Status="Active")

    assert costs["DimensionValueAttributes"][0]["Value"] == ACCOUNT
    assert services["TotalSize"] == len(services["DimensionValues"]) > 5
    assert "production" in tags["Tags"]
    assert len(allocation["CostAllocationTags"]) == 3
    checked(ce, "GetCostCategories", TimePeriod=month)
    checked(ce, "ListCostCategoryDefinitions")


def test_forecasts_and_comparisons(account, today):
    ce, (before, after) = account.client("ce"), months(today)
    until = {"Start": str(today), "End": str(following(following(today)))}
    nat = dimension("USAGE_TYPE", "NatGateway-Hours")
    both = {"BaselineTimePeriod": before, "ComparisonTimePeriod": after}
    both |= {"MetricForComparison": "UnblendedCost"}

    costs = checked(
        ce, "GetCostForecast", TimePeriod=until, Metric="UNBLENDED_COST", Granularity="MONTHLY"
    )
    usage = checked(
        ce,
        "GetUsageForecast",
        TimePeriod=until,
        Metric="USAGE_QUANTITY",
        Granularity="MONTHLY",
        Filter=nat,
    )
    compared = checked(
        ce, "GetCostAndUsageComparisons", GroupBy=[by("DIMENSION", "SERVICE")], **both
    )
    driven = checked(ce, "GetCostComparisonDrivers", **both)

    assert len(costs["ForecastResultsByTime"]) == len(usage["ForecastResultsByTime"]) == 2
    assert compared["CostAndUsageComparisons"]
    assert driven["CostComparisonDrivers"][0]["CostDrivers"]


def test_anomalies_monitors_and_subscriptions(account, today):
    ce = account.client("ce")
    interval = {"StartDate": str(today - timedelta(days=60)), "EndDate": str(today)}
    monitor = checked(
        ce,
        "CreateAnomalyMonitor",
        AnomalyMonitor={
            "MonitorName": "wire",
            "MonitorType": "DIMENSIONAL",
            "MonitorDimension": "SERVICE",
        },
    )["MonitorArn"]
    subscription = checked(
        ce,
        "CreateAnomalySubscription",
        AnomalySubscription={
            "MonitorArnList": [monitor],
            "Subscribers": [{"Type": "EMAIL", "Address": "a@example.com"}],
            "Frequency": "WEEKLY",
            "SubscriptionName": "wire",
            "Threshold": 5.0,
        },
    )["SubscriptionArn"]

    found = checked(ce, "GetAnomalies", DateInterval=interval, MonitorArn=monitor)["Anomalies"]
    checked(ce, "ProvideAnomalyFeedback", AnomalyId=found[0]["AnomalyId"], Feedback="NO")
    checked(ce, "UpdateAnomalyMonitor", MonitorArn=monitor, MonitorName="wired")
    checked(ce, "UpdateAnomalySubscription", SubscriptionArn=subscription, Frequency="DAILY")
    monitors = checked(ce, "GetAnomalyMonitors", MonitorArnList=[monitor])["AnomalyMonitors"]
    subscriptions = checked(ce, "GetAnomalySubscriptions", MonitorArn=monitor)

    assert found[0]["DimensionValue"] == "EC2 - Other"
    assert monitors[0]["MonitorName"] == "wired"
    assert subscriptions["AnomalySubscriptions"][0]["Frequency"] == "DAILY"
    checked(ce, "DeleteAnomalySubscription", SubscriptionArn=subscription)
    checked(ce, "DeleteAnomalyMonitor", MonitorArn=monitor)


def test_commitments_nobody_made(account, today):
    ce, (_, month) = account.client("ce"), months(today)

    checked(ce, "GetReservationUtilization", TimePeriod=month)
    checked(ce, "GetReservationCoverage", TimePeriod=month)
    checked(ce, "GetReservationPurchaseRecommendation", Service="AmazonRDS")
    checked(ce, "GetRightsizingRecommendation", Service="AmazonEC2")
    checked(
        ce,
        "GetSavingsPlansPurchaseRecommendation",
        SavingsPlansType="COMPUTE_SP",
        TermInYears="ONE_YEAR",
        PaymentOption="NO_UPFRONT",
        LookbackPeriodInDays="THIRTY_DAYS",
    )

    assert refusal(ce, "get_savings_plans_coverage", TimePeriod=month) == "DataUnavailableException"


def test_cost_explorer_s_errors_by_name(account, today):
    ce, (_, month) = account.client("ce"), months(today)
    usual = {"TimePeriod": month, "Granularity": "DAILY", "Metrics": ["UnblendedCost"]}

    codes = [
        refusal(ce, "get_cost_and_usage", **usual | {"Metrics": ["Cost"]}),
        refusal(ce, "get_cost_and_usage", **usual, NextPageToken="x"),
        refusal(
            ce,
            "get_cost_and_usage",
            **usual,
            BillingViewArn=f"arn:aws:billing::{ACCOUNT}:billingview/custom-1",
        ),
        refusal(ce, "get_anomaly_monitors", MonitorArnList=["arn:aws:ce::1:anomalymonitor/x"]),
        refusal(ce, "delete_anomaly_subscription", SubscriptionArn="arn:aws:ce::1:x/x"),
    ]

    assert codes == [
        "ValidationException",
        "InvalidNextTokenException",
        "ResourceNotFoundException",
        "UnknownMonitorException",
        "UnknownSubscriptionException",
    ]


def test_budgets_of_their_making(account):
    budgets, mine = account.client("budgets"), {"AccountId": ACCOUNT}
    named = mine | {"BudgetName": "wire"}
    at = named | {"Notification": NOTIFICATION}

    checked(budgets, "CreateBudget", Budget=BUDGET, **mine)
    checked(budgets, "CreateNotification", Subscribers=[MAIL], **at)
    checked(budgets, "CreateSubscriber", Subscriber=OTHER, **at)
    checked(
        budgets,
        "UpdateSubscriber",
        OldSubscriber=MAIL,
        NewSubscriber=MAIL | {"Address": "b@example.com"},
        **at,
    )
    subscribers = checked(budgets, "DescribeSubscribersForNotification", **at)["Subscribers"]
    listed = checked(budgets, "DescribeNotificationsForBudget", **named)["Notifications"]
    checked(budgets, "DescribeBudgetNotificationsForAccount", **mine)
    checked(budgets, "DeleteSubscriber", Subscriber=OTHER, **at)
    checked(
        budgets,
        "UpdateNotification",
        OldNotification=NOTIFICATION,
        NewNotification=NOTIFICATION | {"Threshold": 60.0},
        **named,
    )
    checked(budgets, "DeleteNotification", **named, Notification=NOTIFICATION | {"Threshold": 60.0})
    checked(budgets, "UpdateBudget", NewBudget=BUDGET | {"TimeUnit": "DAILY"}, **mine)
    shown = checked(budgets, "DescribeBudget", **named)["Budget"]
    history = checked(budgets, "DescribeBudgetPerformanceHistory", **named)
    checked(budgets, "DeleteBudget", **named)

    assert len(subscribers) == 2
    assert listed[0]["Threshold"] == 50.0
    assert (shown["TimeUnit"], shown["BudgetLimit"]["Amount"]) == ("DAILY", "123.45")
    assert history["BudgetPerformanceHistory"]["BudgetedAndActualAmountsList"]
    assert refusal(budgets, "describe_budget", **named) == "NotFoundException"


def test_the_world_s_budget_warns_at_eighty_and_a_hundred_per_cent(account):
    budgets = account.client("budgets")

    (budget,) = checked(budgets, "DescribeBudgets", AccountId=ACCOUNT)["Budgets"]
    listed = checked(
        budgets,
        "DescribeNotificationsForBudget",
        AccountId=ACCOUNT,
        BudgetName=budget["BudgetName"],
    )["Notifications"]

    assert {(n["NotificationType"], n["Threshold"]) for n in listed} == {
        ("ACTUAL", 80.0),
        ("FORECASTED", 100.0),
    }
    assert float(budget["CalculatedSpend"]["ForecastedSpend"]["Amount"]) > 400
    wait_until(
        lambda: TOPIC in {t["TopicArn"] for t in account.client("sns").list_topics()["Topics"]}
    )


def test_the_hub_s_recommendations(account):
    hub = account.client("cost-optimization-hub")

    items = checked(
        hub,
        "ListRecommendations",
        orderBy={"dimension": "EstimatedMonthlySavings", "order": "Desc"},
    )["items"]
    details = [
        checked(hub, "GetRecommendation", recommendationId=item["recommendationId"])
        for item in items
    ]
    summaries = checked(
        hub, "ListRecommendationSummaries", groupBy="ResourceType", metrics=["SavingsPercentage"]
    )
    few = checked(hub, "ListRecommendations", maxResults=1)
    rest = checked(hub, "ListRecommendations", maxResults=1, nextToken=few["nextToken"])

    assert {item["currentResourceType"] for item in items} == {"EcsService", "RdsDbInstance"}
    assert [each["resourceArn"] for each in details] == [item["resourceArn"] for item in items]
    saved = sum(item["estimatedMonthlySavings"] for item in items)
    assert summaries["estimatedTotalDedupedSavings"] == pytest.approx(saved, abs=0.02)
    assert [*few["items"], *rest["items"]][1]["resourceArn"] == items[1]["resourceArn"]
    wrong = [
        refusal(hub, "get_recommendation", recommendationId="x"),
        refusal(hub, "list_recommendation_summaries", groupBy="Colour"),
        refusal(hub, "list_recommendations", nextToken="x"),
    ]
    assert wrong == ["ResourceNotFoundException", "ValidationException", "ValidationException"]


def test_efficiency_is_what_could_not_have_been_saved(account, today):
    hub, (before, after) = account.client("cost-optimization-hub"), months(today)
    period = {"start": before["Start"], "end": after["End"]}

    (group,) = checked(hub, "ListEfficiencyMetrics", granularity="Monthly", timePeriod=period)[
        "efficiencyMetricsByGroup"
    ]
    (daily,) = checked(
        hub, "ListEfficiencyMetrics", granularity="Daily", timePeriod=period, groupBy="Region"
    )["efficiencyMetricsByGroup"]
    backwards = {"start": period["end"], "end": period["start"]}
    code = refusal(hub, "list_efficiency_metrics", granularity="Daily", timePeriod=backwards)

    first = group["metricsByTime"][0]
    expected = 100 * (1 - first["savings"] / first["spend"])
    assert [each["timestamp"] for each in group["metricsByTime"]] == [
        before["Start"][:7],
        after["Start"][:7],
    ]
    assert first["score"] == pytest.approx(expected, abs=0.01)
    assert 0 < first["savings"] < first["spend"]
    assert (daily["group"], len(daily["metricsByTime"])) == ("us-east-1", days_between(period))
    assert code == "ValidationException"


def days_between(period):
    return (date.fromisoformat(period["end"]) - date.fromisoformat(period["start"])).days


def test_the_hub_can_be_left_and_joined(account):
    hub = account.client("cost-optimization-hub")

    checked(hub, "UpdateEnrollmentStatus", status="Inactive")
    code = refusal(hub, "list_recommendations")
    checked(hub, "UpdateEnrollmentStatus", status="Active")
    (status,) = checked(hub, "ListEnrollmentStatuses")["items"]
    checked(hub, "UpdatePreferences", savingsEstimationMode="AfterDiscounts")
    preferences = checked(hub, "GetPreferences")
    checked(hub, "UpdatePreferences", savingsEstimationMode="BeforeDiscounts")

    assert code == "AccessDeniedException"
    assert status["status"] == "Active"
    assert preferences["savingsEstimationMode"] == "AfterDiscounts"


def test_compute_optimizer_s_findings(account):
    optimizer = account.client("compute-optimizer")

    found = checked(optimizer, "GetECSServiceRecommendations")["ecsServiceRecommendations"]
    over = checked(
        optimizer,
        "GetECSServiceRecommendations",
        filters=[{"name": "Finding", "values": ["Overprovisioned"]}],
    )["ecsServiceRecommendations"]
    missing = checked(
        optimizer,
        "GetECSServiceRecommendations",
        serviceArns=[f"arn:aws:ecs:us-east-1:{ACCOUNT}:service/production/none"],
    )

    assert {each["launchType"] for each in found} == {"Fargate"}
    assert over
    assert all(each["serviceRecommendationOptions"] for each in over)
    assert missing["errors"][0]["code"] == "ResourceNotFoundException"
    assert checked(optimizer, "GetEnrollmentStatus")["status"] == "Active"
    checked(optimizer, "UpdateEnrollmentStatus", status="Inactive")
    code = refusal(optimizer, "get_ecs_service_recommendations")
    checked(optimizer, "UpdateEnrollmentStatus", status="Active")
    assert code == "OptInRequiredException"
    wrong = refusal(optimizer, "get_ecs_service_recommendations", maxResults=2000)
    assert wrong == "InvalidParameterValueException"


def test_nothing_is_known_beyond_the_next_month(account, today):
    ce = account.client("ce")
    beyond = {"Start": str(today), "End": str(following(today) + timedelta(days=1))}

    code = refusal(
        ce, "get_cost_and_usage", TimePeriod=beyond, Granularity="DAILY", Metrics=["UnblendedCost"]
    )

    assert code == "ValidationException"
