"""What PutMetricAlarm refuses, and how alarms are found again."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.alarms.definition import metric_alarm, tags
from sandbox.errors import AwsError
from tests.sandbox.alarms.world import BUSY, JOBS, TOPIC

DIMENSION = {"Name": "Queue", "Value": "a"}
GONE = dict.fromkeys(JOBS)


def metric(query_id, period=60, **more):
    stat = {
        "Metric": {"Namespace": "News", "MetricName": "Jobs"},
        "Period": period,
        "Stat": "Sum",
    }
    return {"Id": query_id, "MetricStat": stat, "ReturnData": False, **more}


def math(*queries, expression="m1 * 2"):
    return {**GONE, "Metrics": [*queries, {"Id": "e1", "Expression": expression}]}


INVALID = "Invalid metrics list: "


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"AlarmName": "x" * 256}, "AlarmName must have between 1 and 255 characters"),
        ({"AlarmName": "x\n"}, "AlarmName must not contain control characters"),
        ({"AlarmDescription": "x" * 1025}, "AlarmDescription must not exceed 1024 characters"),
        ({"OKActions": [TOPIC] * 6}, "OKActions must not contain more than 5 actions"),
        ({"AlarmActions": ["page me"]}, "Invalid arn syntax: page me"),
        (
            {"AlarmActions": [TOPIC.replace("us-east-1", "eu-west-1")]},
            "Invalid region eu-west-1 specified. Only us-east-1 is supported.",
        ),
        ({"MetricName": None}, "MetricName must not be null"),
        ({"Threshold": None}, "Threshold must not be null"),
        ({"Threshold": float("nan")}, "The value nan for parameter Threshold is invalid."),
        ({"Threshold": float("inf")}, "The value inf for parameter Threshold is invalid."),
        ({"Period": None}, "Period must not be null"),
        ({"Period": 15}, "Period must be 10, 20, 30 or a multiple of 60"),
        ({"Period": 90}, "Period must be 10, 20, 30 or a multiple of 60"),
        (
            {"Statistic": "Sum", "ExtendedStatistic": "p99"},
            "Either Statistic or ExtendedStatistic must be set, and not both",
        ),
        ({"Dimensions": [DIMENSION] * 31}, "An alarm takes no more than 30 Dimensions"),
        (
            {"EvaluationPeriods": 3, "DatapointsToAlarm": 4},
            "DatapointsToAlarm must be less than or equal to EvaluationPeriods",
        ),
        (
            {"EvaluationPeriods": 1441},
            (
                "Metrics cannot be checked across more than a day "
                "(EvaluationPeriods * Period must be <= 86400)."
            ),
        ),
        (
            {"EvaluationPeriods": 169, "Period": 3600},
            (
                "Metrics cannot be checked across more than a week "
                "(EvaluationPeriods * Period must be <= 604800)."
            ),
        ),
        (
            {"TreatMissingData": "never"},
            "TreatMissingData must be one of missing, ignore, breaching, notBreaching",
        ),
        (
            {"EvaluateLowSampleCountPercentile": "ignore"},
            "EvaluateLowSampleCountPercentile is only allowed for percentiles",
        ),
        (
            {"ComparisonOperator": "GreaterThanUpperThreshold"},
            (
                "GreaterThanUpperThreshold is for alarms based on anomaly detection models, which "
                "are not supported."
            ),
        ),
        (
            {"ThresholdMetricId": "band"},
            "Alarms based on anomaly detection models are not supported.",
        ),
        (
            {"EvaluationCriteria": {"PromQLCriteria": {"Query": "up"}}},
            "Alarms based on PromQL queries are not supported.",
        ),
        (
            {"EvaluationWindow": {"WallClockWindow": {}}},
            "EvaluationWindow: WallClockWindow is not supported.",
        ),
        (
            {"WarmUpConfiguration": {"WarmUpPeriodDurationInMinutes": 5}},
            "WarmUpConfiguration is not supported.",
        ),
        (
            {"Metrics": [metric("m1", ReturnData=True)]},
            "MetricName should not be set if list of Metrics is set",
        ),
        (
            math(metric("m1", ReturnData=True)),
            INVALID + "Exactly one element of the metrics list should return data.",
        ),
        (
            math(*[metric(f"m{number}") for number in range(11)]),
            INVALID + "No more than 10 metrics are allowed.",
        ),
        (
            math(metric("m1"), metric("m2", period=300)),
            INVALID + "All metrics must use the same period.",
        ),
        (
            math(expression="TIME_SERIES(1)"),
            INVALID + "An expression without metrics needs a Period.",
        ),
        (
            math(metric("m1", AccountId="999999999999")),
            INVALID + "AccountId 999999999999 is not supported.",
        ),
        (
            math(metric("m1"), expression="SELECT AVG(Jobs) FROM News"),
            INVALID + "Metrics Insights queries are not supported.",
        ),
    ],
)
def test_alarms_that_make_no_sense_are_refused(changed, message):
    with pytest.raises(AwsError) as refused:
        metric_alarm({**BUSY, **changed})

    assert refused.value.code == "ValidationError"
    assert refused.value.message == message


def test_an_alarm_takes_fifty_tags():
    with pytest.raises(AwsError) as refused:
        tags([{"Key": str(number), "Value": ""} for number in range(51)])

    assert refused.value.message == "An alarm must not have more than 50 tags"


@pytest.mark.parametrize(
    "changed",
    [math(metric("m1"), expression="m1 +"), {"Statistic": None, "ExtendedStatistic": "q99"}],
)
def test_what_metrics_cannot_compute_is_refused(world, changed):
    with pytest.raises(AwsError) as refused:
        world.put(**changed)

    assert refused.value.code == "ValidationError"
    assert list(world.book) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"EvaluationPeriods": 1440},
        {"Period": 3600, "EvaluationPeriods": 168},
        {"Period": 10, "EvaluationPeriods": 8640},
        {"EvaluationWindow": {"SlidingWindow": {}}},
        math(metric("m1"), metric("m2"), expression="m1 + m2"),
        {**GONE, "Metrics": [metric("m1", ReturnData=True)]},
    ],
)
def test_alarms_at_their_limits_are_taken(world, changed):
    world.put(**changed)

    assert world.state() == "INSUFFICIENT_DATA"


def test_an_update_keeps_state_and_tags_and_replaces_everything_else(world):
    world.put(AlarmDescription="old", Tags=[{"Key": "owner", "Value": "news"}])
    world.minutes(9.0)

    world.put(Threshold=7.0, Tags=[{"Key": "owner", "Value": "nobody"}])

    alarm = world.alarm()
    assert alarm["StateValue"] == "ALARM"
    assert alarm["Threshold"] == 7.0
    assert "AlarmDescription" not in alarm
    tags = world.call("list_tags_for_resource", ResourceARN=alarm["AlarmArn"])["Tags"]
    assert tags == [{"Key": "owner", "Value": "news"}]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ({}, ["busy", "calm", "lazy"]),
        ({"AlarmTypes": ["CompositeAlarm"]}, ["outage"]),
        (
            {"AlarmTypes": ["MetricAlarm", "CompositeAlarm", "LogAlarm"]},
            ["busy", "calm", "lazy", "outage"],
        ),
        ({"AlarmNamePrefix": "b"}, ["busy"]),
        ({"AlarmNames": ["calm", "lazy", "unknown"]}, ["calm", "lazy"]),
        ({"StateValue": "ALARM"}, ["busy", "lazy"]),
        ({"ActionPrefix": TOPIC}, ["calm"]),
        ({"StateValue": "OK", "ActionPrefix": TOPIC[:12]}, ["calm"]),
        ({"ChildrenOfAlarmName": "outage"}, ["busy", "calm"]),
        ({"ParentsOfAlarmName": "busy"}, ["outage"]),
    ],
)
def test_alarms_are_found_by_what_is_asked(world, filters, names):
    world.put()
    world.put(AlarmName="calm", Threshold=99.0, OKActions=[TOPIC])
    world.put(AlarmName="lazy", Threshold=0.0)
    world.put_composite("outage", "ALARM(busy) OR ALARM(calm)")
    world.minutes(9.0)

    answer = world.call("describe_alarms", **filters)

    found = [each["AlarmName"] for each in answer["MetricAlarms"] + answer["CompositeAlarms"]]
    assert found == names


def test_kin_are_told_briefly(world):
    world.put()
    world.put_composite("outage", "ALARM(busy)")

    (child,) = world.call("describe_alarms", ChildrenOfAlarmName="outage")["MetricAlarms"]
    (parent,) = world.call("describe_alarms", ParentsOfAlarmName="busy")["CompositeAlarms"]

    assert set(child) == {"AlarmName", "AlarmArn", "StateValue", "StateUpdatedTimestamp"}
    assert set(parent) == {"AlarmName", "AlarmArn"}


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"AlarmNames": ["busy"], "AlarmNamePrefix": "b"}, "ValidationError"),
        ({"ChildrenOfAlarmName": "busy"}, "ValidationError"),
        ({"ParentsOfAlarmName": "unknown"}, "ValidationError"),
        ({"ParentsOfAlarmName": "busy", "StateValue": "OK"}, "ValidationError"),
        ({"AlarmTypes": ["Doorbell"]}, "ValidationError"),
        ({"MaxRecords": 101}, "ValidationError"),
        ({"NextToken": "bm90IG91cnM="}, "InvalidNextToken"),
    ],
)
def test_questions_that_make_no_sense_are_refused(world, filters, code):
    world.put()

    with pytest.raises(AwsError) as refused:
        world.call("describe_alarms", **filters)

    assert refused.value.code == code


def test_alarms_come_fifty_a_page_with_a_token_for_that_question_only(world):
    for number in range(51):
        world.put(AlarmName=f"alarm-{number:02}")

    first = world.call("describe_alarms", AlarmNamePrefix="alarm")
    second = world.call("describe_alarms", AlarmNamePrefix="alarm", NextToken=first["NextToken"])

    assert len(first["MetricAlarms"]) == 50
    assert [each["AlarmName"] for each in second["MetricAlarms"]] == ["alarm-50"]
    assert "NextToken" not in second
    with pytest.raises(AwsError) as refused:
        world.call("describe_alarms", NextToken=first["NextToken"])
    assert refused.value.code == "InvalidNextToken"


@pytest.mark.parametrize(
    ("asked", "names"),
    [
        ({"Dimensions": [DIMENSION]}, ["one", "two"]),
        ({"Dimensions": [DIMENSION], "Statistic": "Maximum"}, ["two"]),
        ({"Dimensions": [DIMENSION], "Period": 300}, []),
        ({}, ["bare"]),
    ],
)
def test_alarms_of_a_metric_are_found_by_its_exact_dimensions(world, asked, names):
    world.put(AlarmName="bare")
    world.put(AlarmName="one", Dimensions=[DIMENSION])
    world.put(AlarmName="two", Dimensions=[DIMENSION], Statistic="Maximum")

    answer = world.call("describe_alarms_for_metric", Namespace="News", MetricName="Jobs", **asked)

    assert [each["AlarmName"] for each in answer["MetricAlarms"]] == names


def test_history_is_filtered_by_type_and_date_and_comes_in_pages(world):
    world.put()
    created = world.now
    world.minutes(9.0, 1.0, 9.0)

    newest = world.items(ScanBy="TimestampDescending", MaxRecords=1)
    early = world.items(EndDate=created)
    late = world.items(StartDate=created + timedelta(seconds=1))
    first = world.call("describe_alarm_history", MaxRecords=3)
    rest = world.call("describe_alarm_history", MaxRecords=3, NextToken=first["NextToken"])

    assert [item["HistorySummary"] for item in newest] == ["Alarm updated from OK to ALARM"]
    assert [item["HistoryItemType"] for item in early] == ["ConfigurationUpdate"]
    assert [item["HistoryItemType"] for item in late] == ["StateUpdate"] * 3
    assert [item["HistoryItemType"] for item in rest["AlarmHistoryItems"]] == [
        "ConfigurationUpdate"
    ]


def test_only_known_alarms_are_deleted_and_the_others_reported(world):
    world.put()

    with pytest.raises(AwsError) as refused:
        world.call("delete_alarms", AlarmNames=["busy", "unknown"])

    assert (refused.value.code, refused.value.status) == ("ResourceNotFound", 404)
    assert list(world.book) == []


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"AlarmName": "unknown"}, "ResourceNotFound"),
        ({"StateReasonData": "{not json"}, "InvalidFormat"),
        ({"StateReason": "x" * 1024}, "ValidationError"),
        ({"StateValue": "RED"}, "ValidationError"),
    ],
)
def test_states_that_cannot_be_set_are_refused(world, changed, code):
    world.put()
    asked = {"AlarmName": "busy", "StateValue": "ALARM", "StateReason": "test", **changed}

    with pytest.raises(AwsError) as refused:
        world.call("set_alarm_state", **asked)

    assert refused.value.code == code
    assert world.state() == "INSUFFICIENT_DATA"
