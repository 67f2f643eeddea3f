"""Anomalies: what is found, why, and who is to be told."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.costexplorer import detection
from sandbox.errors import AwsError
from tests.sandbox.costs.books import NOW, Books, dimension

TODAY = NOW.date()
END = date(2026, 6, 1)


@pytest.fixture
def books(tmp_path):
    found = Books(tmp_path)
    yield found
    found.close()


def weekly(seed, level=20.0, days=150):
    """Days that are quiet at weekends and differ by a few per cent."""
    dice = random.Random(seed)
    found = [END - timedelta(days=back) for back in range(days, 0, -1)]
    return {
        day: level * (0.7 if day.weekday() >= 5 else 1.0) * dice.uniform(0.97, 1.03)
        for day in found
    }


def found(daily):
    return detection.anomalies(daily, END - timedelta(days=60), END)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000))
def test_ordinary_weeks_have_no_anomalies(seed):
    assert found(weekly(seed)) == []


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10_000), st.integers(5, 50), st.integers(1, 4))
def test_days_that_cost_half_as_much_again_are_one_anomaly(seed, back, length):
    daily = weekly(seed)
    start = END - timedelta(days=back)
    days = [start + timedelta(days=number) for number in range(length)]
    raised = daily | {day: daily[day] * 1.5 for day in days if day in daily}

    (anomaly,) = found(raised)

    assert (anomaly.start, anomaly.end) == (days[0], min(days[-1], END - timedelta(days=1)))
    assert sum(day.impact for day in anomaly.days) > 0


def test_less_than_two_dollars_is_no_anomaly():
    daily = weekly(1, level=0.5)
    raised = daily | {END - timedelta(days=5): 2.0}

    assert found(raised) == []


def test_a_lasting_step_is_an_anomaly_for_two_weeks_only():
    daily = weekly(3)
    step = END - timedelta(days=50)
    raised = {day: cost * (1.6 if day >= step else 1.0) for day, cost in daily.items()}

    (anomaly,) = found(raised)

    assert (anomaly.start, len(anomaly.days)) == (step, 14)


def test_a_new_service_has_ten_days_without_expectations():
    daily = dict.fromkeys([END - timedelta(days=back) for back in range(9, 0, -1)], 500.0)

    assert found(daily) == []


def ask(books, start=TODAY - timedelta(days=80), end=TODAY, **parameters):
    interval = {"StartDate": str(start), "EndDate": str(end)}
    return books.call("get_anomalies", DateInterval=interval, **parameters)["Anomalies"]


def test_the_nat_flood_of_the_history_is_found_with_its_cause(books):
    (anomaly,) = ask(books)

    cause = anomaly["RootCauses"][0]
    impact = anomaly["Impact"]
    assert anomaly["DimensionValue"] == "EC2 - Other"
    assert anomaly["AnomalyStartDate"] == "2026-10-13T00:00:00Z"
    assert anomaly["AnomalyEndDate"] == "2026-10-16T00:00:00Z"
    assert cause["UsageType"] == "NatGateway-Bytes"
    assert cause["Impact"]["Contribution"] == pytest.approx(4 * 180 * 0.045, rel=0.02)
    assert impact["TotalImpact"] == pytest.approx(
        impact["TotalActualSpend"] - impact["TotalExpectedSpend"], abs=0.02
    )
    assert 0 < anomaly["AnomalyScore"]["CurrentScore"] <= anomaly["AnomalyScore"]["MaxScore"] < 1


def test_both_dates_are_inclusive(books):
    first, last = date(2026, 10, 13), date(2026, 10, 16)

    assert ask(books, last, last)
    assert ask(books, first, first)
    assert not ask(books, first - timedelta(days=5), first - timedelta(days=1))


def test_impact_and_feedback_are_filters(books):
    (anomaly,) = ask(books)
    books.call(
        "provide_anomaly_feedback", AnomalyId=anomaly["AnomalyId"], Feedback="PLANNED_ACTIVITY"
    )

    assert ask(books, Feedback="PLANNED_ACTIVITY")[0]["Feedback"] == "PLANNED_ACTIVITY"
    assert ask(books, Feedback="YES") == []
    assert ask(books, TotalImpact={"NumericOperator": "GREATER_THAN", "StartValue": 500.0}) == []
    between = {"NumericOperator": "BETWEEN", "StartValue": 10.0, "EndValue": 90.0}
    assert len(ask(books, TotalImpact=between)) == 1


def test_a_custom_monitor_sees_what_its_expression_selects(books):
    arn = books.call(
        "create_anomaly_monitor",
        AnomalyMonitor={
            "MonitorName": "NAT",
            "MonitorType": "CUSTOM",
            "MonitorSpecification": dimension("USAGE_TYPE", "NatGateway-Bytes"),
        },
    )["MonitorArn"]

    (anomaly,) = ask(books, MonitorArn=arn)

    assert "DimensionValue" not in anomaly
    assert anomaly["MonitorArn"] == arn


def test_monitors_and_subscriptions_are_made_changed_and_deleted(books):
    monitor = books.call("get_anomaly_monitors")["AnomalyMonitors"][0]
    books.call("update_anomaly_monitor", MonitorArn=monitor["MonitorArn"], MonitorName="Services")
    arn = books.call(
        "create_anomaly_subscription",
        AnomalySubscription={
            "MonitorArnList": [monitor["MonitorArn"]],
            "Subscribers": [{"Type": "SNS", "Address": "arn:aws:sns:us-east-1:123456789012:a"}],
            "Frequency": "IMMEDIATE",
            "SubscriptionName": "Now",
            "Threshold": 20.0,
        },
    )["SubscriptionArn"]
    books.call("update_anomaly_subscription", SubscriptionArn=arn, SubscriptionName="At once")

    named = books.call("get_anomaly_monitors", MonitorArnList=[monitor["MonitorArn"]])
    (changed,) = books.call("get_anomaly_subscriptions", SubscriptionArnList=[arn])[
        "AnomalySubscriptions"
    ]
    books.call("delete_anomaly_subscription", SubscriptionArn=arn)
    books.call("delete_anomaly_monitor", MonitorArn=monitor["MonitorArn"])

    assert named["AnomalyMonitors"][0]["MonitorName"] == "Services"
    assert changed["SubscriptionName"] == "At once"
    left = books.call("get_anomaly_subscriptions")["AnomalySubscriptions"]
    assert [each["SubscriptionName"] for each in left] == ["Default-Services-Subscription"]
    assert books.call("get_anomaly_monitors")["AnomalyMonitors"] == []


MONITOR = {"MonitorName": "a", "MonitorType": "DIMENSIONAL", "MonitorDimension": "SERVICE"}
SUBSCRIPTION = {
    "MonitorArnList": [],
    "Subscribers": [{"Type": "EMAIL", "Address": "a@example.com"}],
    "Frequency": "DAILY",
    "SubscriptionName": "a",
    "Threshold": 1.0,
}


@pytest.mark.parametrize(
    ("operation", "parameters", "code"),
    [
        ("get_anomalies", {"DateInterval": {"StartDate": "2026-01-01"}}, "ValidationException"),
        (
            "get_anomalies",
            {"DateInterval": {"StartDate": "2026-11-02", "EndDate": "2026-11-01"}},
            "ValidationException",
        ),
        (
            "get_anomalies",
            {"DateInterval": {"StartDate": "2026-11-02"}, "MonitorArn": "arn:x"},
            "UnknownMonitorException",
        ),
        ("provide_anomaly_feedback", {"AnomalyId": "x", "Feedback": "YES"}, "ValidationException"),
        ("provide_anomaly_feedback", {"AnomalyId": "x", "Feedback": "Oh"}, "ValidationException"),
        ("update_anomaly_monitor", {"MonitorArn": "arn:x"}, "UnknownMonitorException"),
        ("delete_anomaly_monitor", {"MonitorArn": "arn:x"}, "UnknownMonitorException"),
        (
            "create_anomaly_monitor",
            {"AnomalyMonitor": MONITOR | {"MonitorDimension": "TAG"}},
            "ValidationException",
        ),
        (
            "create_anomaly_monitor",
            {"AnomalyMonitor": MONITOR | {"MonitorType": "CUSTOM"}},
            "ValidationException",
        ),
        (
            "create_anomaly_subscription",
            {"AnomalySubscription": SUBSCRIPTION | {"MonitorArnList": ["arn:x"]}},
            "UnknownMonitorException",
        ),
        (
            "create_anomaly_subscription",
            {"AnomalySubscription": SUBSCRIPTION | {"Frequency": "IMMEDIATE"}},
            "ValidationException",
        ),
        (
            "create_anomaly_subscription",
            {
                "AnomalySubscription": SUBSCRIPTION
                | {"ThresholdExpression": dimension("SERVICE", "1")}
            },
            "ValidationException",
        ),
        ("delete_anomaly_subscription", {"SubscriptionArn": "x"}, "UnknownSubscriptionException"),
        (
            "get_anomaly_subscriptions",
            {"SubscriptionArnList": ["x"]},
            "UnknownSubscriptionException",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(books, operation, parameters, code):
    with pytest.raises(AwsError) as refused:
        books.call(operation, **parameters)

    assert refused.value.code == code
