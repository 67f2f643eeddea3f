"""One line of the bill, and the words it uses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

from sandbox.names import ACCOUNT, REGION

# What Cost Explorer calls the record types; a support plan is billed as one of its own.
USAGE, FEE, TAX, CREDIT = "Usage", "Support", "Tax", "Credit"
NO_REGION = "NoRegion"

ECS = "Amazon Elastic Container Service"
RDS = "Amazon Relational Database Service"
ELASTICACHE = "Amazon ElastiCache"
ELB = "Elastic Load Balancing"
EC2_OTHER = "EC2 - Other"
VPC = "Amazon Virtual Private Cloud"
CLOUDWATCH = "AmazonCloudWatch"
ECR = "Amazon EC2 Container Registry (ECR)"
SECRETS = "AWS Secrets Manager"
COST_EXPLORER = "AWS Cost Explorer"
SUPPORT = "AWS Support (Developer)"

_TEN_PLACES = Decimal("1e-10")
Tags = tuple[tuple[str, str], ...]


def rounded(amount: Decimal) -> Decimal:
    """Ten decimal places, as Cost Explorer keeps them: rounded once, so that sums are exact."""
    return amount.quantize(_TEN_PLACES, rounding=ROUND_HALF_EVEN)


@dataclass(frozen=True)
class Line:
    """What one kind of usage cost on one day, in USD; `quantity` counts in `unit`."""

    day: date
    service: str
    usage_type: str
    operation: str
    record_type: str
    quantity: Decimal
    unit: str
    cost: Decimal
    tags: Tags = ()
    region: str = REGION

    def dimension(self, key: str) -> str:
        """The value of a Cost Explorer dimension; raises KeyError for one that is not kept."""
        return _DIMENSIONS[key](self)

    def tag(self, key: str) -> str:
        """The value of a tag, empty where there is none."""
        return dict(self.tags).get(key, "")


def _instance_type(line: Line) -> str:
    size = line.usage_type.partition(":")[2]
    return size if size.startswith(("db.", "cache.")) else "NoInstanceType"


def _instance_family(line: Line) -> str:
    size = _instance_type(line)
    return size.split(".")[1] if "." in size else "NoInstanceTypeFamily"


def _deployment(line: Line) -> str:
    if line.service != RDS:
        return "NoDeploymentOption"
    return "Multi-AZ" if "Multi-AZ" in line.usage_type else "Single-AZ"


_DATABASES = {"0002": "MySQL", "0014": "PostgreSQL", "0021": "Aurora PostgreSQL"}
_CACHES = {"0001": "Memcached", "0002": "Redis", "0003": "Valkey"}


def _engine(line: Line) -> str:
    known = _DATABASES.get(line.operation.partition(":")[2]) if line.service == RDS else None
    return known or "NoDatabaseEngine"


def _cache_engine(line: Line) -> str:
    code = line.operation.partition(":")[2]
    return _CACHES.get(code, "NoCacheEngine") if line.service == ELASTICACHE else "NoCacheEngine"


def _purchase(line: Line) -> str:
    return "On Demand Instances" if line.record_type == USAGE else "NoPurchaseType"


def _always(value: str) -> Callable[[Line], str]:
    return lambda _: value


# The account buys everything on demand, from AWS itself, and has no EC2 instances.
_DIMENSIONS: dict[str, Callable[[Line], str]] = {
    "AZ": _always("NoAZ"),
    "BILLING_ENTITY": _always("AWS"),
    "CACHE_ENGINE": _cache_engine,
    "DATABASE_ENGINE": _engine,
    "DEPLOYMENT_OPTION": _deployment,
    "INSTANCE_TYPE": _instance_type,
    "INSTANCE_TYPE_FAMILY": _instance_family,
    "INVOICING_ENTITY": _always("Amazon Web Services, Inc."),
    "LEGAL_ENTITY_NAME": _always("Amazon Web Services, Inc."),
    "LINKED_ACCOUNT": _always(ACCOUNT),
    "OPERATING_SYSTEM": _always("NoOperatingSystem"),
    "OPERATION": lambda line: line.operation,
    "PLATFORM": _always("NoPlatform"),
    "PURCHASE_TYPE": _purchase,
    "RECORD_TYPE": lambda line: line.record_type,
    "REGION": lambda line: line.region,
    "RESERVATION_ID": _always("NoReservation"),
    "SAVINGS_PLANS_TYPE": _always("NoSavingsPlansType"),
    "SAVINGS_PLAN_ARN": _always("NoSavingsPlan"),
    "SCOPE": _always("NoScope"),
    "SERVICE": lambda line: line.service,
    "TENANCY": _always("NoTenancy"),
    "USAGE_TYPE": lambda line: line.usage_type,
    "USAGE_TYPE_GROUP": _always("NoUsageTypeGroup"),
}
DIMENSIONS = tuple(_DIMENSIONS)
