"""Cost Optimization Hub's operations."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sandbox import tokens
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT
from sandbox.optimizer.facts import Facts, cents
from sandbox.optimizer.recommendations import Recommendation, of_databases, of_services
from sandbox.state import State

_DOCUMENT = "CostOptimizationHub"
_MOST = 1000
_KNOWN_FILTERS = (
    "restartNeeded", "rollbackPossible", "implementationEfforts", "accountIds", "regions",
    "resourceTypes", "actionTypes", "tags", "resourceIds", "resourceArns", "recommendationIds",
)  # fmt: skip
_NOT_FOR_SUMMARIES = ("resourceIds", "resourceArns", "recommendationIds")
_GROUPS = {
    "AccountId": "accountId",
    "Region": "region",
    "ActionType": "actionType",
    "ResourceType": "currentResourceType",
    "RestartNeeded": "restartNeeded",
    "RollbackPossible": "rollbackPossible",
    "ImplementationEffort": "implementationEffort",
}
_MEMBERS = {
    "implementationEfforts": "implementationEffort",
    "accountIds": "accountId",
    "regions": "region",
    "resourceTypes": "currentResourceType",
    "actionTypes": "actionType",
    "resourceIds": "resourceId",
    "resourceArns": "resourceArn",
    "recommendationIds": "recommendationId",
}
_ORDERS = {
    "EstimatedMonthlySavings": "estimatedMonthlySavings",
    "EstimatedSavingsPercentage": "estimatedSavingsPercentage",
    "EstimatedMonthlyCost": "estimatedMonthlyCost",
    "CurrentResourceType": "currentResourceType",
    "ActionType": "actionType",
    "Region": "region",
    "ResourceId": "resourceId",
}
_PREFERENCES = {
    "savingsEstimationMode": "BeforeDiscounts",
    "memberAccountDiscountVisibility": "All",
}

Answer = dict[str, Any]


class CostOptimizationHub:
    """Recommendations are computed when they are asked for; enrollment and preferences are kept."""

    def __init__(
        self, facts: Facts, state: State, epoch: datetime, now: Callable[[], datetime]
    ) -> None:
        self._facts = facts
        self._state = state
        self._epoch = epoch
        self._now = now

    @simplified("ECS services and DB instances get Rightsize; nothing else gets recommendations.")
    @our_reading("estimatedMonthlyCost is the cost after the change, as in all recorded answers.")
    async def list_recommendations(self, **parameters: Any) -> Answer:
        """Recommendations by filter, by page; raises AwsError."""
        items = [each.summary(self._now()) for each in await self._recommendations()]
        wanted = [item for item in items if _wanted(item, parameters.get("filter") or {})]
        _order(wanted, parameters.get("orderBy") or {})
        rows, more = _page(wanted, parameters)
        return {"items": list(rows), **more}

    async def get_recommendation(self, recommendationId: str) -> Answer:  # noqa: N803
        """One recommendation with details; raises AwsError (ResourceNotFoundException)."""
        now = self._now()
        for each in await self._recommendations():
            if each.identifier(now) == recommendationId:
                return each.details(now)
        raise AwsError("ResourceNotFoundException", "The recommendation was not found.")

    async def list_recommendation_summaries(self, **parameters: Any) -> Answer:
        """Savings by group; raises AwsError."""
        group_by, asked = parameters["groupBy"], parameters.get("filter") or {}
        if group_by not in _GROUPS:
            raise _invalid(f"groupBy must be one of {', '.join(_GROUPS)}.")
        if set(asked) & set(_NOT_FOR_SUMMARIES):
            raise _invalid(f"{', '.join(_NOT_FOR_SUMMARIES)} are not supported as filters here.")
        found = await self._recommendations()
        chosen = [each for each in found if _wanted(each.summary(self._now()), asked)]
        items = self._groups(chosen, group_by)
        rows, more = _page(items, parameters)
        saved = sum((each.savings for each in chosen), Decimal(0))
        return {
            "estimatedTotalDedupedSavings": cents(saved),
            "items": list(rows),
            "groupBy": group_by,
            "currencyCode": "USD",
            **_percentage(chosen, saved, parameters.get("metrics") or ()),
            **more,
        }

    def _groups(self, chosen: Sequence[Recommendation], group_by: str) -> list[Answer]:
        groups: dict[str, list[Decimal]] = {}
        for each in chosen:
            value = str(each.summary(self._now())[_GROUPS[group_by]])
            groups.setdefault(value, []).append(each.savings)
        return [
            {
                "group": name,
                "estimatedMonthlySavings": cents(sum(savings, Decimal(0))),
                "recommendationCount": len(savings),
            }
            for name, savings in sorted(groups.items(), key=lambda item: -sum(item[1]))
        ]

    async def monthly_savings(self) -> Decimal:
        """USD a month that all recommendations would save; raises AwsError."""
        return sum((each.savings for each in await self._recommendations()), Decimal(0))

    async def _recommendations(self) -> list[Recommendation]:
        if self._enrollment()["status"] != "Active":
            message = f"Account {ACCOUNT} is not enrolled in Cost Optimization Hub."
            raise AwsError("AccessDeniedException", message)
        services = of_services(await self._facts.services())
        return [*services, *of_databases(await self._facts.databases())]

    # -- enrollment and preferences ------------------------------------------------------------

    def list_enrollment_statuses(self, accountId: str = ACCOUNT, **_: Any) -> Answer:  # noqa: N803
        """Whether the account takes part; raises AwsError (ValidationException)."""
        if accountId != ACCOUNT:
            raise _invalid(f"Account {accountId} is not this account.")
        return {"items": [{"accountId": ACCOUNT, **self._enrollment()}]}

    def update_enrollment_status(self, status: str, **_: Any) -> Answer:
        """Take part or no longer; raises AwsError (ValidationException)."""
        if status not in ("Active", "Inactive"):
            raise _invalid("status must be Active or Inactive.")
        known = self._enrollment()
        fresh = known | {"status": status, "lastUpdatedTimestamp": self._now()}
        self._state.put(_DOCUMENT, "enrollment", fresh)
        return {"status": status}

    def get_preferences(self) -> Answer:
        """How savings are estimated."""
        kept: Answer = self._state.get(_DOCUMENT, "preferences") or {}
        return _PREFERENCES | kept

    @simplified("Preferences are kept; there are no discounts that could change an estimate.")
    def update_preferences(self, **parameters: Any) -> Answer:
        """Change preferences; raises AwsError (ValidationException)."""
        mode = parameters.get("savingsEstimationMode", "BeforeDiscounts")
        if mode not in ("BeforeDiscounts", "AfterDiscounts"):
            raise _invalid("savingsEstimationMode must be BeforeDiscounts or AfterDiscounts.")
        fresh = self.get_preferences() | parameters
        self._state.put(_DOCUMENT, "preferences", fresh)
        return fresh

    def _enrollment(self) -> Answer:
        kept: Answer | None = self._state.get(_DOCUMENT, "enrollment")
        times = {"createdTimestamp": self._epoch, "lastUpdatedTimestamp": self._epoch}
        return kept or {"status": "Active", **times}


def _invalid(message: str) -> AwsError:
    return AwsError("ValidationException", message)


def _wanted(item: Answer, asked: Mapping[str, Any]) -> bool:
    unknown = set(asked) - set(_KNOWN_FILTERS)
    if unknown:
        raise _invalid(f"Unknown filters: {', '.join(sorted(unknown))}.")
    for name in ("restartNeeded", "rollbackPossible"):
        if name in asked and item[name] != asked[name]:
            return False
    if any(asked.get(name) and item[_MEMBERS[name]] not in asked[name] for name in _MEMBERS):
        return False
    tags = asked.get("tags")
    return not tags or any(tag in item["tags"] for tag in tags)


def _order(items: list[Answer], by: Mapping[str, str]) -> None:
    dimension = by.get("dimension", "EstimatedMonthlySavings")
    if dimension not in _ORDERS:
        raise _invalid(f"orderBy must be one of {', '.join(_ORDERS)}.")
    items.sort(key=lambda item: item[_ORDERS[dimension]], reverse=by.get("order", "Desc") == "Desc")


def _page(
    rows: Sequence[Answer], parameters: Mapping[str, Any]
) -> tuple[Sequence[Answer], dict[str, str]]:
    size = int(parameters.get("maxResults") or _MOST)
    if not 0 <= size <= _MOST:
        raise _invalid(f"maxResults must be between 0 and {_MOST}.")
    asked = {key: parameters[key] for key in parameters if key != "nextToken"}
    try:
        token = parameters.get("nextToken")
        begin = tokens.read(token, asked)[0] if token else 0
    except tokens.WrongToken as error:
        raise _invalid("The pagination token is invalid.") from error
    end = begin + size
    more = {"nextToken": tokens.write([end], asked)} if end < len(rows) else {}
    return rows[begin:end], more


def _percentage(chosen: Sequence[Recommendation], saved: Decimal, metrics: Sequence[str]) -> Answer:
    """Savings as a share of what the resources cost now, where it is asked for."""
    cost = sum((each.before for each in chosen), Decimal(0))
    if "SavingsPercentage" not in metrics or not cost:
        return {}
    return {"metrics": {"savingsPercentage": f"{100 * saved / cost:.2f}"}}
