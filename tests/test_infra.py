"""The policies we ship allow what the code asks for, and nothing else."""

from __future__ import annotations

import ast
import json
from pathlib import Path

import pytest
from botocore import xform_name
from botocore.session import Session

ROOT = Path(__file__).resolve().parents[1]
# The prefix of IAM actions where it is not the name of the client.
PREFIX = {"elbv2": "elasticloadbalancing"}
# Allowed without a policy, or a side effect of another action.
IMPLIED = {"sts:GetCallerIdentity", "ecs:TagResource", "iam:PassRole"}


def calls_in(path: Path) -> set[tuple[str, str]]:
    """Return the pairs of client name and method that a module of aws/ uses."""
    tree = ast.parse(path.read_text())
    made = {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "make"
    }
    methods = {
        node.func.attr
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    methods |= {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "get_paginator"
    }
    return {(service, method) for service in made for method in methods}


def actions_used() -> set[str]:
    session = Session()
    used = set()
    for path in sorted((ROOT / "aws").rglob("*.py")):
        for service, method in calls_in(path):
            names = session.get_service_model(service).operation_names
            used |= {
                f"{PREFIX.get(service, service)}:{name}"
                for name in names
                if xform_name(name) == method
            }
    return used


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
    reserved = {"cloudwatch:DescribeAlarms", "cloudwatch:ListMetrics"}

    assert actions_allowed() - actions_used() - IMPLIED - reserved == set()


@pytest.mark.parametrize("path", sorted((ROOT / "infra" / "iam").glob("*.json")), ids=str)
def test_no_policy_has_a_wildcard_action(path):
    for statement in json.loads(path.read_text())["Statement"]:
        assert not [action for action in statement["Action"] if "*" in action]
