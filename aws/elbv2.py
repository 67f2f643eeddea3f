"""What the portal reads of Application Load Balancers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from aws import clients
from aws.errors import required, rows, translated

if TYPE_CHECKING:
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client

TARGET_GROUPS = "elasticloadbalancing:DescribeTargetGroups"
RULES = "elasticloadbalancing:DescribeRules"
TARGET_HEALTH = "elasticloadbalancing:DescribeTargetHealth"
# DescribeTargetGroups and DescribeLoadBalancers take this many ARNs.
ARNS_PER_CALL = 20


@dataclass(frozen=True, slots=True)
class TargetGroup:
    """`dimension` and `load_balancer` are CloudWatch's names: `targetgroup/…`, `app/…`."""

    arn: str
    name: str
    dimension: str
    load_balancer: str


@dataclass(frozen=True, slots=True)
class TargetHealth:
    """Numbers of targets; `other` are those starting, draining or unused."""

    healthy: int
    unhealthy: int
    other: int


@cache
def client() -> ElasticLoadBalancingv2Client:
    return clients.make("elbv2")  # type: ignore[no-any-return]


def target_groups(arns: Sequence[str]) -> list[TargetGroup]:
    """Return the target groups with the load balancer that sends to them ("" for none).

    :raises AwsError: see `aws.errors`.
    """
    found: list[TargetGroup] = []
    for start in range(0, len(arns), ARNS_PER_CALL):
        with translated(TARGET_GROUPS):
            answer = client().describe_target_groups(
                TargetGroupArns=arns[start : start + ARNS_PER_CALL]
            )
        found += [_target_group(row) for row in rows(answer, "TargetGroups", TARGET_GROUPS)]
    return found


def _target_group(row: Any) -> TargetGroup:
    arn = required(row, "TargetGroupArn", TARGET_GROUPS)
    balancers = row.get("LoadBalancerArns", [])
    return TargetGroup(
        arn=arn,
        name=required(row, "TargetGroupName", TARGET_GROUPS),
        dimension=arn.rpartition(":")[2],
        load_balancer=dimension(balancers[0]) if balancers else "",
    )


def dimension(load_balancer_arn: str) -> str:
    """Return CloudWatch's name of a load balancer: `app/<name>/<id>`."""
    return load_balancer_arn.rpartition(":loadbalancer/")[2]


def rule_weights(rule_arn: str) -> dict[str, int]:
    """Return the weight of each target group (ARN) that a listener rule forwards to.

    :raises AwsError: see `aws.errors`.
    """
    with translated(RULES):
        answer = client().describe_rules(RuleArns=[rule_arn])
    weights: dict[str, int] = {}
    for rule in rows(answer, "Rules", RULES):
        for action in rows(rule, "Actions", RULES):
            for group in action.get("ForwardConfig", {}).get("TargetGroups", []):
                weights[required(group, "TargetGroupArn", RULES)] = required(group, "Weight", RULES)
    return weights


def target_health(target_group_arn: str) -> TargetHealth:
    """Return how many targets of the group are healthy, unhealthy or neither.

    :raises AwsError: see `aws.errors`.
    """
    with translated(TARGET_HEALTH):
        answer = client().describe_target_health(TargetGroupArn=target_group_arn)
    states = [
        required(required(row, "TargetHealth", TARGET_HEALTH), "State", TARGET_HEALTH)
        for row in rows(answer, "TargetHealthDescriptions", TARGET_HEALTH)
    ]
    healthy, unhealthy = states.count("healthy"), states.count("unhealthy")
    return TargetHealth(healthy, unhealthy, len(states) - healthy - unhealthy)
