"""The account's network in moto: a VPC with three tiers in two zones, as plan.py draws it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from unittest import mock

from sandbox.estate.plan import (
    ALB,
    ANYWHERE,
    CACHE,
    CIDR,
    DATABASE,
    SECURITY_GROUPS,
    SUBNETS,
    VPC,
    ZONES,
    Opening,
    Subnet,
    group_id,
)
from sandbox.measurements import load_balancer_dimension
from sandbox.moto_adapter import backend
from sandbox.names import ACCOUNT, REGION

# Addresses for documentation (RFC 5737): what leads nowhere must not look like somebody's.
_NAT_ADDRESSES = ("203.0.113.11", "203.0.113.12")
_BALANCER_ADDRESSES = ("203.0.113.21", "203.0.113.22")


def seed() -> None:
    """Create everything; the default VPC stays beside it, as in most accounts."""
    ec2 = backend("ec2", ACCOUNT, REGION)
    with _returning("vpcs.random_vpc_id", VPC):
        ec2.create_vpc(CIDR, tags=_name("news"))
    ec2.vpcs[VPC].enable_dns_hostnames = True
    for subnet in SUBNETS:
        with _returning("subnets.random_subnet_id", subnet.id):
            tags = {"subnet": _tags(subnet.name)}
            ec2.create_subnet(VPC, subnet.cidr, availability_zone=subnet.zone, tags=tags)
    _routes(ec2)
    _security_groups(ec2)
    _interfaces(ec2)


@contextmanager
def _returning(function: str, value: str) -> Iterator[None]:
    """moto invents ids; those that ECS services name must be known beforehand."""
    with mock.patch(f"moto.ec2.models.{function}", return_value=value):
        yield


def _routes(ec2: Any) -> None:
    gateway = ec2.create_internet_gateway(tags=_name("news"))
    ec2.attach_internet_gateway(gateway.id, VPC)
    public = _table(ec2, "public", lambda subnet: subnet.tier == "public")
    ec2.create_route(public, ANYWHERE, gateway_id=gateway.id)
    _table(ec2, "database", lambda subnet: subnet.tier == "database")
    for zone, address in zip(ZONES, _NAT_ADDRESSES, strict=True):
        table = _table(ec2, f"app-{zone[-1]}", partial(_in, "app", zone))
        ec2.create_route(table, ANYWHERE, nat_gateway_id=_nat_gateway(ec2, zone, address))


def _in(tier: str, zone: str, subnet: Subnet) -> bool:
    return (subnet.tier, subnet.zone) == (tier, zone)


def _table(ec2: Any, name: str, belongs: Callable[[Subnet], bool]) -> str:
    table = ec2.create_route_table(VPC, tags=_name(name))
    for subnet in SUBNETS:
        if belongs(subnet):
            ec2.associate_route_table(table.id, subnet_id=subnet.id)
    found: str = table.id
    return found


def _nat_gateway(ec2: Any, zone: str, address: str) -> str:
    public = next(s for s in SUBNETS if s.tier == "public" and s.zone == zone)
    name = f"nat-{zone[-1]}"
    elastic = ec2.allocate_address("vpc", address=address, tags=_tags(name))
    # moto's address would lie outside the subnet.
    with mock.patch("moto.ec2.models.nat_gateways.random_private_ip", return_value=public.host(10)):
        gateway = ec2.create_nat_gateway(public.id, elastic.allocation_id, tags=_tags(name))
    interface = gateway._eni  # moto keeps it there and nowhere else
    interface._group_set = []
    interface.description = f"Interface for NAT Gateway {gateway.id}"
    interface.interface_type, interface.status = "natGateway", "in-use"
    found: str = gateway.id
    return found


def _security_groups(ec2: Any) -> None:
    for group in SECURITY_GROUPS:
        with _returning("security_groups.random_security_group_id", group.id):
            ec2.create_security_group(
                group.name, group.description, vpc_id=VPC, tags=_tags(group.name)
            )
    for group in SECURITY_GROUPS:
        for opening in group.openings:
            _authorize(ec2, group.id, "tcp", opening)
    # What AWS gives every default group; moto leaves it out.
    default = ec2.get_default_security_group(VPC).id
    _authorize(ec2, default, "-1", Opening(-1, default))


def _authorize(ec2: Any, group: str, protocol: str, opening: Opening) -> None:
    address = "/" in opening.source
    source = opening.source if opening.source.startswith("sg-") else group_id(opening.source)
    port = None if opening.port < 0 else str(opening.port)
    ec2.authorize_security_group_ingress(
        group,
        protocol,
        port,
        port,
        [{"CidrIp": opening.source}] if address else [],
        source_groups=None if address else [{"GroupId": source}],
    )


def _interfaces(ec2: Any) -> None:
    """What AWS attaches to load balancers, database and cache: it tells which groups are used."""
    balancer = f"ELB {load_balancer_dimension('news-production')}"
    for number, address in enumerate(_BALANCER_ADDRESSES):
        interface = _interface(ec2, "public", number, ALB, balancer)
        interface.public_ip = address
    for number in range(len(ZONES)):
        _interface(ec2, "database", number, CACHE, f"ElastiCache news-production-00{number + 1}")
    _interface(ec2, "database", 0, DATABASE, "RDSNetworkInterface")


def _interface(ec2: Any, tier: str, number: int, group: str, description: str) -> Any:
    subnet = [s for s in SUBNETS if s.tier == tier][number]
    interface = ec2.create_network_interface(
        subnet.id, None, group_ids=[group_id(group)], description=description
    )
    interface.status, interface.requester_managed = "in-use", True
    return interface


def _name(name: str) -> list[dict[str, str]]:
    return [{"Key": "Name", "Value": name}]


def _tags(name: str) -> dict[str, str]:
    return {"Name": name}
