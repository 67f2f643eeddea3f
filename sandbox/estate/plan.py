"""The network as it is drawn: names, addresses and rules, and the ids AWS would have given them.

Nothing here needs moto, so that ECS services can be placed before moto is imported.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from sandbox.measurements import resource_id
from sandbox.names import TEST_PORT

CIDR = "10.20.0.0/16"
ZONES = ("us-east-1a", "us-east-1b")
ANYWHERE = "0.0.0.0/0"


def aws_id(kind: str, name: str) -> str:
    """`<kind>-` and 17 hexadecimal digits, the same for the same name in every sandbox."""
    return f"{kind}-0{resource_id(f'{kind}:{name}')}"


@dataclass(frozen=True)
class Subnet:
    """One subnet; `tier` is public, app or database."""

    tier: str
    zone: str
    cidr: str

    @property
    def name(self) -> str:
        """`<tier>-<letter of the zone>`."""
        return f"{self.tier}-{self.zone[-1]}"

    @property
    def id(self) -> str:
        """`subnet-…`."""
        return aws_id("subnet", self.name)

    def host(self, number: int) -> str:
        """The address of that number in the subnet."""
        return str(ip_network(self.cidr)[number])


@dataclass(frozen=True)
class Opening:
    """An ingress rule for TCP; `source` is a CIDR block or the name of a security group."""

    port: int
    source: str


@dataclass(frozen=True)
class SecurityGroup:
    """One security group with its ingress rules; all of them let everything out."""

    name: str
    description: str
    openings: tuple[Opening, ...]

    @property
    def id(self) -> str:
        """`sg-…`."""
        return group_id(self.name)


def group_id(name: str) -> str:
    """The id of the security group of that name."""
    return aws_id("sg", name)


def subnets(tier: str) -> list[str]:
    """The ids of a tier's subnets, by zone."""
    return [subnet.id for subnet in SUBNETS if subnet.tier == tier]


VPC = aws_id("vpc", "news")
SUBNETS = (
    Subnet("public", ZONES[0], "10.20.0.0/24"),
    Subnet("public", ZONES[1], "10.20.1.0/24"),
    Subnet("app", ZONES[0], "10.20.16.0/20"),
    Subnet("app", ZONES[1], "10.20.32.0/20"),
    Subnet("database", ZONES[0], "10.20.8.0/24"),
    Subnet("database", ZONES[1], "10.20.9.0/24"),
)
ALB, APP, DATABASE, CACHE = "news-alb", "news-app", "news-database", "news-cache"
FORGOTTEN = "bastion-2024"
SECURITY_GROUPS = (
    SecurityGroup(
        ALB,
        "Load balancers",
        # Test traffic comes from inside the network only.
        (Opening(80, ANYWHERE), Opening(443, ANYWHERE), Opening(TEST_PORT, CIDR)),
    ),
    SecurityGroup(APP, "Tasks of the News API", (Opening(8000, ALB),)),
    SecurityGroup(DATABASE, "PostgreSQL", (Opening(5432, "10.0.0.0/8"),)),
    SecurityGroup(CACHE, "Redis", (Opening(6379, APP),)),
    SecurityGroup(FORGOTTEN, "Jump host for the migration", (Opening(22, ANYWHERE),)),
)
