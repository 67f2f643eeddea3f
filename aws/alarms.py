"""The state of CloudWatch alarms that guard a deployment.

ECS itself asks DescribeAlarms while it deploys and misses rollbacks when the account is
throttled, so this is asked once per preflight, for all names at once.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from aws import clients
from aws.errors import required, rows
from aws.paging import pages

OPERATION = "cloudwatch:DescribeAlarms"
NAMES_PER_CALL = 100


@cache
def client() -> Any:
    return clients.make("cloudwatch")


def states(names: Sequence[str]) -> dict[str, str]:
    """Return OK, ALARM or INSUFFICIENT_DATA by alarm name; alarms that do not exist are left out.

    :raises AwsError: see `aws.errors`.
    """
    found: dict[str, str] = {}
    for start in range(0, len(names), NAMES_PER_CALL):
        # As many as there are names: a page holds 50 unless more are asked for.
        listed = pages(
            client().get_paginator("describe_alarms"),
            OPERATION,
            AlarmNames=list(names[start : start + NAMES_PER_CALL]),
            AlarmTypes=["MetricAlarm", "CompositeAlarm"],
            MaxRecords=NAMES_PER_CALL,
        )
        for page in listed:
            found |= _states(page)
    return found


def _states(page: Mapping[str, Any]) -> dict[str, str]:
    listed = [
        row for kind in ("MetricAlarms", "CompositeAlarms") for row in rows(page, kind, OPERATION)
    ]
    return {
        required(row, "AlarmName", OPERATION): required(row, "StateValue", OPERATION)
        for row in listed
    }
