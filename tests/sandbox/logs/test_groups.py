"""Log groups are found, kept for their days and tagged as CloudWatch Logs does it."""

from __future__ import annotations

import yaml

from tests.sandbox.account import ROOT
from tests.sandbox.contract import checked
from tests.sandbox.logs.asking import refusal


def test_the_world_has_log_groups_with_their_retention(logs):
    found = checked(logs, "DescribeLogGroups", logGroupNamePrefix="/ecs/")["logGroups"]

    kept = {group["logGroupName"]: group.get("retentionInDays") for group in found}
    assert kept["/ecs/news-api"] == 30
    assert kept["/ecs/staging/news-api"] == 7
    assert kept["/ecs/news-ingest"] is None


def test_the_portal_knows_where_its_services_log(logs):
    entries = yaml.safe_load((ROOT / "services.yaml").read_text())["services"]

    found = logs.describe_log_groups(logGroupNamePrefix="/ecs/")["logGroups"]

    assert {entry["log_group"] for entry in entries} <= {one["logGroupName"] for one in found}


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
