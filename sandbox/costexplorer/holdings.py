"""What the account holds and uses, day by day, and how it grew to that."""

from __future__ import annotations

import calendar
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from sandbox.costexplorer import lines
from sandbox.costexplorer.lines import Tags
from sandbox.history.noise import uniform

ALWAYS = 10_000
HOURS = Decimal(24)

# Days before the epoch at which the account changed.
STAGING_ADDED = 330
SECOND_NAT = 270
SECOND_CACHE_NODE = 210
DATABASE_UPGRADED = 150
NAT_FLOOD = range(38, 41)
NAT_FLOOD_GB = Decimal(180)

PRODUCTION: Tags = (("environment", "production"), ("owner", "news"), ("service", "news-api"))
INGEST: Tags = (("environment", "production"), ("owner", "news"), ("service", "news-ingest"))
STAGING: Tags = (("environment", "staging"), ("owner", "news"), ("service", "news-api"))


@dataclass(frozen=True)
class Day:
    """A day of the bill; `age` counts days before the epoch's day and is negative after it."""

    date: date
    age: int

    @property
    def of_month(self) -> Decimal:
        """The share of its month that the day is: what a GB kept all day is of a GB-month."""
        return 1 / Decimal(calendar.monthrange(self.date.year, self.date.month)[1])

    @property
    def load(self) -> Decimal:
        """How busy the day is, 1 on average: weekends are quiet, and no two days are equal."""
        weekly = Decimal("0.79") if self.date.weekday() >= 5 else Decimal("1.084")
        noise = uniform("daily load", np.array([self.date.toordinal()], dtype=np.int64))[0]
        return weekly * (1 + (Decimal(str(round(float(noise), 6))) - Decimal("0.5")) / 10)


Quantity = Callable[[Day], Decimal]


@dataclass(frozen=True)
class Holding:
    """A kind of usage: how much of it a day has, from `since` until `until` days before the epoch.

    `price` is a key of prices.json, `unit` what Cost Explorer calls the quantity's unit.
    """

    service: str
    usage_type: str
    operation: str
    price: str
    unit: str
    quantity: Quantity
    tags: Tags = ()
    since: int = ALWAYS
    until: int = -ALWAYS

    def held(self, day: Day) -> bool:
        """Whether the account has this on that day."""
        return self.until < day.age <= self.since


def _hours(number: str) -> Quantity:
    return lambda _: HOURS * Decimal(number)


def _kept(amount: str, growth: str = "0", least: str = "0") -> Quantity:
    """A GB-month (or thing-month) quantity that grew by so much a day until the epoch."""

    def quantity(day: Day) -> Decimal:
        then = Decimal(amount) - Decimal(growth) * max(day.age, 0)
        return max(then, Decimal(least)) * day.of_month

    return quantity


def _busy(amount: str) -> Quantity:
    """A daily amount that follows the traffic."""
    return lambda day: Decimal(amount) * day.load


def _nat_bytes(day: Day) -> Decimal:
    return Decimal("4.93") * day.load + (NAT_FLOOD_GB if day.age in NAT_FLOOD else 0)


def _fargate(tags: Tags, *, vcpu: str, gb: str, since: int = ALWAYS) -> list[Holding]:
    return [
        Holding(
            lines.ECS,
            "USE1-Fargate-vCPU-Hours:perCPU",
            "FargateTask",
            "fargate.x86.vcpu_hour",
            "hours",
            _hours(vcpu),
            tags,
            since,
        ),
        Holding(
            lines.ECS,
            "USE1-Fargate-GB-Hours",
            "FargateTask",
            "fargate.x86.gb_hour",
            "hours",
            _hours(gb),
            tags,
            since,
        ),
    ]


def _database() -> list[Holding]:
    def instance(size: str, since: int, until: int) -> Holding:
        return Holding(
            lines.RDS,
            f"Multi-AZUsage:db.t4g.{size}",
            "CreateDBInstance:0014",
            f"rds.postgres.db.t4g.{size}.multi_hour",
            "Hrs",
            _hours("1"),
            PRODUCTION,
            since,
            until,
        )

    return [
        instance("small", ALWAYS, DATABASE_UPGRADED),
        instance("medium", DATABASE_UPGRADED, -ALWAYS),
        Holding(
            lines.RDS,
            "RDS:Multi-AZ-GP3-Storage",
            "CreateDBInstance:0014",
            "rds.gp3.multi_gb_month",
            "GB-Mo",
            _kept("100", growth="0.1", least="50"),
            PRODUCTION,
        ),
    ]


def _cache() -> list[Holding]:
    def node(since: int) -> Holding:
        return Holding(
            lines.ELASTICACHE,
            "NodeUsage:cache.t3.medium",
            "CreateCacheCluster:0002",
            "elasticache.redis.cache.t3.medium.hour",
            "Hrs",
            _hours("1"),
            PRODUCTION,
            since,
        )

    return [node(ALWAYS), node(SECOND_CACHE_NODE)]


def _load_balancers() -> list[Holding]:
    kind = (lines.ELB, "LoadBalancerUsage", "LoadBalancing:Application", "alb.hour", "Hrs")
    capacity = (lines.ELB, "LCUUsage", "LoadBalancing:Application", "alb.lcu_hour", "LCU-Hrs")
    return [
        Holding(*kind, _hours("1"), PRODUCTION),
        Holding(*kind, _hours("1"), STAGING, STAGING_ADDED),
        Holding(*capacity, _busy("5.6"), PRODUCTION),
        Holding(*capacity, _busy("0.4"), STAGING, STAGING_ADDED),
    ]


def _network() -> list[Holding]:
    nat = (lines.EC2_OTHER, "NatGateway-Hours", "NatGateway", "nat.hour", "Hrs")
    address = (
        lines.VPC,
        "USE1-PublicIPv4:InUseAddress",
        "AllocateAddressVPC",
        "ipv4.hour",
        "Hrs",
    )
    return [
        Holding(*nat, _hours("1")),
        Holding(*nat, _hours("1"), (), SECOND_NAT),
        Holding(lines.EC2_OTHER, "NatGateway-Bytes", "NatGateway", "nat.gb", "GB", _nat_bytes),
        Holding(
            lines.EC2_OTHER,
            "DataTransfer-Regional-Bytes",
            "InterZone-In",
            "transfer.cross_az_gb",
            "GB",
            _busy("6.58"),
        ),
        Holding(*address, _hours("3")),
        Holding(*address, _hours("1"), (), SECOND_NAT),
    ]


def _observability() -> list[Holding]:
    def kept(usage: str, operation: str, price: str, unit: str, amount: Quantity) -> Holding:
        return Holding(lines.CLOUDWATCH, usage, operation, price, unit, amount)

    metric, alarm, board = "cw.custom_metric_month", "cw.alarm_month", "cw.dashboard_month"
    return [
        kept("USE1-DataProcessing-Bytes", "PutLogEvents", "logs.ingest_gb", "GB", _busy("1.56")),
        kept(
            "USE1-TimedStorage-ByteHrs",
            "HourlyStorageMetering",
            "logs.storage_gb_month",
            "GB-Mo",
            _kept("180", growth="0.36"),
        ),
        kept("CW:MetricMonitorUsage", "MetricStorage", metric, "Metrics", _kept("20")),
        kept("CW:AlarmMonitorUsage", "Unknown", alarm, "Alarms", _kept("12")),
        kept("DashboardsUsageHour", "DashboardHour", board, "Dashboards", _kept("1")),
    ]


def _images_and_secrets() -> list[Holding]:
    return [
        Holding(
            lines.ECR,
            "TimedStorage-ByteHrs",
            "TimedStorage-ByteHrs",
            "ecr.gb_month",
            "GB-Mo",
            _kept("40", growth="0.07"),
        ),
        Holding(
            lines.SECRETS,
            "USE1-AWSSecretsManager-Secrets",
            "Secret",
            "secrets.secret_month",
            "Secrets",
            _kept("18"),
        ),
        Holding(
            lines.SECRETS,
            "USE1-AWSSecretsManagerAPIRequest",
            "GetSecretValue",
            "secrets.call",
            "API Requests",
            _busy("1315"),
        ),
    ]


HOLDINGS: tuple[Holding, ...] = (
    *_fargate(PRODUCTION, vcpu="1", gb="2"),
    *_fargate(INGEST, vcpu="0.25", gb="0.5"),
    *_fargate(STAGING, vcpu="0.5", gb="1", since=STAGING_ADDED),
    *_database(),
    *_cache(),
    *_load_balancers(),
    *_network(),
    *_observability(),
    *_images_and_secrets(),
)
