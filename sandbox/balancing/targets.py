"""Targets: ECS registers its tasks, and clients what listens on this machine's loopback."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv4Address, ip_address
from typing import Any

from sandbox.balancing import limits
from sandbox.balancing.changes import Answer
from sandbox.balancing.model import Target
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.load_balancers import LoadBalancers

LAST_PORT = 65_535


class Targets:
    """RegisterTargets, DeregisterTargets, and DescribeTargetHealth from real health checks."""

    def __init__(self, balancers: LoadBalancers) -> None:
        self._balancers = balancers

    async def describe_target_health(
        self,
        TargetGroupArn: str,
        Targets: Sequence[Mapping[str, Any]] = (),
        Include: Sequence[str] = (),
    ) -> Answer:
        """Every registered target, or the ones asked for; raises TargetGroupNotFound."""
        self._must_exist(TargetGroupArn)
        # Who reads `healthy` here may send requests there.
        await self._balancers.in_force()
        registered = self._balancers.targets(TargetGroupArn)
        if not Targets:
            return {"TargetHealthDescriptions": [self._description(t) for t in registered]}
        known = {(t.address, t.container_port): t for t in registered}
        return {
            "TargetHealthDescriptions": [
                self._description(known[key]) if key in known else _unused(wanted)
                for wanted in Targets
                for key in [self._key(TargetGroupArn, wanted)]
            ]
        }

    @simplified(
        "Traffic goes to loopback only: InvalidTarget for addresses outside 127.0.0.0/8, and for "
        "instances, of which this account runs none."
    )
    async def register_targets(
        self, TargetGroupArn: str, Targets: Sequence[Mapping[str, Any]]
    ) -> Answer:
        """Let targets take traffic once their health checks pass.

        Raises TargetGroupNotFound, InvalidTarget, TooManyTargets or ValidationError.
        """
        self._must_exist(TargetGroupArn)
        keys = [self._key(TargetGroupArn, wanted) for wanted in Targets]
        for address, port in keys:
            self._check(TargetGroupArn, address, port)
        if len(self._balancers.targets(TargetGroupArn)) + len(keys) > limits.MOST_TARGETS:
            raise limits.too_many("Targets", "targets per target group")
        await self._balancers.register_by_client(
            [
                Target(TargetGroupArn, port, "", address=address, container_port=port, host=address)
                for address, port in keys
            ]
        )
        return {}

    @our_reading("A task that somebody deregisters stays without traffic; ECS does not mind.")
    async def deregister_targets(
        self, TargetGroupArn: str, Targets: Sequence[Mapping[str, Any]]
    ) -> Answer:
        """Let targets drain; those that are not registered are left out.

        One on another port than its group's is only meant when that port is named. Raises
        TargetGroupNotFound.
        """
        self._must_exist(TargetGroupArn)
        wanted = {self._key(TargetGroupArn, each) for each in Targets}
        registered = self._balancers.targets(TargetGroupArn)
        await self._balancers.deregister_by_client(
            [t for t in registered if (t.address, t.container_port) in wanted]
        )
        return {}

    def _must_exist(self, group: str) -> None:
        if group not in self._balancers.groups:
            raise limits.no_group(group)

    def _key(self, group: str, wanted: Mapping[str, Any]) -> tuple[str, int]:
        """A target's address and its port, which is the group's unless it says another."""
        return wanted["Id"], int(wanted.get("Port") or self._balancers.groups[group].port)

    def _check(self, group: str, address: str, port: int) -> None:
        if self._balancers.groups[group].target_type == "instance":
            raise AwsError(
                "InvalidTarget",
                "The following targets are not in a running state and cannot be registered: "
                f"'{address}'",
            )
        if not _on_loopback(address):
            raise AwsError(
                "InvalidTarget",
                f"The target '{address}' can't be registered: the sandbox sends traffic to "
                "loopback addresses (127.0.0.0/8) only.",
            )
        if not 1 <= port <= LAST_PORT:
            raise AwsError("ValidationError", f"The port must be between 1 and {LAST_PORT}")

    def _description(self, target: Target) -> dict[str, Any]:
        if target.state == "initial" and not self._balancers.knows(target.group):
            health = _NOT_IN_USE
        else:
            health = {"State": target.state}
            if target.reason:
                health |= {"Reason": target.reason, "Description": target.description}
        zone = {"AvailabilityZone": target.availability_zone} if target.availability_zone else {}
        check = self._balancers.health_check(target.group)
        own = target.checked_at(check) == target.port
        return {
            "Target": {"Id": target.address, "Port": target.container_port, **zone},
            "HealthCheckPort": str(target.container_port) if own else check.port,
            "TargetHealth": health,
        }


def _on_loopback(address: str) -> bool:
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return isinstance(found, IPv4Address) and found.is_loopback


_NOT_IN_USE = {
    "State": "unused",
    "Reason": "Target.NotInUse",
    "Description": "Target group is not configured to receive traffic from the load balancer",
}


def _unused(wanted: Mapping[str, Any]) -> dict[str, Any]:
    reason = {
        "State": "unused",
        "Reason": "Target.NotRegistered",
        "Description": "Target is not registered to the target group",
    }
    return {"Target": dict(wanted), "TargetHealth": reason}
