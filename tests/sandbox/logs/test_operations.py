"""Every operation of CloudWatch Logs is served or refused, under AWS's names."""

from __future__ import annotations

import pytest
from botocore import xform_name

from sandbox.honesty import REFUSED, notes_of
from sandbox.logs.refused import OPERATIONS
from sandbox.refused import RefusedByName
from tests.sandbox.contract import MODELS
from tests.sandbox.logs.asking import refusal

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
    refusals = RefusedByName("logs", OPERATIONS, "UnknownOperationException")
    return [note.kind for note in notes_of(getattr(refusals, xform_name(operation)))]


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
