"""What all operations of Application Auto Scaling share: finding things, and pages."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sandbox import tokens
from sandbox.alarms.service import Alarms
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.errors import check_enum, invalid, no_target, place
from sandbox.autoscaling.fulfilment import Fulfilment
from sandbox.autoscaling.model import DIMENSION, NAMESPACE, Target
from sandbox.errors import AwsError
from sandbox.load_balancers import LoadBalancers

Answer = dict[str, Any]
Item = TypeVar("Item")

_NAMESPACES = (
    "ecs",
    "elasticmapreduce",
    "ec2",
    "appstream",
    "dynamodb",
    "rds",
    "sagemaker",
    "custom-resource",
    "comprehend",
    "lambda",
    "cassandra",
    "kafka",
    "elasticache",
    "neptune",
    "workspaces",
)


class Operations:
    """Base of the operations; parameters are botocore's."""

    def __init__(
        self, book: Book, fulfilment: Fulfilment, alarms: Alarms, balancers: LoadBalancers
    ) -> None:
        self.book = book
        self.fulfilment = fulfilment
        self.alarms = alarms
        self.balancers = balancers
        # Making and deleting alarms takes a while: two changes of a policy must not interleave.
        self.changing = asyncio.Lock()

    def target(self, parameters: Mapping[str, Any]) -> Target:
        """The registered target that is meant; raises ObjectNotFoundException."""
        resource = named(parameters)
        target = self.book.targets.get(resource)
        if target is None:
            raise no_target(where(parameters))
        return target


def where(parameters: Mapping[str, Any]) -> str:
    """How messages name the target that is meant."""
    return place(
        parameters["ServiceNamespace"], parameters["ResourceId"], parameters["ScalableDimension"]
    )


def named(parameters: Mapping[str, Any]) -> str:
    """The resource id of an ECS service; raises ValidationException for anything else."""
    resource = str(parameters["ResourceId"])
    parts = resource.split("/")
    ecs = (parameters["ServiceNamespace"], parameters["ScalableDimension"]) == (
        NAMESPACE,
        DIMENSION,
    )
    if not ecs or len(parts) != 3 or parts[0] != "service" or not all(parts):
        raise invalid("Unsupported service namespace, resource type or scalable dimension")
    return resource


def listed(parameters: Mapping[str, Any], single: str | None) -> bool:
    """Whether a Describe… can find anything: this account has targets of ECS only.

    `single` is the resource id asked for. Raises ValidationException.
    """
    namespace, dimension = parameters["ServiceNamespace"], parameters.get("ScalableDimension")
    check_enum(namespace, "serviceNamespace", _NAMESPACES)
    if dimension and not single:
        raise invalid("If you specify a scalable dimension, you must also specify a resource ID")
    return namespace == NAMESPACE and dimension in {None, DIMENSION}


def page(
    found: Sequence[Item], parameters: Mapping[str, Any], most: int = 50
) -> tuple[Sequence[Item], Answer]:
    """One page of `found` and its NextToken; raises Validation- or InvalidNextTokenException."""
    limit = parameters.get("MaxResults") or most
    if not 1 <= limit <= most:
        bound = f"less than or equal to {most}" if limit > most else "greater than or equal to 1"
        raise invalid(
            f"1 validation error detected: Value '{limit}' at 'maxResults' failed to satisfy "
            f"constraint: Member must have value {bound}"
        )
    asked = {k: v for k, v in parameters.items() if k not in {"NextToken", "MaxResults"}}
    begin = _begin(parameters.get("NextToken"), asked)
    end = begin + limit
    more = {"NextToken": tokens.write([end], asked)} if end < len(found) else {}
    return found[begin:end], more


def _begin(token: str | None, asked: Mapping[str, Any]) -> int:
    if not token:
        return 0
    try:
        return tokens.read(token, asked)[0]
    except tokens.WrongToken as error:
        raise AwsError("InvalidNextTokenException", "The next token is invalid.") from error
