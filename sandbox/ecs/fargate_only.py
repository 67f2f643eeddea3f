"""Features of ECS that this account does not have, refused instead of ignored."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.errors import AwsError
from sandbox.estate.plan import SUBNETS

_NOT_HERE = (
    "capacityProviderStrategy",
    "gatewayConnectors",
    "monitoring",
    "role",
    "serviceConnectConfiguration",
    "serviceRegistries",
    "volumeConfigurations",
    "vpcLatticeConfigurations",
)
_PLACEMENT = ("placementConstraints", "placementStrategy")
LAUNCH_TYPE = "FARGATE"


def nothing_else(given: Mapping[str, Any]) -> None:
    """Raises UnsupportedFeatureException when any parameter has a value."""
    used = sorted(name for name, value in given.items() if value not in (None, [], {}, "", False))
    if used:
        message = f"This sandbox does not support {', '.join(used)}."
        raise AwsError("UnsupportedFeatureException", message)


def service(settings: Mapping[str, Any]) -> None:
    """What CreateService and UpdateService may not ask for.

    Raises UnsupportedFeature…, InvalidParameter… or PlatformUnknownException.
    """
    nothing_else({name: settings.get(name) for name in _NOT_HERE})
    launch(settings)
    if settings.get("schedulingStrategy", "REPLICA") != "REPLICA":
        message = "The daemon scheduling strategy does not support the Fargate launch type"
        raise AwsError("InvalidParameterException", message)
    if settings.get("deploymentController", {}).get("type", "ECS") != "ECS":
        message = "This sandbox supports the ECS deployment controller only."
        raise AwsError("UnsupportedFeatureException", message)
    if len(settings.get("loadBalancers", [])) > 1:
        nothing_else({"more than one load balancer": True})


def launch(settings: Mapping[str, Any]) -> None:
    """Raises UnsupportedFeature…, InvalidParameter… or PlatformUnknownException."""
    kind = settings.get("launchType", LAUNCH_TYPE)
    if kind != LAUNCH_TYPE:
        nothing_else({f"launchType {kind}": True})
    if any(settings.get(name) for name in _PLACEMENT):
        message = "Placement constraints and strategies are not supported with FARGATE launch type."
        raise AwsError("InvalidParameterException", message)
    if settings.get("platformVersion", "LATEST") not in ("LATEST", "1.4.0"):
        raise AwsError("PlatformUnknownException", "The specified platform does not exist.")


def network(settings: Mapping[str, Any]) -> None:
    """Raises InvalidParameterException when awsvpc tasks are not told their subnets."""
    vpc = settings.get("networkConfiguration", {}).get("awsvpcConfiguration", {})
    if not vpc:
        message = "Network Configuration must be provided when networkMode 'awsvpc' is specified."
        raise AwsError("InvalidParameterException", message)
    if not vpc.get("subnets"):
        raise AwsError("InvalidParameterException", "subnets can not be empty.")
    known = {subnet.id for subnet in SUBNETS}
    for subnet in vpc["subnets"]:
        if subnet not in known:
            message = (
                f"Error retrieving subnet information for [{subnet}]: The subnet ID '{subnet}' "
                "does not exist (ErrorCode: InvalidSubnetID.NotFound)"
            )
            raise AwsError("InvalidParameterException", message)
