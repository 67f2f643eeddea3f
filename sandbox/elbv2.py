"""Elastic Load Balancing v2: target health is ours, everything else is moto's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers, Target


class ElasticLoadBalancing:
    """DescribeTargetHealth from real health checks."""

    def __init__(self, load_balancers: LoadBalancers) -> None:
        self._load_balancers = load_balancers

    def describe_target_health(
        self,
        TargetGroupArn: str,  # noqa: N803
        Targets: Sequence[Mapping[str, Any]] = (),  # noqa: N803
        Include: Sequence[str] = (),  # noqa: N803
    ) -> dict[str, Any]:
        """Every registered target, or the ones asked for; raises TargetGroupNotFound."""
        if self._load_balancers.rule_of(TargetGroupArn) is None:
            message = f"Target groups '{TargetGroupArn}' not found"
            raise AwsError("TargetGroupNotFound", message)
        registered = self._load_balancers.targets(TargetGroupArn)
        if not Targets:
            return {"TargetHealthDescriptions": [_description(t) for t in registered]}
        known = {(t.host, t.port): t for t in registered}
        return {
            "TargetHealthDescriptions": [
                _description(known[key]) if key in known else _unused(wanted)
                for wanted in Targets
                for key in [(wanted["Id"], wanted.get("Port"))]
            ]
        }


def _description(target: Target) -> dict[str, Any]:
    health = {"State": target.state}
    if target.reason:
        health |= {"Reason": target.reason, "Description": target.description}
    return {
        "Target": {"Id": target.host, "Port": target.port},
        "HealthCheckPort": str(target.port),
        "TargetHealth": health,
    }


def _unused(wanted: Mapping[str, Any]) -> dict[str, Any]:
    reason = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {"Target": dict(wanted), "TargetHealth": reason}
