"""CloudWatch Logs through boto3: groups, streams, events and metric filters."""

from __future__ import annotations

import json
import time

import pytest
from botocore import xform_name

from sandbox.honesty import REFUSED, notes_of
from sandbox.logs.refused import OPERATIONS, Refused
from tests.sandbox.account import wait_until
from tests.sandbox.contract import MODELS, checked

DAY_MS = 86_400_000


@pytest.fixture
def logs(account):
    return account.client("logs")


@pytest.fixture
def group(logs, request):
    """An empty group of the test's own with one stream, `s`."""
    name = f"/test/{request.node.name[:60].split('[')[0]}"
    checked(logs, "CreateLogGroup", logGroupName=name, tags={"team": "news"})
    checked(logs, "CreateLogStream", logGroupName=name, logStreamName="s")
    yield name
    logs.delete_log_group(logGroupName=name)


def now():
    return int(time.time() * 1000)


def put(logs, group, *messages, at=None, step=1, stream="s"):
    """Put messages a millisecond apart; returns the answer."""
    begin = now() - len(messages) * step if at is None else at
    events = [{"timestamp": begin + n * step, "message": m} for n, m in enumerate(messages)]
    return checked(logs, "PutLogEvents", logGroupName=group, logStreamName=stream, logEvents=events)


def refusal(logs, method, **parameters):
    with pytest.raises(logs.exceptions.ClientError) as refused:
        getattr(logs, method)(**parameters)
    return refused.value.response["Error"]["Code"]


def test_the_world_has_log_groups_with_their_retention(logs):
    found = checked(logs, "DescribeLogGroups", logGroupNamePrefix="/ecs/")["logGroups"]

    kept = {group["logGroupName"]: group.get("retentionInDays") for group in found}
    assert kept["/ecs/news-api"] == 30
    assert kept["/ecs/staging/news-api"] == 7
    assert kept["/ecs/news-ingest"] is None


def test_a_group_is_found_by_prefix_pattern_class_and_arn(logs, group):
    (shown,) = checked(logs, "DescribeLogGroups", logGroupNamePrefix=group)["logGroups"]
    arn = shown["logGroupArn"]

    assert shown["arn"] == f"{arn}:*"
    for asked in ({"logGroupNamePattern": group[6:].upper()}, {"logGroupIdentifiers": [arn]}):
        (found,) = logs.describe_log_groups(**asked)["logGroups"]
        assert found["logGroupName"] == group
    assert logs.describe_log_groups(logGroupClass="INFREQUENT_ACCESS")["logGroups"] == []
    listed = checked(logs, "ListLogGroups", logGroupNamePattern=f"^{group}$")["logGroups"]
    assert listed == [
        {"logGroupName": group, "logGroupArn": arn, "logGroupClass": "STANDARD"},
    ]


def test_groups_come_by_page(logs, group):
    pages = logs.get_paginator("describe_log_groups").paginate(PaginationConfig={"PageSize": 1})

    names = [[each["logGroupName"] for each in page["logGroups"]] for page in pages]

    assert all(len(page) == 1 for page in names)
    assert [group] in names
    assert refusal(logs, "describe_log_groups", nextToken="made-up") == "InvalidParameterException"


def test_retention_takes_the_days_aws_takes(logs, group):
    checked(logs, "PutRetentionPolicy", logGroupName=group, retentionInDays=14)
    assert (
        logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["retentionInDays"] == 14
    )

    checked(logs, "DeleteRetentionPolicy", logGroupName=group)

    assert (
        "retentionInDays" not in logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]
    )
    asked = {"logGroupName": group, "retentionInDays": 15}
    assert refusal(logs, "put_retention_policy", **asked) == "InvalidParameterException"


def test_tags_of_a_group(logs, group):
    arn = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"][0]["logGroupArn"]

    checked(logs, "TagResource", resourceArn=arn, tags={"stage": "test"})
    checked(logs, "UntagResource", resourceArn=arn, tagKeys=["team"])
    checked(logs, "TagLogGroup", logGroupName=group, tags={"more": "1"})
    checked(logs, "UntagLogGroup", logGroupName=group, tags=["stage"])

    assert checked(logs, "ListTagsForResource", resourceArn=arn)["tags"] == {"more": "1"}
    assert checked(logs, "ListTagsLogGroup", logGroupName=group)["tags"] == {"more": "1"}


def test_streams_by_name_and_by_last_event(logs, group):
    for name in ("a", "b"):
        logs.create_log_stream(logGroupName=group, logStreamName=name)
    put(logs, group, "late", stream="a", at=now() + 60_000)
    put(logs, group, "early", stream="s", at=now() - 60_000)

    def names(**asked):
        found = checked(logs, "DescribeLogStreams", logGroupName=group, **asked)["logStreams"]
        return [stream["logStreamName"] for stream in found]

    assert names() == ["a", "b", "s"]
    assert names(logStreamNamePrefix="b") == ["b"]
    assert names(orderBy="LastEventTime", descending=True) == ["a", "b", "s"]
    assert names(orderBy="LastEventTime") == ["s", "b", "a"]
    checked(logs, "DeleteLogStream", logGroupName=group, logStreamName="a")
    assert names() == ["b", "s"]


def test_a_batch_is_sorted_out_as_aws_does(logs, group):
    logs.put_retention_policy(logGroupName=group, retentionInDays=3)
    times = [now() - 20 * DAY_MS, now() - 5 * DAY_MS, now(), now() + 3 * 3_600_000]
    events = [{"timestamp": at, "message": f"m{n}"} for n, at in enumerate(times)]

    answer = checked(logs, "PutLogEvents", logGroupName=group, logStreamName="s", logEvents=events)

    assert answer["rejectedLogEventsInfo"] == {
        "tooOldLogEventEndIndex": 1,
        "expiredLogEventEndIndex": 2,
        "tooNewLogEventStartIndex": 3,
    }
    assert [event["message"] for event in _all(logs, group)] == ["m2"]


@pytest.mark.parametrize(
    "offsets",
    [
        pytest.param([(0, "b"), (-1, "a")], id="disorder"),
        pytest.param([(-25 * 3_600_000, "a"), (0, "b")], id="more than a day"),
        pytest.param([(0, "x" * 1_048_577)], id="too large"),
        pytest.param([(0, "x" * 600_000), (1, "y" * 600_000)], id="too much"),
    ],
)
def test_a_wrong_batch_is_refused_whole(logs, group, offsets):
    begin = now()
    events = [{"timestamp": begin + offset, "message": text} for offset, text in offsets]
    asked = {"logGroupName": group, "logStreamName": "s", "logEvents": events}

    assert refusal(logs, "put_log_events", **asked) == "InvalidParameterException"
    assert _all(logs, group) == []


def _all(logs, group, **asked):
    return checked(logs, "FilterLogEvents", logGroupName=group, **asked)["events"]


def test_stored_bytes_are_those_of_the_events(logs, group):
    put(logs, group, "12345", "åä")

    (shown,) = logs.describe_log_groups(logGroupNamePrefix=group)["logGroups"]

    assert shown["storedBytes"] == 5 + 4 + 2 * 26


def test_events_of_a_stream_forwards_and_backwards(logs, group):
    put(logs, group, *(str(number) for number in range(10)))

    def get(**asked):
        answer = checked(logs, "GetLogEvents", logGroupName=group, logStreamName="s", **asked)
        return "".join(event["message"] for event in answer["events"]), answer

    tail, answer = get(limit=4)
    before, earlier = get(limit=4, nextToken=answer["nextBackwardToken"])
    again, _ = get(limit=4, nextToken=earlier["nextForwardToken"], startFromHead=True)
    end, over = get(nextToken=answer["nextForwardToken"], startFromHead=True)

    assert (tail, before, again, end) == ("6789", "2345", "6789", "")
    assert over["nextForwardToken"] == answer["nextForwardToken"]
    assert get(limit=3, startFromHead=True)[0] == "012"
    first = answer["events"][0]["timestamp"]
    assert get(startTime=first, endTime=first + 2)[0] == "67"
    asked = {"logGroupName": group, "logStreamName": "s", "nextToken": "x"}
    assert refusal(logs, "get_log_events", **asked) == "InvalidParameterException"


def test_a_token_for_the_end_leads_to_what_is_put_later(logs, group):
    asked = {"logGroupName": group, "logStreamName": "s"}
    tokens = [logs.get_log_events(**asked)["nextForwardToken"]]
    for message in ("one", "two"):
        put(logs, group, message)
        answer = logs.get_log_events(**asked, nextToken=tokens[-1], startFromHead=True)
        tokens.append(answer["nextForwardToken"])

        assert [event["message"] for event in answer["events"]] == [message]


def test_filtered_events_by_pattern_stream_and_time(logs, group):
    logs.create_log_stream(logGroupName=group, logStreamName="t")
    begin = now() - 10
    put(logs, group, "ERROR one", "INFO two", at=begin)
    put(logs, group, "ERROR three", at=begin + 5, stream="t")

    def found(**asked):
        return [event["message"] for event in _all(logs, group, **asked)]

    assert found() == ["ERROR one", "INFO two", "ERROR three"]
    assert found(filterPattern="ERROR") == ["ERROR one", "ERROR three"]
    assert found(logStreamNames=["t"]) == ["ERROR three"]
    assert found(logStreamNamePrefix="s", filterPattern="-ERROR") == ["INFO two"]
    assert found(startTime=begin + 1, endTime=begin + 5) == ["INFO two", "ERROR three"]
    assert found(startTime=begin, startFromHead=False) == ["ERROR three", "INFO two", "ERROR one"]


def test_an_empty_page_is_not_the_end(logs, group):
    for _ in range(3):
        put(logs, group, *["noise"] * 10_000, step=0)
    put(logs, group, "needle", at=now() + 1000)

    first = checked(logs, "FilterLogEvents", logGroupName=group, filterPattern="needle")
    second = logs.filter_log_events(
        logGroupName=group, filterPattern="needle", nextToken=first["nextToken"]
    )

    assert first["events"] == []
    assert [event["message"] for event in second["events"]] == ["needle"]
    assert "nextToken" not in second
    asked = {"logGroupName": group, "filterPattern": "other", "nextToken": first["nextToken"]}
    assert refusal(logs, "filter_log_events", **asked) == "InvalidParameterException"


def test_metric_filters_are_stored_and_tried_out(logs, group):
    change = {"metricNamespace": "News", "metricName": "Slow", "metricValue": "$.ms"}
    checked(
        logs,
        "PutMetricFilter",
        logGroupName=group,
        filterName="slow",
        filterPattern="{ $.ms > 100 }",
        metricTransformations=[change | {"unit": "Milliseconds"}],
    )

    (shown,) = checked(logs, "DescribeMetricFilters", logGroupName=group)["metricFilters"]
    by_metric = logs.describe_metric_filters(metricName="Slow", metricNamespace="News")
    tried = checked(
        logs,
        "TestMetricFilter",
        filterPattern="{ $.ms > 100 }",
        logEventMessages=['{"ms": 5}', '{"ms": 500}'],
    )

    assert shown["filterPattern"] == "{ $.ms > 100 }"
    assert by_metric["metricFilters"] == [shown]
    assert tried["matches"] == [
        {"eventNumber": 2, "eventMessage": '{"ms": 500}', "extractedValues": {"$.ms": "500"}}
    ]
    checked(logs, "DeleteMetricFilter", logGroupName=group, filterName="slow")
    assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []


def test_a_metric_filter_publishes_to_cloudwatch(account, logs, group):
    logs.put_metric_filter(
        logGroupName=group,
        filterName="errors",
        filterPattern="{ $.status >= 500 }",
        metricTransformations=[
            {"metricNamespace": "Filtered", "metricName": "Errors", "metricValue": "1"}
        ],
    )
    put(logs, group, *(json.dumps({"status": status}) for status in (200, 500, 503)))

    def counted():
        answer = account.client("cloudwatch").get_metric_statistics(
            Namespace="Filtered",
            MetricName="Errors",
            StartTime=(now() - 600_000) / 1000,
            EndTime=(now() + 60_000) / 1000,
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    assert wait_until(counted, 20) == 2


TRANSFORMATION = {"metricNamespace": "News", "metricName": "M", "metricValue": "1"}


@pytest.mark.parametrize(
    ("method", "parameters", "code"),
    [
        ("create_log_group", {"logGroupName": "/ecs/news-api"}, "ResourceAlreadyExistsException"),
        ("create_log_group", {"logGroupName": "with space"}, "InvalidParameterException"),
        ("create_log_group", {"logGroupName": "k", "kmsKeyId": "key"}, "InvalidParameterException"),
        ("delete_log_group", {"logGroupName": "none"}, "ResourceNotFoundException"),
        (
            "create_log_stream",
            {"logGroupName": "/ecs/news-api", "logStreamName": "a:b"},
            "InvalidParameterException",
        ),
        ("describe_log_streams", {"logGroupName": "none"}, "ResourceNotFoundException"),
        ("describe_log_streams", {}, "InvalidParameterException"),
        (
            "describe_log_streams",
            {"logGroupName": "/ecs/news-api", "limit": 51},
            "InvalidParameterException",
        ),
        (
            "put_log_events",
            {
                "logGroupName": "/ecs/news-api",
                "logStreamName": "none",
                "logEvents": [{"timestamp": 1, "message": "m"}],
            },
            "ResourceNotFoundException",
        ),
        (
            "get_log_events",
            {"logGroupName": "/ecs/news-api", "logStreamName": "none"},
            "ResourceNotFoundException",
        ),
        (
            "filter_log_events",
            {"logGroupName": "/ecs/news-api", "filterPattern": "a:b"},
            "InvalidParameterException",
        ),
        (
            "filter_log_events",
            {"logGroupName": "/ecs/news-api", "logStreamNames": ["none"]},
            "ResourceNotFoundException",
        ),
        (
            "filter_log_events",
            {"logGroupName": "/ecs/news-api", "startFromHead": False},
            "InvalidParameterException",
        ),
        (
            "put_metric_filter",
            {
                "logGroupName": "/ecs/news-api",
                "filterName": "f",
                "filterPattern": "ERROR",
                "metricTransformations": [TRANSFORMATION | {"metricNamespace": "AWS/ECS"}],
            },
            "InvalidParameterException",
        ),
        (
            "put_metric_filter",
            {
                "logGroupName": "/ecs/news-api",
                "filterName": "f",
                "filterPattern": "ERROR",
                "metricTransformations": [
                    TRANSFORMATION | {"defaultValue": 0.0, "dimensions": {"a": "$.a"}}
                ],
            },
            "InvalidParameterException",
        ),
        (
            "delete_metric_filter",
            {"logGroupName": "/ecs/news-api", "filterName": "none"},
            "ResourceNotFoundException",
        ),
        (
            "put_subscription_filter",
            {
                "logGroupName": "/ecs/news-api",
                "filterName": "f",
                "filterPattern": "",
                "destinationArn": "arn",
            },
            "UnknownOperationException",
        ),
        ("describe_export_tasks", {}, "UnknownOperationException"),
    ],
)
def test_refusals_carry_awss_names(logs, method, parameters, code):
    assert refusal(logs, method, **parameters) == code


def _kinds(operation):
    return [note.kind for note in notes_of(getattr(Refused(), xform_name(operation)))]


def test_every_operation_is_served_or_refused_by_name():
    known = set(MODELS.get_service_model("logs").operation_names)

    assert {kind for name in OPERATIONS for kind in _kinds(name)} == {REFUSED}
    assert known - set(OPERATIONS) == set(SERVED)


SERVED = {
    *("CreateLogGroup", "DeleteLogGroup", "DescribeLogGroups", "ListLogGroups"),
    *("PutRetentionPolicy", "DeleteRetentionPolicy", "CreateLogStream", "DeleteLogStream"),
    *("DescribeLogStreams", "PutLogEvents", "GetLogEvents", "FilterLogEvents", "GetLogRecord"),
    *("TagResource", "UntagResource", "ListTagsForResource", "TagLogGroup", "UntagLogGroup"),
    *("ListTagsLogGroup", "PutMetricFilter", "DescribeMetricFilters", "DeleteMetricFilter"),
    *("TestMetricFilter", "StartQuery", "GetQueryResults", "StopQuery", "DescribeQueries"),
    *("ListLogGroupsForQuery", "PutQueryDefinition", "DescribeQueryDefinitions"),
    *("DeleteQueryDefinition", "GetLogGroupFields"),
}
