"""Alarms with a period below a minute: evaluated every ten seconds, over seconds."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.sandbox.alarms.world import JOBS


def later(world, seconds):
    world.now += timedelta(seconds=seconds)
    world.evaluate()


def publish(world, value, *, resolution=1):
    datum = {"MetricName": "Jobs", "Timestamp": world.now, "Value": value}
    datum["StorageResolution"] = resolution
    world.cloudwatch.put_metric_data(Namespace="News", MetricData=[datum])


def data(world):
    return json.loads(world.alarm()["StateReasonData"])


@pytest.mark.parametrize("period", [10, 20, 30])
def test_a_breach_rings_as_soon_as_its_period_is_over(world, period):
    world.put(Period=period, Threshold=2.5)
    publish(world, 3.0)
    before = world.state()

    later(world, 10)

    assert (before, world.state()) == ("INSUFFICIENT_DATA", "ALARM")
    assert data(world)["recentDatapoints"] == [3.0]
    assert data(world)["period"] == period


@pytest.mark.parametrize("period", [10, 20, 30])
def test_a_period_adds_up_all_its_seconds_wherever_it_begins(world, period):
    world.put(Period=period, Statistic="SampleCount", Threshold=period - 0.5)
    for _ in range(100):
        publish(world, 1.0)
        world.now += timedelta(seconds=1)

    world.evaluate()

    assert world.state() == "ALARM"
    assert data(world)["recentDatapoints"] == [float(period)]


def test_three_of_three_tens_of_seconds_have_to_breach(world):
    world.put(Period=10, EvaluationPeriods=3)

    states = []
    for _ in range(3):
        publish(world, 9.0)
        later(world, 10)
        states.append(world.state())

    assert states == ["INSUFFICIENT_DATA", "INSUFFICIENT_DATA", "ALARM"]


def test_it_is_over_as_soon_as_the_data_are_good(world):
    world.put(Period=10)
    publish(world, 9.0)
    later(world, 10)

    publish(world, 1.0)
    later(world, 10)

    assert world.state() == "OK"
    assert [item["HistorySummary"] for item in world.items(HistoryItemType="StateUpdate")] == [
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        "Alarm updated from ALARM to OK",
    ]


def test_a_metric_of_minutes_lapses_into_insufficient_data(world):
    world.put(Period=10)
    world.now = world.now.replace(second=0)
    publish(world, 9.0, resolution=60)

    states = []
    for _ in range(6):
        later(world, 10)
        states.append(world.state())

    assert states[:3] == ["ALARM"] * 3
    assert states[-1] == "INSUFFICIENT_DATA"


def test_expressions_reckon_in_the_same_periods(world):
    metric = {"Namespace": "News", "MetricName": "Jobs"}
    stat = {"Metric": metric, "Period": 10, "Stat": "Sum"}
    single = dict.fromkeys((*JOBS, "Dimensions"))
    world.put(
        **single,
        Threshold=0.85,
        Metrics=[
            {"Id": "m1", "MetricStat": stat, "ReturnData": False},
            {"Id": "rate", "Expression": "m1 / PERIOD(m1)"},
        ],
    )
    publish(world, 9.0)

    later(world, 10)

    assert world.state() == "ALARM"
    assert data(world)["recentDatapoints"] == [0.9]
