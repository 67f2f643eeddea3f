"""The policies we ship allow what the code asks for, and nothing else."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.aws_calls import used

ROOT = Path(__file__).resolve().parents[1]
# The prefix of IAM actions where it is not the name of the client.
PREFIX = {"elbv2": "elasticloadbalancing"}
# Allowed without a policy, or a side effect of another action.
IMPLIED = {"sts:GetCallerIdentity", "ecs:TagResource", "iam:PassRole"}


def actions_used() -> set[str]:
    return {f"{PREFIX.get(service, service)}:{operation}" for service, operation in used()}


def actions_allowed() -> set[str]:
    return {
        action
        for path in sorted((ROOT / "infra" / "iam").glob("*.json"))
        for statement in json.loads(path.read_text())["Statement"]
        for action in statement["Action"]
    }


def test_every_call_is_allowed_by_a_policy_we_ship():
    assert actions_used() - actions_allowed() - IMPLIED == set()


def test_no_policy_allows_what_is_never_called():
    assert actions_allowed() - actions_used() - IMPLIED == set()


@pytest.mark.parametrize("path", sorted((ROOT / "infra" / "iam").glob("*.json")), ids=str)
def test_no_policy_has_a_wildcard_action(path):
    for statement in json.loads(path.read_text())["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
