"""Which target groups an action may name, and how many rules and groups a load balancer has.

"Quotas for your Application Load Balancers" in the user guide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sandbox.balancing.model import DEFAULT
from sandbox.balancing.values import forwarded
from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers

MOST_BALANCERS = 50
MOST_LISTENERS = 50
MOST_RULES = 100
MOST_GROUPS = 100
MOST_TARGETS = 1000


def no_listener(arn: str) -> AwsError:
    """There is no such listener."""
    return AwsError("ListenerNotFound", f"One or more listeners not found: '{arn}'")


def no_group(arn: str) -> AwsError:
    """There is no such target group."""
    return AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")


def too_many(what: str, of: str) -> AwsError:
    """`what` is as in the error's name: Rules, Listeners…"""
    return AwsError(f"TooMany{what}", f"You've reached the limit on the number of {of}")


def check_groups(
    balancers: LoadBalancers, load_balancer: str, actions: Iterable[Mapping[str, Any]]
) -> None:
    """Raises TargetGroupNotFound, TargetGroupAssociationLimit, InvalidConfigurationRequest or
    TooManyUniqueTargetGroupsPerLoadBalancer.
    """
    wanted = forwarded(actions).keys()
    for arn in wanted:
        if arn not in balancers.groups:
            raise no_group(arn)
    used: dict[str, set[str]] = {}
    for rule in balancers.rules.values():
        for arn in rule.weights:
            used.setdefault(arn, set()).add(rule.load_balancer)
    elsewhere = [arn for arn in wanted if used.get(arn, set()) - {load_balancer}]
    if elsewhere:
        raise AwsError(
            "TargetGroupAssociationLimit",
            "The following target groups cannot be associated with more than one load balancer: "
            f"{', '.join(elsewhere)}",
        )
    here = {arn for arn, those in used.items() if load_balancer in those} | wanted
    if len(here) > MOST_GROUPS:
        raise too_many("UniqueTargetGroupsPerLoadBalancer", "unique target groups")


def check_rules(balancers: LoadBalancers, load_balancer: str) -> None:
    """Raises TooManyRules when there is no place for another one; default rules do not count."""
    rules = [r for r in balancers.rules.values() if r.load_balancer == load_balancer]
    if sum(rule.priority != DEFAULT for rule in rules) >= MOST_RULES:
        raise too_many("Rules", "rules per load balancer")
