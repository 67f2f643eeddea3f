"""The alarm operations over the wire: botocore's shapes, errors by name, a topic that is told."""

from __future__ import annotations

import json

import pytest
from botocore.exceptions import ClientError

from tests.sandbox.account import wait_until
from tests.sandbox.alarms.topics import received, subscribed
from tests.sandbox.alarms.world import BUSY
from tests.sandbox.contract import checked

METRIC = {**BUSY, "MetricName": "NeverPublished", "TreatMissingData": "ignore"}
NAMES = ["wire-busy", "wire-calm", "wire-outage"]


@pytest.fixture(scope="module")
def alarms(shared_account):
    """Two metric alarms that keep the state they are told, and a composite one."""
    client = shared_account.client("cloudwatch")
    for name in NAMES[:2]:
        checked(client, "PutMetricAlarm", **{**METRIC, "AlarmName": name})
    checked(
        client,
        "PutCompositeAlarm",
        AlarmName=NAMES[2],
        AlarmRule="ALARM(wire-busy) AND NOT ALARM(wire-calm)",
        ActionsSuppressor="wire-calm",
        ActionsSuppressorWaitPeriod=60,
        ActionsSuppressorExtensionPeriod=60,
        Tags=[{"Key": "owner", "Value": "news"}],
    )
    yield client
    client.delete_alarms(AlarmNames=NAMES)


@pytest.fixture
def cloudwatch(alarms):
    """Both metric alarms are OK."""
    for name in NAMES[:2]:
        alarms.set_alarm_state(AlarmName=name, StateValue="OK", StateReason="test")
    return alarms


def test_alarms_and_their_history_have_botocores_shapes(cloudwatch):
    checked(
        cloudwatch,
        "SetAlarmState",
        AlarmName="wire-busy",
        StateValue="ALARM",
        StateReason="test",
        StateReasonData="{}",
    )

    described = checked(
        cloudwatch, "DescribeAlarms", AlarmNames=NAMES, AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )
    of_metric = checked(
        cloudwatch, "DescribeAlarmsForMetric", Namespace="News", MetricName="NeverPublished"
    )
    history = checked(
        cloudwatch,
        "DescribeAlarmHistory",
        AlarmName="wire-outage",
        AlarmTypes=["CompositeAlarm"],
        HistoryItemType="StateUpdate",
    )

    (composite,) = described["CompositeAlarms"]
    assert [each["AlarmName"] for each in described["MetricAlarms"]] == NAMES[:2]
    assert composite["StateValue"] == "ALARM"
    assert composite["ActionsSuppressedBy"] == "WaitPeriod"
    assert composite["ActionsSuppressedReason"] == "Actions suppressed by WaitPeriod"
    assert {each["AlarmName"] for each in of_metric["MetricAlarms"]} == set(NAMES[:2])
    assert history["AlarmHistoryItems"][0]["HistorySummary"] == "Alarm updated from OK to ALARM"


def test_kin_actions_and_tags_have_botocores_shapes(cloudwatch):
    children = checked(cloudwatch, "DescribeAlarms", ChildrenOfAlarmName="wire-outage")
    parents = checked(cloudwatch, "DescribeAlarms", ParentsOfAlarmName="wire-busy")
    checked(cloudwatch, "DisableAlarmActions", AlarmNames=NAMES)
    disabled = cloudwatch.describe_alarms(AlarmNames=["wire-busy"])["MetricAlarms"][0]
    checked(cloudwatch, "EnableAlarmActions", AlarmNames=NAMES)
    arn = disabled["AlarmArn"].replace("wire-busy", "wire-outage")
    tag = {"Key": "environment", "Value": "production"}
    checked(cloudwatch, "TagResource", ResourceARN=arn, Tags=[tag])
    checked(cloudwatch, "UntagResource", ResourceARN=arn, TagKeys=["owner"])

    tags = checked(cloudwatch, "ListTagsForResource", ResourceARN=arn)["Tags"]

    assert [each["AlarmName"] for each in children["MetricAlarms"]] == NAMES[:2]
    assert [each["AlarmName"] for each in parents["CompositeAlarms"]] == ["wire-outage"]
    assert disabled["ActionsEnabled"] is False
    assert tags == [tag]


@pytest.mark.parametrize(
    ("operation", "parameters", "error"),
    [
        ("put_metric_alarm", {**METRIC, "Period": 61}, "ValidationError"),
        ("put_composite_alarm", {"AlarmName": "x", "AlarmRule": "RED(y)"}, "ValidationError"),
        (
            "set_alarm_state",
            {"AlarmName": "unknown", "StateValue": "OK", "StateReason": ""},
            "ResourceNotFound",
        ),
        (
            "set_alarm_state",
            {
                "AlarmName": "wire-busy",
                "StateValue": "OK",
                "StateReason": "",
                "StateReasonData": "{",
            },
            "InvalidFormat",
        ),
        ("describe_alarms", {"NextToken": "bm90IG91cnM="}, "InvalidNextToken"),
        ("describe_alarm_history", {"NextToken": "bm90IG91cnM="}, "InvalidNextToken"),
        ("delete_alarms", {"AlarmNames": ["unknown"]}, "ResourceNotFound"),
        ("delete_alarms", {"AlarmNames": ["wire-busy"]}, "ValidationError"),
        (
            "list_tags_for_resource",
            {"ResourceARN": "arn:aws:cloudwatch:::alarm:x"},
            "ResourceNotFoundException",
        ),
    ],
)
def test_refusals_are_named_as_cloudwatch_names_them(cloudwatch, operation, parameters, error):
    with pytest.raises(ClientError) as refused:
        getattr(cloudwatch, operation)(**parameters)

    assert refused.value.response["Error"]["Code"] == error


def test_a_subscriber_of_the_topic_receives_the_notification(account, cloudwatch):
    topic, url = subscribed(account, "wire-oncall")
    cloudwatch.put_metric_alarm(**{**METRIC, "AlarmName": "wire-busy", "AlarmActions": [topic]})

    cloudwatch.set_alarm_state(AlarmName="wire-busy", StateValue="ALARM", StateReason="a test")

    envelope = received(account, url)
    message = json.loads(envelope["Message"])
    assert envelope["Subject"] == 'ALARM: "wire-busy" in US East (N. Virginia)'
    assert (message["OldStateValue"], message["NewStateValue"]) == ("OK", "ALARM")
    assert message["NewStateReason"] == "a test"
    (item,) = wait_until(lambda: actions(cloudwatch, "wire-busy"))
    assert item["HistorySummary"] == f"Successfully executed action {topic}"


def test_the_world_is_watched_and_the_oncall_topic_is_told(account, cloudwatch):
    named = cloudwatch.describe_alarms(
        AlarmNamePrefix="news-", AlarmTypes=["MetricAlarm", "CompositeAlarm"]
    )

    found = {each["AlarmName"]: each for each in named["MetricAlarms"] + named["CompositeAlarms"]}
    assert {
        "news-api-5xx-ratio",
        "news-api-p99-latency",
        "news-api-unhealthy-hosts",
        "news-api-cpu-high",
        "news-db-cpu-high",
        "news-db-free-storage-low",
        "news-cache-memory-high",
        "news-api-unavailable",
    } <= found.keys()
    (topic,) = found["news-api-unavailable"]["AlarmActions"]
    known = account.client("sns").list_topics()["Topics"]
    assert {"TopicArn": topic} in known


def actions(cloudwatch, name):
    answer = cloudwatch.describe_alarm_history(AlarmName=name, HistoryItemType="Action")
    return answer["AlarmHistoryItems"]
