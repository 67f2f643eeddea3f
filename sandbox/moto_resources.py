"""What moto reads from its own and botocore's files: this region's, once, and when asked for.

Left alone, moto's EC2 loads what thirty regions offer and keeps 1,395 instance types in memory,
more than a hundred megabytes, in an account that runs no instance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache, cached_property, partial
from typing import Any

import boto3
import botocore.session
import moto.utilities.utils

from sandbox.names import REGION

_TYPES = "ec2/resources/instance_types.json"
_OFFERINGS = "ec2/resources/instance_type_offerings"

Load = Callable[[str], Any]


class Late(Mapping[str, Any]):
    """A mapping whose content is loaded by the first look at it."""

    def __init__(self, load: Callable[[], Mapping[str, Any]]) -> None:
        self._load = load

    @cached_property
    def _loaded(self) -> Mapping[str, Any]:
        return self._load()

    def __getitem__(self, name: str) -> Any:
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._loaded)

    def __len__(self) -> int:
        return len(self._loaded)


@cache
def make_lean() -> None:
    """Let moto keep little; to be called before its EC2 is imported."""
    boto3.Session.get_available_regions = _regions_of_ec2  # type: ignore[assignment]
    boto3.Session.get_available_partitions = _partitions  # type: ignore[assignment]
    load = moto.utilities.utils.load_resource
    moto.utilities.utils.load_resource = _without_instance_types(load)  # type: ignore[assignment]
    from moto.ec2.models import instance_types as ec2

    moto.utilities.utils.load_resource = load
    ec2.INSTANCE_TYPES = types = Late(partial(load, _TYPES))  # type: ignore[assignment]
    ec2.INSTANCE_FAMILIES = Late(partial(_families, types))  # type: ignore[assignment]
    for kind, regions in ec2.INSTANCE_TYPE_OFFERINGS.items():
        offered = partial(_offered, load, kind, tuple(regions))
        ec2.INSTANCE_TYPE_OFFERINGS[kind] = Late(offered)
    described = cache(lambda: [ec2.InstanceType(name) for name in types])
    late = property(lambda _: described())
    ec2.InstanceTypeBackend.instance_types = late  # type: ignore[assignment]


def _without_instance_types(load: Load) -> Load:
    """`load` for the time in which moto's EC2 is imported."""

    def load_resource(name: str) -> Any:
        if name == _TYPES:
            return {}
        return [] if name.startswith(_OFFERINGS) else load(name)

    return load_resource


def _families(types: Iterable[str]) -> dict[str, None]:
    return dict.fromkeys(name.partition(".")[0] for name in types)


def _offered(load: Load, kind: str, regions: Iterable[str]) -> dict[str, list[dict[str, str]]]:
    """What each region offers by `kind` of location; this account has one region."""
    found = load(f"{_OFFERINGS}/{kind}/{REGION}.json.gz")
    here = [{**offer, "LocationType": kind} for offer in found]
    return {region: here if region == REGION else [] for region in regions}


@cache
def _ec2_endpoints() -> dict[str, list[str]]:
    """EC2's regions by partition, from a file that takes five megabytes while it is read."""
    session: Any = botocore.session.Session()
    resolver = session._get_internal_component("endpoint_resolver")
    return {
        partition: resolver.get_available_endpoints("ec2", partition)
        for partition in resolver.get_available_partitions()
    }


def _partitions(_: object) -> list[str]:
    return list(_ec2_endpoints())


def _regions_of_ec2(
    _: object, service_name: str, partition_name: str = "aws", *__: object
) -> list[str]:
    """Regions as EC2 has them, whatever the service: else each one's whole model is loaded."""
    return list(_ec2_endpoints().get(partition_name, ()))
