"""One line of the bill, and the words it uses."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_EVEN, Decimal

ACCOUNT = "123456789012"
REGION = "us-east-1"
USAGE, FEE, TAX, CREDIT = "Usage", "Fee", "Tax", "Credit"

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
        return {
            "SERVICE": self.service,
            "USAGE_TYPE": self.usage_type,
            "OPERATION": self.operation,
            "RECORD_TYPE": self.record_type,
            "REGION": self.region,
            "LINKED_ACCOUNT": ACCOUNT,
        }[key]

    def tag(self, key: str) -> str:
        """The value of a tag, empty where there is none."""
        return dict(self.tags).get(key, "")
