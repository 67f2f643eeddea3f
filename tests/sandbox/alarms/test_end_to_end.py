"""Readers get errors, an alarm rings, people are told and the release is turned back."""

from __future__ import annotations

import json

import pytest

from sandbox.measurements import load_balancer_dimension, target_group_dimension
from tests.sandbox.account import FAST, Account, Readers, wait_until
from tests.sandbox.alarms.topics import received, subscribed

GREEN = {
    "LoadBalancer": load_balancer_dimension("news-production"),
    "TargetGroup": target_group_dimension("news-api-green"),
}
# A sandbox minute takes two seconds.
QUICK = {**FAST, "SANDBOX_CLOCK_RATE": "30"}


@pytest.fixture
def quick_account(tmp_path):
    account = Account(tmp_path / "home", environment=QUICK).ready()
    yield account
    account.stop()


def test_errors_ring_an_alarm_that_turns_the_release_back(quick_account):
    cloudwatch = quick_account.client("cloudwatch")
    topic, queue = subscribed(quick_account, "oncall")
    cloudwatch.put_metric_alarm(
        AlarmName="green-errors",
        Namespace="AWS/ApplicationELB",
        MetricName="HTTPCode_Target_5XX_Count",
        Dimensions=[{"Name": name, "Value": value} for name, value in GREEN.items()],
        Statistic="Sum",
        Period=60,
        EvaluationPeriods=1,
        DatapointsToAlarm=1,
        Threshold=0.0,
        ComparisonOperator="GreaterThanThreshold",
        TreatMissingData="notBreaching",
        AlarmActions=[topic],
        OKActions=[topic],
    )
    told = [told_of(quick_account, queue)]

    with Readers(quick_account, 2) as readers:
        arn = quick_account.release(
            "1.4.2-errors",
            strategy="BLUE_GREEN",
            bakeTimeInMinutes=200,
            alarms={"alarmNames": ["green-errors"], "enable": True, "rollback": True},
        )
        done = quick_account.finished(arn)
    told.append(told_of(quick_account, queue))
    told.append(told_of(quick_account, queue))

    assert done["status"] == "ROLLBACK_SUCCESSFUL"
    assert done["alarms"]["triggeredAlarmNames"] == ["green-errors"]
    assert [each["NewStateValue"] for each in told] == ["OK", "ALARM", "OK"]
    assert told[1]["NewStateReason"].startswith("Threshold Crossed: 1 out of the last 1 datapoints")
    assert told[1]["Trigger"]["Dimensions"] == [
        {"value": value, "name": name} for name, value in GREEN.items()
    ]
    assert 500 in {answer[1] for answer in readers.answers}
    wait_until(lambda: quick_account.version() == "1.4.0")


def told_of(account, queue):
    return json.loads(received(account, queue)["Message"])
