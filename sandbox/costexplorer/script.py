"""The bill before the epoch: what the account held and used day by day, and how it grew to that.

A function of the day alone, so that it never changes. Its last day agrees with what a fresh
account holds (`inventory.py` reads that from the live account).
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

import numpy as np

from sandbox.costexplorer import kinds
from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.lines import Tags
from sandbox.history.noise import uniform

ALWAYS = 10_000
HOURS = Decimal(24)

# Days before the epoch at which the account changed.
STAGING_ADDED = 330
SECOND_NAT = 270
STATUS_PAGE_ADDED = 240
SECOND_CACHE_NODE = 210
DATABASE_UPGRADED = 150
NAT_FLOOD = range(37, 41)
NAT_FLOOD_GB = Decimal(180)

PRODUCTION: Tags = (("environment", "production"), ("owner", "news"), ("service", "news-api"))
INGEST: Tags = (("environment", "production"), ("owner", "news"), ("service", "news-ingest"))
STAGING: Tags = (("environment", "staging"), ("owner", "news"), ("service", "news-api"))
# Tagging is as incomplete as in most accounts: the cache and the network have no tags at all.
DATABASE: Tags = (("service", "news-api"),)
BALANCER: Tags = (("environment", "production"),)
STAGING_BALANCER: Tags = (("environment", "staging"),)

# What a request costs besides the load balancer, in GB: fetched through NAT gateways, sent across
# Availability Zones, written to log groups. A mean day has 15 × 0.92 × 86,400 requests.
NAT_GB = Decimal("4.14e-6")
CROSS_AZ_GB = Decimal("5.52e-6")
LOG_GB = Decimal("1.31e-6")
# The part of it that is not written by the tasks: flow logs and access logs.
FLOW_LOG_GB = Decimal("0.96e-6")
REQUESTS_A_DAY = Decimal("1.192e6")
LCU_HOURS_A_DAY = Decimal("5.6")
# Logs are stored compressed; 180 GB is what the log groups had gathered at the epoch.
LOG_COMPRESSION = Decimal("0.23")
LOG_ARCHIVE_GB = Decimal(180)
LOG_GROWTH_GB_A_DAY = Decimal("0.36")
# How often a task reads its secrets.
SECRET_CALLS_A_TASK_HOUR = Decimal(14)


@dataclass(frozen=True)
class Day:
    """A day of the bill; `age` counts days before the epoch's day."""

    date: date
    age: int

    @property
    def of_month(self) -> Decimal:
        """The share of its month that the day is: what a GB kept all day is of a GB-month."""
        return 1 / Decimal(days_in_month(self.date))

    @property
    def load(self) -> Decimal:
        """How busy the day is, 1 on average: weekends are quiet, and no two days are equal."""
        weekly = Decimal("0.79") if self.date.weekday() >= 5 else Decimal("1.084")
        noise = uniform("daily load", np.array([self.date.toordinal()], dtype=np.int64))[0]
        return weekly * (1 + (Decimal(str(round(float(noise), 6))) - Decimal("0.5")) / 10)


def days_in_month(day: date) -> int:
    """How many days the day's month has."""
    return calendar.monthrange(day.year, day.month)[1]


Quantity = Callable[[Day], Decimal]


@dataclass(frozen=True)
class Entry:
    """A kind of usage, how much of it a day has, `since` and `until` so many days ago."""

    kind: Kind
    quantity: Quantity
    tags: Tags = ()
    since: int = ALWAYS
    until: int = -ALWAYS


def usage(day: Day) -> Iterator[tuple[Kind, Tags, Decimal]]:
    """Kind, tags and quantity of everything that was used on a day before the epoch."""
    for entry in SCRIPT:
        if entry.until < day.age <= entry.since:
            yield entry.kind, entry.tags, entry.quantity(day)


def _hours(number: str) -> Quantity:
    return lambda _: HOURS * Decimal(number)


def _kept(amount: str, growth: str = "0", least: str = "0") -> Quantity:
    """A GB-month (or thing-month) quantity that grew by so much a day until the epoch."""

    def quantity(day: Day) -> Decimal:
        then = Decimal(amount) - Decimal(growth) * max(day.age, 0)
        return max(then, Decimal(least)) * day.of_month

    return quantity


def _busy(amount: Decimal) -> Quantity:
    """A daily amount that follows the traffic."""
    return lambda day: amount * day.load


def _nat_bytes(day: Day) -> Decimal:
    flood = NAT_FLOOD_GB if day.age in NAT_FLOOD else 0
    return REQUESTS_A_DAY * NAT_GB * day.load + flood


def _calls(tasks: int) -> Quantity:
    return lambda _: SECRET_CALLS_A_TASK_HOUR * HOURS * tasks


def _tasks(
    tags: Tags, *, vcpu: str, gb: str, tasks: int, since: int = ALWAYS
) -> tuple[Entry, Entry, Entry]:
    cpu, memory = kinds.fargate(arm=False)
    return (
        Entry(cpu, _hours(vcpu), tags, since),
        Entry(memory, _hours(gb), tags, since),
        Entry(kinds.SECRET_CALLS, _calls(tasks), (), since),
    )


def _database() -> tuple[Entry, ...]:
    small, medium = (
        kinds.database(f"db.t4g.{size}", engine="postgres", multi_az=True)
        for size in ("small", "medium")
    )
    storage = kinds.database_storage(engine="postgres", multi_az=True)
    return (
        Entry(small, _hours("1"), DATABASE, ALWAYS, DATABASE_UPGRADED),
        Entry(medium, _hours("1"), DATABASE, DATABASE_UPGRADED),
        Entry(storage, _kept("100", growth="0.1", least="50"), DATABASE),
    )


def _cache() -> tuple[Entry, ...]:
    node = kinds.cache_node("cache.t3.medium", engine="redis")
    return (
        Entry(node, _hours("1")),
        Entry(node, _hours("1"), (), SECOND_CACHE_NODE),
    )


def _load_balancers() -> tuple[Entry, ...]:
    # Staging's share of the requests is 1 of 14.8 a second.
    return (
        Entry(kinds.LOAD_BALANCER, _hours("1"), BALANCER),
        Entry(kinds.LOAD_BALANCER, _hours("1"), STAGING_BALANCER, STAGING_ADDED),
        Entry(kinds.LOAD_BALANCER, _hours("1"), BALANCER, STATUS_PAGE_ADDED),
        Entry(kinds.CAPACITY_UNITS, _busy(LCU_HOURS_A_DAY), BALANCER),
        Entry(kinds.CAPACITY_UNITS, _busy(Decimal("0.4")), STAGING_BALANCER, STAGING_ADDED),
    )


def _network() -> tuple[Entry, ...]:
    return (
        Entry(kinds.NAT_HOURS, _hours("1")),
        Entry(kinds.NAT_HOURS, _hours("1"), (), SECOND_NAT),
        Entry(kinds.NAT_BYTES, _nat_bytes),
        Entry(kinds.CROSS_AZ, _busy(REQUESTS_A_DAY * CROSS_AZ_GB)),
        Entry(kinds.ADDRESS, _hours("3")),
        Entry(kinds.ADDRESS, _hours("1"), (), SECOND_NAT),
    )


def _kept_things() -> tuple[Entry, ...]:
    return (
        Entry(kinds.LOG_INGESTION, _busy(REQUESTS_A_DAY * LOG_GB)),
        Entry(kinds.LOG_STORAGE, _kept(str(LOG_ARCHIVE_GB), growth=str(LOG_GROWTH_GB_A_DAY))),
        Entry(kinds.METRICS, _kept("12")),
        Entry(kinds.ALARMS, _kept("17")),
        Entry(kinds.DASHBOARDS, _kept("1")),
        Entry(kinds.IMAGES, _kept("1.5676", growth="0.003", least="0.4")),
        Entry(kinds.SECRETS, _kept("3"), DATABASE),
        Entry(kinds.SECRETS, _kept("1"), (("service", "news-tools"),)),
    )


SCRIPT: tuple[Entry, ...] = (
    *_tasks(PRODUCTION, vcpu="1", gb="2", tasks=2),
    *_tasks(INGEST, vcpu="0.25", gb="0.5", tasks=1),
    *_tasks(STAGING, vcpu="0.5", gb="1", tasks=1, since=STAGING_ADDED),
    *_database(),
    *_cache(),
    *_load_balancers(),
    *_network(),
    *_kept_things(),
)
