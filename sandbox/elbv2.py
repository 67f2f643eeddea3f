"""Elastic Load Balancing v2: what moves requests is ours, everything else is moto's."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from functools import partial
from typing import Any

from sandbox.context import Context
from sandbox.errors import AwsError
from sandbox.honesty import SIMPLIFIED, Note, refused, simplified
from sandbox.load_balancers import LoadBalancers, Target
from sandbox.names import ACCOUNT, REGION

MOST_WEIGHT = 999
MOST_GROUPS = 5

InMoto = Callable[[Callable[[], Any]], Awaitable[Any]]


class TargetGroups:
    """DescribeTargetHealth from real health checks; only ECS registers targets."""

    def __init__(self, load_balancers: LoadBalancers, in_moto: InMoto) -> None:
        self._load_balancers = load_balancers
        self._in_moto = in_moto

    async def describe_target_health(
        self,
        TargetGroupArn: str,
        Targets: Sequence[Mapping[str, Any]] = (),
        Include: Sequence[str] = (),
    ) -> dict[str, Any]:
        """Every registered target, or the ones asked for; raises TargetGroupNotFound."""
        await self._must_exist(TargetGroupArn)
        registered = self._load_balancers.targets(TargetGroupArn)
        if not Targets:
            return {"TargetHealthDescriptions": [_description(t) for t in registered]}
        known = {(t.address, t.container_port): t for t in registered}
        return {
            "TargetHealthDescriptions": [
                _description(known[key]) if key in known else _unused(wanted)
                for wanted in Targets
                for key in [(wanted["Id"], wanted.get("Port"))]
            ]
        }

    @refused("InvalidTarget: targets are registered by ECS only.")
    async def register_targets(self, TargetGroupArn: str, **_: Any) -> dict[str, Any]:
        """Raises TargetGroupNotFound or InvalidTarget."""
        raise await self._no_target(TargetGroupArn)

    @refused("InvalidTarget: targets are deregistered by ECS only.")
    async def deregister_targets(self, TargetGroupArn: str, **_: Any) -> dict[str, Any]:
        """Raises TargetGroupNotFound or InvalidTarget."""
        raise await self._no_target(TargetGroupArn)

    async def _no_target(self, group: str) -> AwsError:
        await self._must_exist(group)
        return AwsError("InvalidTarget", "Targets of this account are registered by ECS only.")

    async def _must_exist(self, group: str) -> None:
        """A group no listener rule forwards to is moto's alone and has no targets."""
        if self._load_balancers.knows(group):
            return
        if not await self._in_moto(partial(_exists, group)):
            raise _no_group(group)


class ListenerRules:
    """The rules that carry traffic: whoever changes their weights moves requests."""

    NOTES = (
        Note(
            SIMPLIFIED,
            "Load balancers, listeners and target groups that are created, modified or deleted are "
            "described so, but the traffic keeps to those the account began with.",
        ),
    )

    def __init__(self, load_balancers: LoadBalancers, in_moto: InMoto) -> None:
        self._load_balancers = load_balancers
        self._in_moto = in_moto

    @simplified(
        "Only the weights of a rule can be changed; other conditions, actions, stickiness and "
        "transforms are refused with InvalidConfigurationRequest."
    )
    async def modify_rule(
        self,
        RuleArn: str,
        Actions: Sequence[Mapping[str, Any]] = (),
        **unsupported: Any,
    ) -> dict[str, Any]:
        """Send a rule's requests by other weights, at once, as ECS itself does.

        Raises RuleNotFound, TargetGroupNotFound, ValidationError, InvalidConfigurationRequest.
        """
        if RuleArn not in self._load_balancers.rules:
            raise AwsError("RuleNotFound", "One or more rules not found")
        if any(unsupported.values()):
            raise _not_here(f"{', '.join(unsupported)} of this rule can't be modified.")
        weights = forwarded(Actions)
        for group in weights:
            if not self._load_balancers.knows(group):
                raise _no_group(group)
        await self._load_balancers.replace_weights(RuleArn, weights)
        # The answer is read behind the change of moto's picture, which is queued already.
        return {"Rules": [await self._in_moto(partial(_picture, RuleArn))]}

    @refused("InvalidConfigurationRequest: the load balancer here evaluates no conditions.")
    def create_rule(self, **_: Any) -> dict[str, Any]:
        """Raises InvalidConfigurationRequest."""
        raise _not_here("The listeners of this account take no further rules.")

    @refused("OperationNotPermitted for the rules that carry traffic, which are all there are.")
    def delete_rule(self, RuleArn: str) -> dict[str, Any]:
        """Raises RuleNotFound or OperationNotPermitted."""
        if RuleArn not in self._load_balancers.rules:
            raise AwsError("RuleNotFound", "One or more rules not found")
        raise AwsError("OperationNotPermitted", f"Rule '{RuleArn}' is in use and can't be deleted")


def forwarded(actions: Sequence[Mapping[str, Any]]) -> dict[str, float]:
    """The weights of a rule's one forward action by target group ARN.

    Raises ValidationError or InvalidConfigurationRequest.
    """
    if len(actions) != 1 or actions[0].get("Type") != "forward":
        raise _not_here("The action of this rule must be one forward action.")
    config = actions[0].get("ForwardConfig") or {}
    if config.get("TargetGroupStickinessConfig", {}).get("Enabled"):
        raise _not_here("Target group stickiness is not available on this rule.")
    single = actions[0].get("TargetGroupArn")
    groups = config.get("TargetGroups") or ([{"TargetGroupArn": single}] if single else [])
    if not 1 <= len(groups) <= MOST_GROUPS:
        raise AwsError("ValidationError", f"A rule forwards to 1 to {MOST_GROUPS} target groups.")
    weights = {each["TargetGroupArn"]: float(each.get("Weight", 1)) for each in groups}
    if not all(0 <= weight <= MOST_WEIGHT for weight in weights.values()):
        raise AwsError("ValidationError", f"The weight must be between 0 and {MOST_WEIGHT}.")
    return weights


async def join(sandbox: Context) -> None:
    """Show clients the targets, and let them move the traffic themselves."""
    balancers = sandbox.of(LoadBalancers)
    sandbox.serve("elbv2", TargetGroups(balancers, sandbox.in_moto))
    sandbox.serve("elbv2", ListenerRules(balancers, sandbox.in_moto))


def _picture(rule_arn: str) -> dict[str, Any]:
    """A rule as DescribeRules shows it, in botocore's shape."""
    from sandbox.moto_adapter import backend

    (rule,) = backend("elbv2", ACCOUNT, REGION).describe_rules(None, [rule_arn])
    return {
        "RuleArn": rule.arn,
        "Priority": str(rule.priority),
        "Conditions": rule.conditions,
        "Actions": [action.data for action in rule.actions],
        "IsDefault": rule.is_default,
    }


def _exists(group: str) -> bool:
    from sandbox.moto_adapter import backend

    return group in backend("elbv2", ACCOUNT, REGION).target_groups


def _no_group(arn: str) -> AwsError:
    return AwsError("TargetGroupNotFound", f"Target groups '{arn}' not found")


def _not_here(message: str) -> AwsError:
    return AwsError("InvalidConfigurationRequest", message)


def _description(target: Target) -> dict[str, Any]:
    health = {"State": target.state}
    if target.reason:
        health |= {"Reason": target.reason, "Description": target.description}
    zone = {"AvailabilityZone": target.availability_zone} if target.availability_zone else {}
    return {
        "Target": {"Id": target.address, "Port": target.container_port, **zone},
        "HealthCheckPort": str(target.container_port),
        "TargetHealth": health,
    }


def _unused(wanted: Mapping[str, Any]) -> dict[str, Any]:
    reason = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {"Target": dict(wanted), "TargetHealth": reason}
