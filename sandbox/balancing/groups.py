"""Target groups: how their targets are checked, and how long they may drain."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.balancing import limits
from sandbox.balancing.changes import Answer, Changes
from sandbox.balancing.values import invalid, not_here
from sandbox.honesty import simplified

_DRAIN = "deregistration_delay.timeout_seconds"
LONGEST_DRAIN = 3600
# What else of a target group can be set, to the one value by which the load balancer works.
_FIXED = {
    "stickiness.enabled": "false",
    "load_balancing.algorithm.type": "round_robin",
    "load_balancing.algorithm.anomaly_mitigation": "off",
    "slow_start.duration_seconds": "0",
    "load_balancing.cross_zone.enabled": "use_load_balancer_configuration",
}
_CODES = re.compile(r"\d{3}(?:-\d{3})?(?:,\d{3}(?:-\d{3})?)*")
_RANGES = {
    "HealthCheckIntervalSeconds": ("Health check interval", 5, 300),
    "HealthCheckTimeoutSeconds": ("Health check timeout", 2, 120),
    "HealthyThresholdCount": ("Healthy threshold count", 2, 10),
    "UnhealthyThresholdCount": ("Unhealthy threshold count", 2, 10),
}
_TARGETS_ARE_SPOKEN_TO_BY_HTTP = (
    "Targets are spoken to by HTTP/1.1; other protocols and versions, and target types other than "
    "ip and instance, are refused with InvalidConfigurationRequest."
)
_PACE = (
    "HealthCheckIntervalSeconds pass as SANDBOX_HEALTH_INTERVAL says, which is what 5 of them "
    "take; until the first verdict targets are checked every 0.3 s. The timeout is in real seconds."
)


class Groups:
    """CreateTargetGroup, ModifyTargetGroup, its attributes, and DeleteTargetGroup."""

    def __init__(self, changes: Changes) -> None:
        self._changes = changes
        self._balancers = changes.balancers

    @simplified(_TARGETS_ARE_SPOKEN_TO_BY_HTTP)
    @simplified(_PACE)
    @simplified("Calling it again with the same name is refused even when nothing differs.")
    async def create_target_group(self, Name: str, **settings: Any) -> Answer:
        """Raises DuplicateTargetGroupName, ValidationError or InvalidConfigurationRequest."""
        _check_kind(settings)
        _check_health(settings, {})
        return await self._changes.make("CreateTargetGroup", {"Name": Name} | settings)

    @simplified(_PACE)
    async def modify_target_group(self, TargetGroupArn: str, **settings: Any) -> Answer:
        """Check targets in another way from the next check on.

        Raises TargetGroupNotFound, ValidationError or InvalidConfigurationRequest.
        """
        known = await self._known(TargetGroupArn)
        _check_health(settings, known)
        parameters = {"TargetGroupArn": TargetGroupArn} | settings
        return await self._changes.make("ModifyTargetGroup", parameters)

    @simplified(
        f"{_DRAIN} passes as SANDBOX_DRAIN_SECONDS says, which is what 300 of them take. "
        "Stickiness, slow start and algorithms other than round_robin are refused with "
        "InvalidConfigurationRequest."
    )
    async def modify_target_group_attributes(
        self, TargetGroupArn: str, Attributes: Sequence[Mapping[str, str]]
    ) -> Answer:
        """Raises TargetGroupNotFound, ValidationError or InvalidConfigurationRequest."""
        await self._known(TargetGroupArn)
        for row in Attributes:
            _check_attribute(row["Key"], row.get("Value", ""))
        parameters = {"TargetGroupArn": TargetGroupArn, "Attributes": Attributes}
        await self._changes.make("ModifyTargetGroupAttributes", parameters)
        question = {"TargetGroupArn": TargetGroupArn}
        return await self._changes.ask("DescribeTargetGroupAttributes", **question)

    async def delete_target_group(self, TargetGroupArn: str) -> Answer:
        """Deregister its targets with it. Raises ResourceInUse while a rule forwards to it."""
        if TargetGroupArn not in self._balancers.groups:
            return {}
        return await self._changes.make("DeleteTargetGroup", {"TargetGroupArn": TargetGroupArn})

    async def _known(self, arn: str) -> Mapping[str, Any]:
        if arn not in self._balancers.groups:
            raise limits.no_group(arn)
        described = await self._changes.ask("DescribeTargetGroups", TargetGroupArns=[arn])
        found: Mapping[str, Any] = described["TargetGroups"][0]
        return found


def _check_kind(settings: Mapping[str, Any]) -> None:
    kind = settings.get("TargetType", "instance")
    if kind not in ("instance", "ip"):
        raise not_here(f"Target groups of type '{kind}' are not available in this account.")
    if settings.get("Protocol", "HTTP") != "HTTP":
        raise not_here("Targets of this account are spoken to by the protocol HTTP only.")
    if settings.get("ProtocolVersion", "HTTP1") != "HTTP1":
        raise not_here("Targets of this account are spoken to by the version HTTP1 only.")
    if settings.get("IpAddressType", "ipv4") != "ipv4":
        raise not_here("Targets of this account have addresses of type ipv4 only.")


def _check_health(settings: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    """`known` is what DescribeTargetGroups says of a group that is modified."""
    for name, (told, least, most) in _RANGES.items():
        if not least <= settings.get(name, least) <= most:
            raise invalid(
                f"{told} '{settings[name]}' must be in the inclusive range {least}-{most}"
            )
    whole = {"HealthCheckIntervalSeconds": 30, "HealthCheckTimeoutSeconds": 5, **known, **settings}
    interval, timeout = (whole[f"HealthCheck{each}Seconds"] for each in ("Interval", "Timeout"))
    if timeout >= interval:
        raise invalid(
            f"Health check timeout '{timeout}' must be smaller than the interval '{interval}'"
        )
    if settings.get("HealthCheckProtocol", "HTTP") != "HTTP":
        raise not_here("Targets of this account are checked by the protocol HTTP only.")
    if settings.get("HealthCheckEnabled") is False:
        raise not_here("Health checks can't be disabled for target groups of this type.")
    if not settings.get("HealthCheckPath", "/").startswith("/"):
        raise invalid(f"Health check path '{settings['HealthCheckPath']}' must start with '/'")
    _check_port(settings.get("HealthCheckPort", "traffic-port"))
    _check_codes(settings.get("Matcher", {}))


def _check_port(port: str) -> None:
    if port != "traffic-port" and not (port.isdigit() and 1 <= int(port) <= 65_535):
        raise invalid(f"Health check port '{port}' must be in the inclusive range 1-65535")


def _check_codes(matcher: Mapping[str, str]) -> None:
    if "GrpcCode" in matcher:
        raise not_here("gRPC codes are for target groups of protocol version GRPC.")
    codes = matcher.get("HttpCode", "200")
    bounds = [int(code) for code in re.findall(r"\d+", codes)]
    if not _CODES.fullmatch(codes) or not all(200 <= code <= 499 for code in bounds):
        raise invalid(f"Health check matcher HTTP code '{codes}' must be within '200-499'")


def _check_attribute(key: str, value: str) -> None:
    if key == _DRAIN:
        if not (value.isdigit() and int(value) <= LONGEST_DRAIN):
            raise invalid(
                f"'{_DRAIN}' value '{value}' must be between '0-{LONGEST_DRAIN}' inclusive"
            )
    elif key.startswith(("stickiness.", "target_group_health.")) and key not in _FIXED:
        raise not_here(f"The attribute '{key}' can't be set in this account.")
    elif key not in _FIXED:
        raise invalid(f"Target group attribute key '{key}' is not recognized")
    elif value != _FIXED[key]:
        raise not_here(f"The attribute '{key}' of this account's target groups is {_FIXED[key]}.")
