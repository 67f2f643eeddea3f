"""Every listing that boto3 can page gives each item once, and takes only its own tokens."""

from __future__ import annotations

import json
from functools import partial

import jmespath
import pytest
from botocore import xform_name
from botocore.exceptions import ClientError

from sandbox import tokens
from tests.sandbox.account import wait_until
from tests.sandbox.wire.questions import NAMES, ONE_PAGE, question

SERVICES = (
    "application-autoscaling",
    "budgets",
    "ce",
    "cloudwatch",
    "cost-optimization-hub",
    "ecr",
    "ecs",
    "elasticache",
    "iam",
    "inspector2",
    "logs",
    "rds",
    "secretsmanager",
)
# GetMetricData's points of one query run over many pages, and a budget's history is one item.
LISTS = {
    "DescribeBudgetPerformanceHistory": "BudgetPerformanceHistory.BudgetedAndActualAmountsList"
}
NOT_LISTS = {"GetMetricData"}
LEAST = {"rds": 20, "elasticache": 20, "ListLogGroupsForQuery": 50}
MOST = {"GetCostComparisonDrivers": 10}


def pageable(account):
    """(service, operation) of what the sandbox serves itself and boto3 can page."""
    return [
        (service["service"], row["operation"])
        for service in account.control("GET", "operations")["services"]
        for row in service["operations"]
        if row["by"] == "ours"
        and not any(note["kind"] == "refused" for note in row["notes"])
        and account.client(service["service"]).can_paginate(xform_name(row["operation"]))
        and row["operation"] not in NOT_LISTS
    ]


def operations(account, service):
    return [operation for owner, operation in pageable(account) if owner == service]


def read(account, service, operation, asked, size=None):
    """What tells the items apart, page by page."""
    paginator = account.client(service).get_paginator(xform_name(operation))
    keys = paginator.result_keys
    config = {"PageSize": size} if size else {}
    return [
        [
            _identity(operation, item)
            for key in keys
            for item in (jmespath.search(LISTS.get(operation, key.expression), page) or [])
        ]
        for page in paginator.paginate(**asked, PaginationConfig=config)
    ]


def read_at_rest(account, service, operation):
    """All items, small pages and their size; None when the items changed meanwhile.

    The account lives: it publishes metrics, evaluates alarms and ends queries.
    """
    asked = question(account, service, operation)
    whole = _flat(read(account, service, operation, asked))
    limited = account.client(service).get_paginator(xform_name(operation))._limit_key
    size = _size(service, operation, len(whole)) if limited else None
    pages = read(account, service, operation, asked, size)
    same = _flat(read(account, service, operation, asked)) == whole
    return (whole, pages, size) if same else None


def _identity(operation, item):
    name = NAMES.get(operation)
    known = item[name] if name and name in item else item
    return json.dumps(known, default=str, sort_keys=True)


def _flat(pages):
    return [item for page in pages for item in page]


def _size(service, operation, number):
    """A size that makes about three pages, where the service allows it."""
    least = LEAST.get(operation, LEAST.get(service, 1))
    return min(max(least, number // 3), MOST.get(operation, 50))


def test_every_service_with_pages_is_here(account):
    assert {service for service, _ in pageable(account)} <= set(SERVICES)


@pytest.mark.parametrize("service", SERVICES)
def test_small_pages_hold_what_one_page_holds(account, service):
    for operation in operations(account, service):
        whole, pages, size = wait_until(partial(read_at_rest, account, service, operation))

        assert _flat(pages) == whole, operation
        assert size is None or all(len(page) <= size for page in pages), operation


@pytest.mark.parametrize("service", SERVICES)
def test_a_token_of_somebody_else_is_refused(account, service):
    foreign = tokens.write([1], {"of": "another request"})
    client = account.client(service)
    for operation in set(operations(account, service)) - ONE_PAGE:
        name = client.get_paginator(xform_name(operation))._input_token[0]
        asked = question(account, service, operation)
        for token in (foreign, "made-up", "é✓"):
            with pytest.raises(ClientError) as refused:
                getattr(client, xform_name(operation))(**asked | {name: token})

            assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400, operation
            assert "okenExc" in _code(refused) or _code(refused) in REFUSALS[service], operation


def test_a_token_of_another_operation_is_refused(account):
    cloudwatch = account.client("cloudwatch")
    token = cloudwatch.describe_alarms(MaxRecords=1)["NextToken"]

    with pytest.raises(ClientError) as refused:
        cloudwatch.describe_alarm_history(MaxRecords=1, NextToken=token)

    assert _code(refused) == "InvalidNextToken"


REFUSALS = {
    "ce": {"RequestChangedException"},
    "cloudwatch": {"InvalidNextToken", "InvalidParameterValue"},
    "cost-optimization-hub": {"ValidationException"},
    "ecr": {"InvalidParameterException"},
    "ecs": {"InvalidParameterException"},
    "elasticache": {"InvalidParameterValue"},
    "iam": {"InvalidInput"},
    "inspector2": {"ValidationException"},
    "logs": {"InvalidParameterException"},
    "rds": {"InvalidParameterValue"},
}


def _code(refused):
    return refused.value.response["Error"]["Code"]
