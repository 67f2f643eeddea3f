"""Usage that is counted as it happens: requests to the load balancers and to AWS's own APIs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from decimal import Decimal

from sandbox.charges import COST_EXPLORER_PAGES, LOG_BYTES_SCANNED, METRICS_REQUESTED, Charges
from sandbox.costexplorer import kinds, script
from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.lines import Tags
from sandbox.history import PRODUCTION, STAGING
from sandbox.measurements import AlbMinute, load_balancer_dimension

_BYTES_A_GB = Decimal(10**9)
_BALANCERS: dict[str, Tags] = {
    load_balancer_dimension(PRODUCTION.load_balancer): script.BALANCER,
    load_balancer_dimension(STAGING.load_balancer): script.STAGING_BALANCER,
}
_API_REQUESTS = {
    COST_EXPLORER_PAGES: kinds.COST_EXPLORER_PAGES,
    METRICS_REQUESTED: kinds.METRICS_ASKED,
}
# What each request to a load balancer uses elsewhere; the log lines of its task are measured.
_BY_REQUEST = (
    (kinds.NAT_BYTES, script.NAT_GB),
    (kinds.CROSS_AZ, script.CROSS_AZ_GB),
    (kinds.LOG_INGESTION, script.FLOW_LOG_GB),
)
_LOGGED = "logged-bytes"

# Kind, number and moment, as `Charges.count` takes them.
Charge = tuple[str, int, datetime]


def balanced(row: AlbMinute, at: datetime) -> list[Charge]:
    """The charges of a load balancer's minute that is over."""
    return [
        (_requests(row["load_balancer"]), row["requests"], at),
        (_bytes(row["load_balancer"]), row["bytes"], at),
    ]


def usage(
    charges: Charges, begin: datetime, end: Callable[[Kind], datetime]
) -> Iterator[tuple[Kind, Tags, Decimal]]:
    """Kind, tags and quantity of what was counted from `begin` to each kind's `end`.

    An LCU is one GB an hour: the bytes are what counts most for requests like the News API's.
    """

    def number(counter: str, kind: Kind) -> Decimal:
        return Decimal(charges.between(counter, begin, end(kind)))

    for counter, kind in _API_REQUESTS.items():
        yield kind, (), number(counter, kind)
    yield kinds.LOG_INGESTION, (), number(_LOGGED, kinds.LOG_INGESTION) / _BYTES_A_GB
    yield kinds.LOG_SCANS, (), number(LOG_BYTES_SCANNED, kinds.LOG_SCANS) / _BYTES_A_GB
    for balancer, tags in _BALANCERS.items():
        sent = number(_bytes(balancer), kinds.CAPACITY_UNITS)
        yield kinds.CAPACITY_UNITS, tags, sent / _BYTES_A_GB
        for kind, each in _BY_REQUEST:
            yield kind, (), each * number(_requests(balancer), kind)


def logged(group: str, size: int, at: datetime) -> list[Charge]:
    """The charges of bytes that were written to a log group."""
    return [(_LOGGED, size, at), (f"{_LOGGED} {group}", size, at)]


def logged_gb(charges: Charges, group: str, begin: datetime, end: datetime) -> Decimal:
    """GB of lines that came into a log group between two moments."""
    return charges.between(f"{_LOGGED} {group}", begin, end) / _BYTES_A_GB


def flow_log_gb(charges: Charges, begin: datetime, end: datetime) -> Decimal:
    """GB of flow logs between two moments."""
    requests = sum(charges.between(_requests(name), begin, end) for name in _BALANCERS)
    return requests * script.FLOW_LOG_GB


def _requests(load_balancer: str) -> str:
    return f"requests {load_balancer}"


def _bytes(load_balancer: str) -> str:
    return f"bytes {load_balancer}"
