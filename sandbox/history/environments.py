"""The two environments of the News API, as the account's metrics know them."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Environment:
    """One copy of the News API: its cluster, load balancer, target groups and ordinary figures.

    `requests_per_second` is the mean over a weekday, and constant unless `shaped`; there are
    `tasks` tasks of `cpu_units` and `memory_mib` each.
    """

    cluster: str
    load_balancer: str
    blue: str
    green: str
    requests_per_second: float
    shaped: bool
    tasks: int
    cpu_units: int
    memory_mib: int


PRODUCTION = Environment(
    cluster="production",
    load_balancer="news-production",
    blue="news-api-blue",
    green="news-api-green",
    requests_per_second=15.0,
    shaped=True,
    tasks=2,
    cpu_units=512,
    memory_mib=1024,
)
STAGING = Environment(
    cluster="staging",
    load_balancer="news-staging",
    blue="news-staging-blue",
    green="news-staging-green",
    requests_per_second=1.0,
    shaped=False,
    tasks=1,
    cpu_units=512,
    memory_mib=1024,
)
ENVIRONMENTS = (PRODUCTION, STAGING)
