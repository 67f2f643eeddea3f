"""Cost Optimization Hub's recommendations, made from facts."""

from __future__ import annotations

import base64
import hashlib
import math
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import kinds
from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.prices import HOURS_PER_MONTH, price
from sandbox.names import ACCOUNT, REGION
from sandbox.optimizer import sizing
from sandbox.optimizer.facts import LOOK_BACK, DatabaseFacts, ServiceFacts, cents
from sandbox.optimizer.sizing import Size

Answer = dict[str, Any]


@dataclass(frozen=True)
class Recommendation:
    """One recommendation; `before` and `after` are USD a month at list prices."""

    arn: str
    name: str
    resource_type: str
    action: str
    effort: str
    before: Decimal
    after: Decimal
    current: str
    recommended: str
    current_details: Answer
    recommended_details: Answer
    restart: bool = True
    rollback: bool = True
    tags: Mapping[str, str] = field(default_factory=dict)

    def identifier(self, at: datetime) -> str:
        """The id, valid for a day as AWS's are: base64 of account and a UUID."""
        text = f"{self.arn}|{self.action}|{at.date()}"
        name = uuid.UUID(bytes=hashlib.blake2b(text.encode(), digest_size=16).digest())
        return base64.b64encode(f"{ACCOUNT}_{name}".encode()).decode()

    @property
    def savings(self) -> Decimal:
        """USD a month."""
        return self.before - self.after

    def summary(self, at: datetime) -> Answer:
        """An item of ListRecommendations. estimatedMonthlyCost is the cost after the change."""
        return self._common(at) | {
            "currentResourceSummary": self.current,
            "recommendedResourceSummary": self.recommended,
        }

    def details(self, at: datetime) -> Answer:
        """The answer of GetRecommendation."""
        return self._common(at) | {
            "costCalculationLookbackPeriodInDays": LOOK_BACK.days,
            "estimatedSavingsOverCostCalculationLookbackPeriod": cents(
                self.savings * LOOK_BACK.days * 24 / HOURS_PER_MONTH
            ),
            "currentResourceDetails": self.current_details,
            "recommendedResourceDetails": self.recommended_details,
        }

    def _common(self, at: datetime) -> Answer:
        return {
            "recommendationId": self.identifier(at),
            "accountId": ACCOUNT,
            "region": REGION,
            "resourceId": self.name,
            "resourceArn": self.arn,
            "currentResourceType": self.resource_type,
            "recommendedResourceType": self.resource_type,
            "estimatedMonthlySavings": cents(self.savings),
            # Recorded answers are rounded up: 34.3 % of savings are told as 35.
            "estimatedSavingsPercentage": float(math.ceil(100 * self.savings / self.before)),
            "estimatedMonthlyCost": cents(self.after),
            "currencyCode": "USD",
            "implementationEffort": self.effort,
            "restartNeeded": self.restart,
            "actionType": self.action,
            "rollbackPossible": self.rollback,
            "lastRefreshTimestamp": at,
            "recommendationLookbackPeriodInDays": LOOK_BACK.days,
            "source": "ComputeOptimizer",
            "tags": [{"key": key, "value": value} for key, value in self.tags.items()],
        }


def of_services(services: Iterable[ServiceFacts]) -> list[Recommendation]:
    """Smaller sizes for services that use little of theirs."""
    return [found for facts in services if (found := _of_service(facts))]


def advised_size(facts: ServiceFacts) -> Size:
    """The size Compute Optimizer advises: the present one where scaling steers by both metrics."""
    if {"ECSServiceAverageCPUUtilization", "ECSServiceAverageMemoryUtilization"} <= facts.scales_by:
        return facts.size
    keep_cpu = "ECSServiceAverageCPUUtilization" in facts.scales_by
    return sizing.advised(facts.size, facts.cpu, facts.memory, keep_cpu=keep_cpu)


def _of_service(facts: ServiceFacts) -> Recommendation | None:
    size = advised_size(facts)
    before, after = facts.size.monthly(facts.tasks), size.monthly(facts.tasks)
    if after >= before:
        return None
    return Recommendation(
        arn=facts.arn,
        name=facts.name,
        resource_type="EcsService",
        action="Rightsize",
        effort="Medium",
        before=before,
        after=after,
        current=_size_text(facts.size),
        recommended=_size_text(size),
        current_details={"ecsService": _compute(facts.size, facts.tasks)},
        recommended_details={"ecsService": _compute(size, facts.tasks)},
        tags=facts.tags,
    )


def _size_text(size: Size) -> str:
    return f"{float(size.cpu)} vCPU/{size.memory} MB memory"


def _compute(size: Size, tasks: int) -> Answer:
    cpu, memory = kinds.fargate(arm=size.arm)
    hours = tasks * HOURS_PER_MONTH
    usages = [
        _usage(cpu, hours * Decimal(size.cpu) / 1024),
        _usage(memory, hours * Decimal(size.memory) / 1024),
    ]
    return {
        "configuration": {
            "compute": {
                "vCpu": size.cpu / 1024,
                "memorySizeInMB": size.memory,
                "architecture": "ARM64" if size.arm else "X86_64",
                "platform": "LINUX",
            }
        },
        "costCalculation": _calculation(usages, size.monthly(tasks)),
    }


def of_databases(databases: Iterable[DatabaseFacts]) -> list[Recommendation]:
    """Smaller classes for databases whose CPU is idle."""
    return [found for facts in databases if (found := _of_database(facts))]


def _of_database(facts: DatabaseFacts) -> Recommendation | None:
    smaller = sizing.smaller_database(facts.instance_class, facts.cpu)
    if facts.engine != "postgres" or smaller is None:
        return None
    current, advised = (
        kinds.database(name, engine=facts.engine, multi_az=facts.multi_az)
        for name in (facts.instance_class, smaller)
    )
    return Recommendation(
        arn=facts.arn,
        name=facts.name,
        resource_type="RdsDbInstance",
        action="Rightsize",
        effort="Medium",
        before=HOURS_PER_MONTH * price(current.price),
        after=HOURS_PER_MONTH * price(advised.price),
        current=facts.instance_class,
        recommended=smaller,
        current_details={"rdsDbInstance": _instance(facts.instance_class, current)},
        recommended_details={"rdsDbInstance": _instance(smaller, advised)},
        tags=dict(facts.tags),
    )


def _instance(name: str, kind: Kind) -> Answer:
    cost = HOURS_PER_MONTH * price(kind.price)
    return {
        "configuration": {"instance": {"dbInstanceClass": name}},
        "costCalculation": _calculation([_usage(kind, HOURS_PER_MONTH)], cost),
    }


def _usage(kind: Kind, amount: Decimal) -> Answer:
    return {
        "usageType": kind.usage_type,
        "usageAmount": float(amount),
        "operation": kind.operation,
        "productCode": kind.service,
        "unit": kind.unit,
    }


def _calculation(usages: list[Answer], cost: Decimal) -> Answer:
    nothing = {"savingsPlansDiscount": 0.0, "reservedInstancesDiscount": 0.0, "otherDiscount": 0.0}
    pricing = {
        "estimatedCostBeforeDiscounts": cents(cost),
        "estimatedNetUnusedAmortizedCommitments": 0.0,
        "estimatedDiscounts": nothing,
        "estimatedCostAfterDiscounts": cents(cost),
    }
    return {"usages": usages, "pricing": pricing}
