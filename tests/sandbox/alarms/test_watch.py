"""Alarms over published metrics: when they ring, what they do, and what they remember."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from sandbox.errors import AwsError
from tests.sandbox.alarms.world import BROKEN_TOPIC, POLICY, TOPIC

RATIO = [
    {
        "Id": name,
        "MetricStat": {
            "Metric": {"Namespace": "News", "MetricName": metric},
            "Period": 60,
            "Stat": "Sum",
        },
        "ReturnData": False,
    }
    for name, metric in (("failed", "Failed"), ("jobs", "Jobs"))
]
NO_SINGLE_METRIC = dict.fromkeys(("Namespace", "MetricName", "Statistic", "Period"))


def test_an_alarm_begins_without_data_and_takes_its_state_from_the_metric(world):
    world.put()
    created = world.alarm()

    world.minutes(9.0)

    assert created["StateValue"] == "INSUFFICIENT_DATA"
    assert created["StateReason"] == "Unchecked: Initial alarm creation"
    ringing = world.alarm()
    assert ringing["StateValue"] == "ALARM"
    assert ringing["StateReason"] == (
        "Threshold Crossed: 1 datapoint [9.0 (22/11/26 12:00:00)] was greater than the threshold "
        "(5.0)."
    )
    assert ringing["StateTransitionedTimestamp"] == world.now
    assert json.loads(ringing["StateReasonData"])["recentDatapoints"] == [9.0]


def test_two_of_three_points_ring_and_two_good_ones_end_it(world):
    world.put(EvaluationPeriods=3, DatapointsToAlarm=2)
    seen = []

    for value in (9.0, 1.0, 9.0, 1.0, 1.0):
        world.minute(value)
        seen.append(world.state())

    assert seen == ["INSUFFICIENT_DATA", "OK", "ALARM", "OK", "OK"]


def test_metrics_that_stop_leave_the_alarm_its_last_points_for_two_more_periods(world):
    world.put()
    world.minutes(9.0)
    seen = []

    for _ in range(4):
        world.minute()
        seen.append(world.state())

    assert seen == ["ALARM", "ALARM", "INSUFFICIENT_DATA", "INSUFFICIENT_DATA"]


def test_periods_end_at_the_last_full_minute(world):
    world.put(Period=300)

    world.minutes(3.0, 3.0)

    reason = world.alarm()["StateReason"]
    assert "[6.0 (22/11/26 11:57:00)]" in reason


def test_every_alarm_is_evaluated_once_a_minute_and_at_once_after_a_change(world):
    world.put()
    world.minutes(9.0)
    world.set_state("busy", "OK")

    world.evaluate()
    same_minute = world.state()
    world.put(AlarmDescription="changed")
    after_change = world.state()
    world.evaluate()

    assert (same_minute, after_change, world.state()) == ("OK", "OK", "ALARM")


def test_a_state_that_was_set_lasts_until_the_next_evaluation(world):
    world.put()
    world.minutes(1.0)

    world.set_state("busy", "ALARM")
    assert world.state() == "ALARM"
    world.minute(1.0)

    assert world.state() == "OK"
    updates = [item["HistorySummary"] for item in world.items(HistoryItemType="StateUpdate")]
    assert updates[1:] == ["Alarm updated from OK to ALARM", "Alarm updated from ALARM to OK"]


def test_topics_are_told_once_and_scaling_policies_every_minute(world):
    world.put(AlarmActions=[TOPIC, POLICY], OKActions=[TOPIC])

    world.minutes(1.0, 9.0, 9.0, 9.0, 1.0)

    assert [(event.action, event.new_state, event.values[0]) for event in world.told] == [
        (TOPIC, "OK", 1.0),
        (TOPIC, "ALARM", 9.0),
        (POLICY, "ALARM", 9.0),
        (POLICY, "ALARM", 9.0),
        (POLICY, "ALARM", 9.0),
        (TOPIC, "OK", 1.0),
    ]
    assert [event.old_state for event in world.told if event.action == POLICY] == [
        "OK",
        "ALARM",
        "ALARM",
    ]


def test_the_message_is_cloudwatchs(world):
    world.put(
        AlarmDescription="Too many jobs",
        AlarmActions=[TOPIC],
        Dimensions=[],
        DatapointsToAlarm=1,
        TreatMissingData="ignore",
    )
    world.minutes(1.0, 9.0)

    (event,) = world.told

    assert event.subject == 'ALARM: "busy" in US East (N. Virginia)'
    message = json.loads(event.message)
    assert message.pop("NewStateReason").startswith("Threshold Crossed: 1 out of the last 1")
    assert message == {
        "AlarmName": "busy",
        "AlarmDescription": "Too many jobs",
        "AWSAccountId": "123456789012",
        "AlarmConfigurationUpdatedTimestamp": "2026-11-22T12:00:59.000+0000",
        "NewStateValue": "ALARM",
        "StateChangeTime": "2026-11-22T12:02:59.000+0000",
        "Region": "US East (N. Virginia)",
        "AlarmArn": "arn:aws:cloudwatch:us-east-1:123456789012:alarm:busy",
        "OldStateValue": "OK",
        "OKActions": [],
        "AlarmActions": [TOPIC],
        "InsufficientDataActions": [],
        "Trigger": {
            "MetricName": "Jobs",
            "Namespace": "News",
            "StatisticType": "Statistic",
            "Statistic": "SUM",
            "Unit": None,
            "Dimensions": [],
            "Period": 60,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "ComparisonOperator": "GreaterThanThreshold",
            "Threshold": 5.0,
            "TreatMissingData": "ignore",
            "EvaluateLowSampleCountPercentile": "",
        },
    }


def test_disabled_actions_are_not_executed_and_enabled_ones_are(world):
    world.put(AlarmActions=[TOPIC], OKActions=[TOPIC])
    world.call("disable_alarm_actions", AlarmNames=["busy", "unknown"])
    world.minutes(1.0, 9.0)
    silent = len(world.told)

    world.call("enable_alarm_actions", AlarmNames=["busy"])
    world.minutes(1.0)

    assert silent == 0
    assert [event.new_state for event in world.told] == ["OK"]


@pytest.mark.parametrize(
    ("action", "summary"),
    [
        (TOPIC, f"Successfully executed action {TOPIC}"),
        (
            BROKEN_TOPIC,
            f'Failed to execute action {BROKEN_TOPIC}. Received error: "Topic does not exist"',
        ),
        (
            "arn:aws:lambda:us-east-1:123456789012:function:page",
            (
                "Failed to execute action arn:aws:lambda:us-east-1:123456789012:function:page. "
                'Received error: "This sandbox executes actions of Amazon SNS and Application Auto '
                'Scaling only."'
            ),
        ),
    ],
)
def test_history_says_how_an_action_went(world, action, summary):
    world.put(AlarmActions=[action])
    world.minutes(9.0)

    (item,) = world.items(HistoryItemType="Action")

    data = json.loads(item["HistoryData"])
    assert item["HistorySummary"] == summary
    assert data["actionState"] == ("Succeeded" if action == TOPIC else "Failed")
    assert data["notificationResource"] == action
    assert bool(data["error"]) == (action != TOPIC)


def test_history_tells_configuration_and_states_as_cloudwatch_does(world):
    world.put()
    world.minutes(9.0)
    world.put(Threshold=50.0)
    world.call("delete_alarms", AlarmNames=["busy"])

    created, rang, updated, deleted = world.items()

    assert [item["HistorySummary"] for item in (created, rang, updated, deleted)] == [
        'Alarm "busy" created',
        "Alarm updated from INSUFFICIENT_DATA to ALARM",
        'Alarm "busy" updated',
        'Alarm "busy" deleted',
    ]
    creation = json.loads(created["HistoryData"])
    assert creation["type"] == "Create"
    assert creation["createdAlarm"]["metricName"] == "Jobs"
    assert creation["createdAlarm"]["okactions"] == []
    assert json.loads(updated["HistoryData"])["updatedAlarm"]["threshold"] == 50.0
    change = json.loads(rang["HistoryData"])
    assert change["oldState"]["stateValue"] == "INSUFFICIENT_DATA"
    assert change["newState"]["stateReasonData"]["threshold"] == 5.0


def test_history_is_kept_for_thirty_days(world):
    world.put()
    world.now += timedelta(days=31)

    world.put(AlarmName="later")

    assert world.items() == []
    assert len(world.items("later")) == 1


def test_a_restart_keeps_state_history_and_suppressed_actions(world):
    world.put(AlarmActions=[TOPIC])
    world.put(AlarmName="quiet", Threshold=1000.0)
    world.put_composite(
        "outage",
        "ALARM(busy)",
        AlarmActions=[TOPIC],
        ActionsSuppressor="quiet",
        ActionsSuppressorWaitPeriod=90,
        ActionsSuppressorExtensionPeriod=60,
    )
    world.minutes(1.0, 9.0)
    before, items = world.alarm(), world.items()
    world.told.clear()

    world.restart()

    assert world.alarm() == before
    assert world.items() == items
    assert world.alarm("outage")["ActionsSuppressedBy"] == "WaitPeriod"
    world.minutes(9.0, 9.0)
    assert [event.alarm_name for event in world.told] == ["outage"]


def test_a_math_alarm_watches_the_expression_that_returns_data(world):
    ratio = {"Id": "ratio", "Expression": "100 * FILL(failed, 0) / jobs"}
    world.put(**NO_SINGLE_METRIC, Metrics=[*RATIO, ratio], Threshold=1.0, AlarmActions=[TOPIC])

    world.publish(2.0, MetricName="Failed")
    world.minutes(50.0)

    assert world.state() == "ALARM"
    assert "[4.0 (22/11/26 12:00:00)]" in world.alarm()["StateReason"]
    trigger = json.loads(world.told[0].message)["Trigger"]
    assert trigger["Metrics"][2] == {"ReturnData": True, **ratio}
    assert "MetricName" not in trigger


def test_a_percentile_of_few_samples_is_ignored_when_asked(world):
    few = {"Statistic": None, "ExtendedStatistic": "p90"}
    world.put(**few)
    world.put(AlarmName="careful", **few, EvaluateLowSampleCountPercentile="ignore")

    world.minute(*[9.0] * 99)
    on_few = world.state(), world.state("careful")
    world.minute(*[float(number) for number in range(101)])

    assert on_few == ("ALARM", "INSUFFICIENT_DATA")
    assert world.state("careful") == "ALARM"


def test_delayed_metrics_make_alarms_late(world):
    world.put(TreatMissingData="ignore")
    world.minutes(1.0)

    world.cloudwatch.publication_delay = 120.0
    seen = []
    for value in (9.0, 9.0, 9.0):
        world.minute(value)
        seen.append(world.state())

    assert seen == ["OK", "OK", "ALARM"]


def test_an_alarm_of_ten_seconds_finds_a_metric_of_a_minute_in_one_period_of_six(world):
    world.put(Period=10, EvaluationPeriods=6, DatapointsToAlarm=1, TreatMissingData="ignore")

    world.publish(9.0)
    world.now += timedelta(seconds=16)
    world.evaluate()

    assert world.state() == "ALARM"
    assert world.alarm()["StateReason"].startswith(
        "Threshold Crossed: 1 out of the last 6 datapoints [9.0 (22/11/26 12:00:00)]"
    )


def test_an_alarm_over_more_than_a_day_is_evaluated_every_hour(world):
    world.put(Period=3600, EvaluationPeriods=48, TreatMissingData="notBreaching")
    world.evaluate()
    world.set_state("busy", "ALARM")
    while world.state() == "ALARM":
        world.minute()
    world.set_state("busy", "ALARM")

    world.minutes(*[None] * 59)
    before_the_hour = world.state()
    world.minute()

    assert (before_the_hour, world.state()) == ("ALARM", "OK")


def test_a_step_of_the_clock_neither_stalls_nor_floods(world):
    world.put()
    world.minutes(1.0)

    world.now -= timedelta(hours=1)
    world.minutes(9.0)
    back = world.state()
    world.now += timedelta(hours=2)
    world.minutes(1.0)

    assert (back, world.state()) == ("ALARM", "OK")
    assert len(world.items(HistoryItemType="StateUpdate")) == 3


def test_a_metric_that_cannot_be_evaluated_is_reported(world, monkeypatch):
    async def refuse(**_):
        raise AwsError("ValidationError", "Error in expression 'e1'")

    world.put()
    world.minutes(9.0)

    with monkeypatch.context() as patch:
        patch.setattr(world.cloudwatch, "data_for_alarms", refuse)
        world.minute(9.0)
        broken = world.alarm()
    world.minute(9.0)

    assert broken["StateValue"] == "INSUFFICIENT_DATA"
    assert broken["EvaluationState"] == "EVALUATION_ERROR"
    assert broken["StateReason"] == "Evaluation error: Error in expression 'e1'"
    assert world.state() == "ALARM"
    assert "EvaluationState" not in world.alarm()


def test_an_evaluation_that_fails_costs_a_scaling_policy_one_minute_only(world, monkeypatch):
    async def stumble(**_):
        raise RuntimeError("no such table: point")

    world.put(AlarmActions=[POLICY])
    world.minutes(9.0)

    with monkeypatch.context() as patch:
        patch.setattr(world.cloudwatch, "data_for_alarms", stumble)
        world.minute(9.0)
    world.minute(9.0)

    assert [event.values[:1] for event in world.told] == [(9.0,), (), (9.0,)]
