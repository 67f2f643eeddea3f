"""Compute Optimizer's operations on ECS services."""
# ruff: noqa: N803  (parameters carry AWS's own names)

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT
from sandbox.optimizer.facts import LOOK_BACK, Facts, ServiceFacts, cents
from sandbox.optimizer.recommendations import advised_size
from sandbox.optimizer.sizing import Size
from sandbox.state import State

_DOCUMENT = "ComputeOptimizer"
_MOST = 1000
_FILTERS = ("Finding", "FindingReasonCode")
_SCALING = {
    "ECSServiceAverageCPUUtilization": "TargetTrackingScalingCpu",
    "ECSServiceAverageMemoryUtilization": "TargetTrackingScalingMemory",
}

Answer = dict[str, Any]


class ComputeOptimizer:
    """Findings are computed when they are asked for; enrollment is kept."""

    def __init__(
        self, facts: Facts, state: State, epoch: datetime, now: Callable[[], datetime]
    ) -> None:
        self._facts = facts
        self._state = state
        self._epoch = epoch
        self._now = now

    @simplified(
        "One option a service: the cheapest size that fits 99.5 % of 14 days with 30 % room."
    )
    @our_reading("AWS's models are undisclosed; a service scaled by CPU keeps its CPU.")
    async def get_ecs_service_recommendations(
        self,
        serviceArns: Sequence[str] = (),
        filters: Sequence[Mapping[str, Any]] = (),
        accountIds: Sequence[str] = (),
        maxResults: int = _MOST,
        nextToken: str | None = None,
    ) -> Answer:
        """Findings by service, by page; raises AwsError."""
        self._enrolled()
        known = [
            facts
            for facts in await self._facts.services()
            if not accountIds or ACCOUNT in accountIds
        ]
        arns = {facts.arn for facts in known}
        found = [
            self._described(facts) for facts in known if not serviceArns or facts.arn in serviceArns
        ]
        chosen = [each for each in found if _passes(each, filters)]
        asked = {"arns": sorted(serviceArns), "filters": list(filters), "size": maxResults}
        rows, more = _page(chosen, nextToken, maxResults, asked)
        errors = [_missing(arn) for arn in serviceArns if arn not in arns]
        return {"ecsServiceRecommendations": list(rows), "errors": errors, **more}

    def get_enrollment_status(self) -> Answer:
        """Whether the account takes part."""
        kept: Answer | None = self._state.get(_DOCUMENT, "enrollment")
        return (kept or {"status": "Active", "lastUpdatedTimestamp": self._epoch}) | {
            "memberAccountsEnrolled": False,
            "numberOfMemberAccountsOptedIn": 0,
        }

    def update_enrollment_status(self, status: str, **_: Any) -> Answer:
        """Opt in or out; raises AwsError (InvalidParameterValueException)."""
        if status not in ("Active", "Inactive"):
            raise _invalid("status must be Active or Inactive.")
        body = {"status": status, "lastUpdatedTimestamp": self._now()}
        self._state.put(_DOCUMENT, "enrollment", body)
        return {"status": status}

    def _enrolled(self) -> None:
        if self.get_enrollment_status()["status"] != "Active":
            message = f"Account {ACCOUNT} is not registered for recommendations."
            raise AwsError("OptInRequiredException", message)

    def _described(self, facts: ServiceFacts) -> Answer:
        advised = advised_size(facts)
        reasons = _reasons(facts.size, advised)
        scaling = next((_SCALING[m] for m in sorted(facts.scales_by) if m in _SCALING), None)
        configuration = _configuration(facts.size, facts.container)
        configuration |= {"taskDefinitionArn": facts.task_definition}
        return {
            "serviceArn": facts.arn,
            "accountId": ACCOUNT,
            "currentServiceConfiguration": configuration
            | ({"autoScalingConfiguration": scaling} if scaling else {}),
            "utilizationMetrics": [
                {"name": name, "statistic": statistic, "value": round(value, 4)}
                for name, use in (("Cpu", facts.cpu), ("Memory", facts.memory))
                for statistic, value in (("Maximum", use.peak), ("Average", use.mean))
            ],
            "lookbackPeriodInDays": float(LOOK_BACK.days),
            "launchType": "Fargate",
            "lastRefreshTimestamp": self._now(),
            "finding": _finding(reasons),
            "findingReasonCodes": reasons,
            "serviceRecommendationOptions": [_option(facts, advised)] if reasons else [],
            "currentPerformanceRisk": _risk(reasons),
            "effectiveRecommendationPreferences": {
                "savingsEstimationMode": {"source": "PublicPricing"},
                "lookBackPeriod": "DAYS_14",
            },
            "tags": [{"key": key, "value": value} for key, value in facts.tags.items()],
        }


def _configuration(size: Size, container: str) -> Answer:
    return {
        "memory": size.memory,
        "cpu": size.cpu,
        "containerConfigurations": [
            {
                "containerName": container,
                "memorySizeConfiguration": {"memory": size.memory},
                "cpu": size.cpu,
            }
        ],
    }


def _reasons(current: Size, advised: Size) -> list[str]:
    found = []
    for name, now, then in (
        ("CPU", current.cpu, advised.cpu),
        ("Memory", current.memory, advised.memory),
    ):
        if now != then:
            found.append(f"{name}{'Over' if now > then else 'Under'}provisioned")
    return found


def _finding(reasons: Sequence[str]) -> str:
    if any("Under" in reason for reason in reasons):
        return "Underprovisioned"
    return "Overprovisioned" if reasons else "Optimized"


def _risk(reasons: Sequence[str]) -> str:
    return "Medium" if _finding(reasons) == "Underprovisioned" else "VeryLow"


def _option(facts: ServiceFacts, advised: Size) -> Answer:
    before, after = facts.size.monthly(facts.tasks), advised.monthly(facts.tasks)
    saved = max(before - after, before * 0)
    opportunity = {
        "savingsOpportunityPercentage": cents(100 * saved / before),
        "estimatedMonthlySavings": {"currency": "USD", "value": cents(saved)},
    }
    return {
        "memory": advised.memory,
        "cpu": advised.cpu,
        "savingsOpportunity": opportunity,
        "savingsOpportunityAfterDiscounts": opportunity,
        "projectedUtilizationMetrics": _projected(facts, advised),
        "containerRecommendations": _configuration(advised, facts.container)[
            "containerConfigurations"
        ],
    }


def _projected(facts: ServiceFacts, advised: Size) -> list[Answer]:
    found = []
    for name, use, now, then in (
        ("Cpu", facts.cpu, facts.size.cpu, advised.cpu),
        ("Memory", facts.memory, facts.size.memory, advised.memory),
    ):
        for statistic, value in (("Maximum", use.peak), ("Average", use.mean)):
            percent = round(value * now / then, 4)
            bounds = {"lowerBoundValue": percent, "upperBoundValue": percent}
            found.append({"name": name, "statistic": statistic, **bounds})
    return found


def _passes(found: Answer, filters: Sequence[Mapping[str, Any]]) -> bool:
    for each in filters:
        if each.get("name") not in _FILTERS:
            raise _invalid(f"Filter names are {' and '.join(_FILTERS)}.")
        values = set(each.get("values") or ())
        has = {found["finding"]} if each["name"] == "Finding" else set(found["findingReasonCodes"])
        if not values & has:
            return False
    return True


def _page(
    rows: Sequence[Answer], token: str | None, size: int, asked: Mapping[str, Any]
) -> tuple[Sequence[Answer], dict[str, str]]:
    if not 0 < size <= _MOST:
        raise _invalid(f"maxResults must be between 1 and {_MOST}.")
    try:
        begin = tokens.read(token, asked)[0] if token else 0
    except tokens.WrongToken as error:
        raise _invalid("The pagination token is invalid.") from error
    end = begin + size
    return rows[begin:end], ({"nextToken": tokens.write([end], asked)} if end < len(rows) else {})


def _missing(arn: str) -> Answer:
    message = "There are no recommendations for this service."
    return {"identifier": arn, "code": "ResourceNotFoundException", "message": message}


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterValueException", message)
