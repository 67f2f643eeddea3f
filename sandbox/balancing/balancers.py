"""Load balancers: they come and go with their listeners."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sandbox.balancing import limits
from sandbox.balancing.changes import Answer, Changes
from sandbox.balancing.values import invalid, not_here
from sandbox.errors import AwsError
from sandbox.honesty import simplified

_NAME = re.compile(r"(?!internal-)(?!.*--)[A-Za-z0-9](?:[A-Za-z0-9-]{0,30}[A-Za-z0-9])?")
_PROTECTED = "deletion_protection.enabled"
_IDLE = "idle_timeout.timeout_seconds"
LONGEST_IDLE = 4000


class Balancers:
    """CreateLoadBalancer, DeleteLoadBalancer and ModifyLoadBalancerAttributes."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes

    @simplified(
        "Only application load balancers; they are active at once and answer where their "
        "listeners do. Calling it again with the same name is refused even when nothing differs."
    )
    async def create_load_balancer(self, Name: str, **settings: Any) -> Answer:
        """Raises DuplicateLoadBalancerName, TooManyLoadBalancers, SubnetNotFound,
        InvalidSecurityGroup, ValidationError, or InvalidConfigurationRequest for what is no
        application load balancer.
        """
        if not _NAME.fullmatch(Name):
            raise invalid(
                f"The load balancer name '{Name}' can have 1 to 32 characters, letters, digits and "
                "hyphens, and must not begin or end with a hyphen or begin with 'internal-'"
            )
        kind = settings.get("Type", "application")
        if kind != "application":
            raise not_here(f"Load balancers of type '{kind}' are not available in this account.")
        known = (await self._changes.ask("DescribeLoadBalancers"))["LoadBalancers"]
        if any(balancer["LoadBalancerName"] == Name for balancer in known):
            raise AwsError(
                "DuplicateLoadBalancerName",
                f"A load balancer with the same name '{Name}' exists, but with different settings",
            )
        if len(known) >= limits.MOST_BALANCERS:
            raise limits.too_many("LoadBalancers", "load balancers")
        await self._changes.look(partial(_check_network, settings))
        usual = {"Scheme": "internet-facing", "Type": kind}
        made = await self._changes.make("CreateLoadBalancer", {"Name": Name} | usual | settings)
        return {"LoadBalancers": made["LoadBalancers"]}

    async def delete_load_balancer(self, LoadBalancerArn: str) -> Answer:
        """Take it and its listeners away; one that is not there is deleted already.

        Raises OperationNotPermitted while deletion protection is enabled.
        """
        try:
            attributes = await self._attributes(LoadBalancerArn)
        except AwsError as error:
            if error.code != "LoadBalancerNotFound":
                raise
            return {}
        if attributes.get(_PROTECTED) == "true":
            raise AwsError(
                "OperationNotPermitted",
                f"Load balancer '{LoadBalancerArn}' cannot be deleted because deletion protection "
                "is enabled",
            )
        return await self._changes.make("DeleteLoadBalancer", {"LoadBalancerArn": LoadBalancerArn})

    @simplified(
        "The idle time-out and deletion protection act; the other attributes are described only."
    )
    async def modify_load_balancer_attributes(
        self, LoadBalancerArn: str, Attributes: Sequence[Mapping[str, str]]
    ) -> Answer:
        """Raises LoadBalancerNotFound, ValidationError or InvalidConfigurationRequest."""
        given = {row["Key"]: row.get("Value", "") for row in Attributes}
        idle = given.get(_IDLE, "60")
        if not (idle.isdigit() and 1 <= int(idle) <= LONGEST_IDLE):
            raise invalid(f"'{_IDLE}' must be between 1 and {LONGEST_IDLE} inclusive")
        if given.get(_PROTECTED, "true") not in ("true", "false"):
            raise invalid(f"'{_PROTECTED}' must be one of [true, false]")
        parameters = {"LoadBalancerArn": LoadBalancerArn, "Attributes": Attributes}
        return await self._changes.make("ModifyLoadBalancerAttributes", parameters)

    async def _attributes(self, arn: str) -> dict[str, str]:
        answer = await self._changes.ask("DescribeLoadBalancerAttributes", LoadBalancerArn=arn)
        return {row["Key"]: row["Value"] for row in answer["Attributes"]}


def _check_network(settings: Mapping[str, Any]) -> None:
    """Subnets in two zones, and security groups, that there are. To be called in moto's thread."""
    from sandbox.balancing.moto_picture import security_groups, zones

    mapped = [each["SubnetId"] for each in settings.get("SubnetMappings", ())]
    where = zones()
    for subnet in (*settings.get("Subnets", ()), *mapped):
        if subnet not in where:
            raise AwsError("SubnetNotFound", f"The subnet ID '{subnet}' does not exist")
    if len({where[subnet] for subnet in (*settings.get("Subnets", ()), *mapped)}) < 2:
        raise invalid("At least two subnets in two different Availability Zones must be specified")
    known = security_groups()
    for group in settings.get("SecurityGroups", ()):
        if group not in known:
            raise AwsError("InvalidSecurityGroup", f"Security group '{group}' does not exist")
