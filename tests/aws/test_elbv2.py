from __future__ import annotations

import pytest

from aws import elbv2
from tests.aws.stubs import stubbed

_ELB = "arn:aws:elasticloadbalancing:us-east-1:123456789012"
GROUP = f"{_ELB}:targetgroup/news-api-blue/0123456789abcdef"
OTHER = f"{_ELB}:targetgroup/news-api-green/fedcba9876543210"
BALANCER = f"{_ELB}:loadbalancer/app/news-production/0011223344556677"
RULE = f"{_ELB}:listener-rule/app/news-production/0011223344556677/1/2"


@pytest.fixture
def stub(monkeypatch):
    with stubbed(monkeypatch, elbv2, "elbv2") as stubber:
        yield stubber


def test_a_target_group_knows_its_load_balancer(stub):
    stub.add_response(
        "describe_target_groups",
        {
            "TargetGroups": [
                {
                    "TargetGroupArn": GROUP,
                    "TargetGroupName": "news-api-blue",
                    "LoadBalancerArns": [BALANCER],
                }
            ]
        },
        {"TargetGroupArns": [GROUP]},
    )

    [found] = elbv2.target_groups([GROUP])

    assert found.dimension == "targetgroup/news-api-blue/0123456789abcdef"
    assert found.load_balancer == "app/news-production/0011223344556677"


def test_no_target_groups_ask_nothing(stub):
    assert elbv2.target_groups([]) == []


def test_weights_are_read_from_the_rule(stub):
    forward = {
        "TargetGroups": [
            {"TargetGroupArn": GROUP, "Weight": 90},
            {"TargetGroupArn": OTHER, "Weight": 10},
        ]
    }
    stub.add_response(
        "describe_rules",
        {"Rules": [{"RuleArn": RULE, "Actions": [{"Type": "forward", "ForwardConfig": forward}]}]},
        {"RuleArns": [RULE]},
    )

    assert elbv2.rule_weights(RULE) == {GROUP: 90, OTHER: 10}


def test_targets_are_counted_by_health(stub):
    states = ["healthy", "healthy", "unhealthy", "draining"]
    stub.add_response(
        "describe_target_health",
        {
            "TargetHealthDescriptions": [
                {"Target": {"Id": "10.0.0.1"}, "TargetHealth": {"State": state}} for state in states
            ]
        },
        {"TargetGroupArn": GROUP},
    )

    assert elbv2.target_health(GROUP) == elbv2.TargetHealth(healthy=2, unhealthy=1, other=1)
