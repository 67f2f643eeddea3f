"""What the blue/green family asks of load balancers and their listener rules.

Some of it is refused in the call, some only fails the deployment that was begun:
https://docs.aws.amazon.com/AmazonECS/latest/developerguide/troubleshooting-blue-green.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.ecs.validation import refuse

# The weights of the target groups on each listener rule, all by ARN.
Rules = Mapping[str, Mapping[str, float]]

NEEDED = ("alternateTargetGroupArn", "productionListenerRule")
KINDS = ("productionListenerRule", "testListenerRule")
ON_NO_RULE = (
    "Both targetGroup and alternateTargetGroup must be associated with the productionListenerRule "
    "or testListenerRule."
)
NEEDS_TEST_RULE = (
    "For Application LoadBalancer, testListenerRule is required when productionListenerRule is "
    "not associated with both targetGroup and alternateTargetGroup"
)


def strategy_fits(
    configuration: Mapping[str, Any], balancers: Sequence[Mapping[str, Any]], rules: Rules
) -> None:
    """Raises InvalidParameterException for what ECS refuses before it deploys anything.

    Only BLUE_GREEN does without a load balancer: then no traffic is moved.
    """
    strategy = configuration.get("strategy", "ROLLING")
    if strategy == "ROLLING" or (strategy == "BLUE_GREEN" and not balancers):
        return
    advanced = balancers[0].get("advancedConfiguration", {}) if balancers else {}
    if not advanced:
        raise refuse(
            "advancedConfiguration field is required for all loadBalancers when using a "
            "non-ROLLING deployment strategy"
        )
    if absent := [name for name in NEEDED if name not in advanced]:
        raise refuse(f"advancedConfiguration must have {' and '.join(absent)}.")
    _named_well(balancers[0]["targetGroupArn"], advanced)
    both = _groups(balancers[0])
    # That a rule does not exist at all is found out by the deployment.
    alone = both <= rules.get(advanced["productionListenerRule"], dict.fromkeys(both)).keys()
    if not alone and "testListenerRule" not in advanced:
        raise refuse(NEEDS_TEST_RULE)


def _named_well(group: str, advanced: Mapping[str, Any]) -> None:
    for kind in KINDS:
        arn = advanced.get(kind)
        if arn is not None and ":listener-rule/" not in arn:
            raise refuse(
                f"{kind} has an invalid ARN format. Must be RuleArn for ALB or ListenerArn for "
                f"NLB. Got: {arn}"
            )
    if advanced["productionListenerRule"] == advanced.get("testListenerRule"):
        raise refuse(
            "The following rules cannot be used as both production and test listener rules: "
            f"{advanced['testListenerRule']}"
        )
    if group == advanced["alternateTargetGroupArn"]:
        raise refuse(f"Duplicate targetGroupArn found: {group}")


def trouble(balancer: Mapping[str, Any], rules: Rules) -> str | None:
    """Why the traffic of a deployment that begins cannot be moved, None when it can."""
    advanced = balancer["advancedConfiguration"]
    used = [advanced[kind] for kind in KINDS if kind in advanced]
    if any(rule not in rules for rule in used):
        return "One or more rules not found"
    groups = _groups(balancer)
    if not groups <= {group for rule in used for group in rules[rule]}:
        return ON_NO_RULE
    production = advanced["productionListenerRule"]
    serving = [group for group, weight in rules[production].items() if weight]
    if foreign := [group for group in serving if group not in groups]:
        return (
            "Production listener rule is forwarding traffic to unexpected target group "
            f"{foreign[0]}. Expected traffic to be forwarded to either targetGroupArn: "
            f"{balancer['targetGroupArn']} or alternateTargetGroupArn: "
            f"{advanced['alternateTargetGroupArn']}"
        )
    if len(serving) != 1:
        return (
            f"productionListenerRule {production} should have exactly one target group serving "
            f"traffic but found {len(serving)} target groups which are serving traffic"
        )
    return None


def _groups(balancer: Mapping[str, Any]) -> set[str]:
    advanced = balancer["advancedConfiguration"]
    return {balancer["targetGroupArn"], advanced["alternateTargetGroupArn"]}
