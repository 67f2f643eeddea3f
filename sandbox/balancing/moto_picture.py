"""moto's load balancers: what they are made of, read for the data plane, and put right for AWS.

moto keeps listeners, rules and target groups, and its journal makes them survive. This module
alone looks inside; everything in it runs in moto's thread.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from sandbox.balancing.model import DEFAULT, HealthCheck, Listener, Picture, Rule, TargetGroup
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION, default_rule_arn, dimension

Weights = Mapping[str, float]
_REDIRECTED = {
    "Protocol": "protocol",
    "Host": "host",
    "Port": "port",
    "Path": "path",
    "Query": "query",
}


def correct() -> None:
    """Let moto do what AWS does: default rules keep their ARN, and priorities can be swapped.

    To be called before the first listener is made. moto names a default rule by its address in
    memory, which is another after every restart.
    """
    from moto.elbv2 import models

    models.FakeRule.__init__ = _default_rule  # type: ignore[method-assign]
    models.ELBv2Backend.set_rule_priorities = _set_priorities  # type: ignore[method-assign]


def _default_rule(
    self: Any,
    listener_arn: str,
    conditions: list[Any],
    priority: Any,
    actions: list[Any],
    is_default: bool,
) -> None:
    self.listener_arn, self.arn = listener_arn, default_rule_arn(listener_arn)
    self.conditions, self.priority = conditions, priority
    self.actions, self.is_default = actions, is_default


def _set_priorities(self: Any, rule_priorities: list[dict[str, Any]]) -> list[Any]:
    """All at once: what counts is whether two rules of a listener end up with one priority."""
    from moto.elbv2.exceptions import PriorityInUseError

    wanted = {row["RuleArn"]: int(row["Priority"]) for row in rule_priorities}
    rules = self.describe_rules(None, list(wanted))
    for rule in rules:
        listener = self.describe_listeners(None, [rule.listener_arn])[0]
        others = [each for each in listener._non_default_rules.values() if each is not rule]
        if any(wanted.get(o.arn, int(o.priority)) == wanted[rule.arn] for o in others):
            raise PriorityInUseError
    for rule in rules:
        rule.priority = wanted[rule.arn]
    return list(rules)


def read(weights: Mapping[str, Weights]) -> Picture:
    """What there is now. moto is shown the `weights` in force of the rules that are unchanged."""
    elb = backend("elbv2", ACCOUNT, REGION)
    listeners, rules = [], []
    for group in elb.target_groups.values():
        group.load_balancer_arns = []
    for balancer in elb.load_balancers.values():
        balancer.state = "active"
        for listener in balancer.listeners.values():
            _tidy(listener)
            listeners.append(_listener(balancer, listener))
            rules += [_rule(balancer, each, weights) for each in listener.rules.values()]
    return Picture(listeners, rules, [_group(group) for group in elb.target_groups.values()])


def show(rule: Rule) -> None:
    """Let DescribeRules and DescribeListeners tell the weights in force."""
    elb = backend("elbv2", ACCOUNT, REGION)
    for balancer in elb.load_balancers.values():
        for listener in balancer.listeners.values():
            for each in listener.rules.values():
                if each.arn == rule.arn:
                    _show(listener, each, rule.weights)


def _tidy(listener: Any) -> None:
    if listener.protocol == "HTTP":
        listener.ssl_policy = None
    by_priority = sorted(listener._non_default_rules.values(), key=lambda r: int(r.priority))
    listener._non_default_rules = OrderedDict((rule.arn, rule) for rule in by_priority)


def _listener(balancer: Any, listener: Any) -> Listener:
    return Listener(
        arn=listener.arn,
        load_balancer=dimension(balancer.arn),
        port=int(listener.port),
        protocol=listener.protocol,
        idle_seconds=float(balancer.attrs.get("idle_timeout.timeout_seconds", 60)),
    )


def _rule(balancer: Any, rule: Any, weights: Mapping[str, Weights]) -> Rule:
    """One rule; its target groups learn that they are this load balancer's."""
    told = _forwarded(rule.actions[-1].data)
    known = weights.get(rule.arn, {})
    if told:
        same = known.keys() == told.keys()
        listener = balancer.listeners[rule.listener_arn]
        _show(listener, rule, known if same else told)
        _associate(balancer.arn, told)
    return Rule(
        arn=rule.arn,
        load_balancer=dimension(balancer.arn),
        weights=told,
        listener=rule.listener_arn,
        priority=DEFAULT if rule.is_default else str(rule.priority),
        conditions=rule.conditions,
        answer={} if told else _answer(rule.actions[-1].data),
    )


def _forwarded(action: Mapping[str, Any]) -> dict[str, float]:
    groups = action.get("ForwardConfig", {}).get("TargetGroups", [])
    if groups:
        return {each["TargetGroupArn"]: float(each.get("Weight", 1)) for each in groups}
    return {action["TargetGroupArn"]: 1.0} if "TargetGroupArn" in action else {}


def _answer(action: Mapping[str, Any]) -> dict[str, Any]:
    fixed, moved = action.get("FixedResponseConfig"), action.get("RedirectConfig")
    if fixed is not None:
        return {
            "fixed": {
                "status": int(fixed["StatusCode"]),
                "content_type": fixed.get("ContentType", "text/plain"),
                "body": fixed.get("MessageBody", ""),
            }
        }
    if moved is None:
        return {}
    parts = {ours: moved[theirs] for theirs, ours in _REDIRECTED.items() if theirs in moved}
    return {"redirect": {"status": int(moved["StatusCode"].removeprefix("HTTP_")), **parts}}


def _associate(balancer: str, groups: Weights) -> None:
    known = backend("elbv2", ACCOUNT, REGION).target_groups
    for group in groups:
        if group in known and balancer not in known[group].load_balancer_arns:
            known[group].load_balancer_arns.append(balancer)


def _show(listener: Any, rule: Any, weights: Weights) -> None:
    from moto.elbv2.models import FakeAction

    groups = [{"TargetGroupArn": g, "Weight": w} for g, w in integers(weights).items()]
    single = {"TargetGroupArn": groups[0]["TargetGroupArn"]} if len(groups) == 1 else {}
    forward = {"Type": "forward", **single, "Order": 1, "ForwardConfig": {"TargetGroups": groups}}
    rule.actions = [FakeAction(forward)]
    if rule.is_default:
        listener.default_actions = rule.actions


def integers(weights: Weights) -> dict[str, int]:
    """Weights are integers from 0 to 999: percent, or tenths of it for a share like 2.5 %."""
    factor = 1 if all(float(w).is_integer() for w in weights.values()) else 10
    return {group: min(round(weight * factor), 999) for group, weight in weights.items()}


def _group(group: Any) -> TargetGroup:
    usual = HealthCheck()
    check = HealthCheck(
        path=group.health_check_path or "/",
        port=str(group.health_check_port or usual.port),
        interval=float(group.health_check_interval_seconds),
        timeout=float(group.health_check_timeout_seconds),
        healthy_after=int(group.healthy_threshold_count),
        unhealthy_after=int(group.unhealthy_threshold_count),
        codes=getattr(group, "matcher", {}).get("HttpCode", "200"),
    )
    drain = float(group.attributes["deregistration_delay.timeout_seconds"])
    return TargetGroup(group.arn, int(group.port or 80), group.target_type, check, drain)


def zones() -> dict[str, str]:
    """The availability zone of every subnet."""
    subnets = backend("ec2", ACCOUNT, REGION).describe_subnets()
    return {subnet.id: subnet.availability_zone for subnet in subnets}


def security_groups() -> set[str]:
    """The ids of all security groups."""
    return {group.id for group in backend("ec2", ACCOUNT, REGION).describe_security_groups()}
