"""Rules of listeners: the data plane evaluates them by priority."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.balancing import limits
from sandbox.balancing.changes import Answer, Changes
from sandbox.balancing.model import DEFAULT, Rule
from sandbox.balancing.values import check_actions, check_conditions, invalid, not_here
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified

LAST_PRIORITY = 50_000


class Rules:
    """CreateRule, ModifyRule, DeleteRule and SetRulePriorities."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._balancers = changes.balancers

    @simplified(
        "One action a rule: forward, redirect or fixed-response. Actions that authenticate, "
        "stickiness of target groups, regular expressions and transforms are refused with "
        "InvalidConfigurationRequest."
    )
    @our_reading(
        "Paths and query strings are compared as they were sent, without decoding them; `#{port}` "
        "of a redirect is the loopback port of the listener."
    )
    @simplified(
        "What a rule answers by itself is not published as HTTP_Fixed_Response_Count or "
        "HTTP_Redirect_Count; with 4XX or 5XX it counts as the load balancer's own error."
    )
    async def create_rule(
        self,
        ListenerArn: str,
        Conditions: Sequence[Mapping[str, Any]],
        Priority: int,
        Actions: Sequence[Mapping[str, Any]],
        Tags: Sequence[Mapping[str, str]] = (),
        **unsupported: Any,
    ) -> Answer:
        """Route requests by a further rule, at once.

        Raises ListenerNotFound, PriorityInUse, TooManyRules, TooManyActions, TargetGroupNotFound,
        TargetGroupAssociationLimit, ValidationError, InvalidConfigurationRequest and more.
        """
        listener = self._balancers.listeners.get(ListenerArn)
        if listener is None:
            raise limits.no_listener(ListenerArn)
        _refuse(unsupported)
        _check_priority(Priority)
        check_conditions(Conditions)
        check_actions(Actions)
        if any(rule.priority == str(Priority) for rule in self._balancers.rules_of(ListenerArn)):
            raise AwsError("PriorityInUse", f"Priority '{Priority}' is currently in use")
        limits.check_groups(self._balancers, listener.load_balancer, Actions)
        limits.check_rules(self._balancers, listener.load_balancer)
        given = {"ListenerArn": ListenerArn, "Conditions": Conditions, "Priority": Priority}
        tags = {"Tags": Tags} if Tags else {}
        made = await self._changes.make("CreateRule", {**given, "Actions": Actions, **tags})
        return await self._shown([made["Rules"][0]["RuleArn"]])

    @simplified(
        "Actions that authenticate, stickiness of target groups, regular expressions and "
        "transforms are refused with InvalidConfigurationRequest."
    )
    async def modify_rule(
        self,
        RuleArn: str,
        Conditions: Sequence[Mapping[str, Any]] = (),
        Actions: Sequence[Mapping[str, Any]] = (),
        **unsupported: Any,
    ) -> Answer:
        """Replace a rule's conditions or actions, at once, as ECS itself does with weights.

        Raises RuleNotFound, OperationNotPermitted, TargetGroupNotFound, ValidationError and more.
        """
        rule = self._changeable(RuleArn, "modified")
        _refuse(unsupported)
        if not Conditions and not Actions:
            raise invalid("Either conditions or actions must be specified")
        if Conditions:
            check_conditions(Conditions)
        if Actions:
            check_actions(Actions)
            limits.check_groups(self._balancers, rule.load_balancer, Actions)
        given = {"RuleArn": RuleArn, "Conditions": Conditions, "Actions": Actions}
        moved = RuleArn if Actions else ""
        changed = {name: value for name, value in given.items() if value}
        await self._changes.make("ModifyRule", changed, moved=moved)
        return await self._shown([RuleArn])

    async def delete_rule(self, RuleArn: str) -> Answer:
        """Take a rule away. Raises RuleNotFound, or OperationNotPermitted for a default rule."""
        self._changeable(RuleArn, "deleted")
        return await self._changes.make("DeleteRule", {"RuleArn": RuleArn})

    async def set_rule_priorities(self, RulePriorities: Sequence[Mapping[str, Any]]) -> Answer:
        """Give rules other places, all at once: they may be exchanged.

        Raises RuleNotFound, OperationNotPermitted, PriorityInUse or ValidationError.
        """
        wanted = [(row["RuleArn"], row["Priority"]) for row in RulePriorities]
        for arn, priority in wanted:
            self._changeable(arn, "reordered")
            _check_priority(priority)
        if len(dict(wanted)) < len(wanted):
            raise invalid("A rule was given more than one priority")
        await self._changes.make("SetRulePriorities", {"RulePriorities": RulePriorities})
        return await self._shown([arn for arn, _ in wanted])

    def _changeable(self, arn: str, done: str) -> Rule:
        rule = self._balancers.rules.get(arn)
        if rule is None:
            raise AwsError("RuleNotFound", "One or more rules not found")
        if rule.priority == DEFAULT:
            raise AwsError("OperationNotPermitted", f"Default rule '{arn}' cannot be {done}")
        return rule

    async def _shown(self, arns: Sequence[str]) -> Answer:
        described = await self._changes.ask("DescribeRules", RuleArns=arns)
        return {"Rules": described["Rules"]}


def _refuse(unsupported: Mapping[str, Any]) -> None:
    given = [name for name, value in unsupported.items() if value]
    if given:
        raise not_here(f"{', '.join(given)} of this rule can't be set.")


def _check_priority(priority: int) -> None:
    if not 1 <= priority <= LAST_PRIORITY:
        raise invalid(f"The priority must be between 1 and {LAST_PRIORITY}")
