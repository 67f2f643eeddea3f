"""What ECS refuses in a question: other clusters' identifiers, words it does not know."""

from __future__ import annotations

import re

import pytest


@pytest.mark.parametrize(
    ("operation", "wrong", "said"),
    [
        ("list_tasks", {"desiredStatus": "GONE"}, "one of [RUNNING,PENDING,STOPPED]"),
        ("list_tasks", {"startedBy": "me", "family": "x"}, "the only filter"),
        ("list_service_deployments", {"service": "news-api", "status": ["SO-SO"]}, "one of [PEN"),
        ("describe_tasks", {"tasks": ["short"]}, "taskId length should be one of [32,36]"),
        (
            "describe_tasks",
            {"tasks": [f"arn:aws:ecs:us-east-1:123456789012:task/staging/{'0' * 32}"]},
            "Invalid identifier: Identifier is for staging. Your cluster is production",
        ),
        (
            "describe_services",
            {"services": ["arn:aws:ecs:us-east-1:123456789012:service/staging/news-api"]},
            "Invalid identifier: Identifier is for staging. Your cluster is production",
        ),
        (
            "update_service",
            {"service": "news-ingest", "healthCheckGracePeriodSeconds": 30},
            "is only valid for services configured to use load balancers",
        ),
    ],
)
def test_what_cannot_be_asked_for_is_refused_in_ecs_words(account, operation, wrong, said):
    with pytest.raises(account.ecs.exceptions.InvalidParameterException, match=re.escape(said)):
        getattr(account.ecs, operation)(cluster="production", **wrong)
