"""What costs can be grouped and filtered by: dimension values, tags, cost categories."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sandbox.costexplorer import inventory
from sandbox.costexplorer.expressions import ALL_OPTIONS, known_dimension, parse, refuse
from sandbox.costexplorer.ledger import Ledger, amount, page, size
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.questions import METRICS, past, view
from sandbox.costexplorer.service import ACCOUNT_NAME
from sandbox.errors import AwsError
from sandbox.honesty import our_reading, simplified
from sandbox.names import ACCOUNT

VALUES_PER_PAGE = 1000
_CONTEXTS = ("COST_AND_USAGE", "RESERVATIONS", "SAVINGS_PLANS")
_USERS, _AWS = "UserDefined", "AWSGenerated"

Answer = dict[str, Any]


class Values:
    """The operations that list what the bill knows. Every answer is charged as any request."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    @our_reading("Lines without a value of the dimension (NoInstanceType …) are listed as well.")
    async def get_dimension_values(self, **parameters: Any) -> Answer:
        """The values of a dimension that the period's costs have; raises AwsError."""
        return await asyncio.to_thread(self._dimension_values, parameters)

    def _dimension_values(self, parameters: Mapping[str, Any]) -> Answer:
        context = parameters.get("Context", "COST_AND_USAGE")
        if context not in _CONTEXTS:
            raise refuse(f"Context must be one of {', '.join(_CONTEXTS)}.")
        values: list[str] = []
        dimension = parameters["Dimension"]
        if dimension != "PRODUCT_ATTRIBUTE":
            key = known_dimension(dimension)
            found = self._found(parameters, lambda line: line.dimension(key))
            # The account has no reservations and no Savings Plans: nothing to list there.
            values = found if context == "COST_AND_USAGE" else []
        rows = [{"Value": value, "Attributes": _attributes(dimension, value)} for value in values]
        return self._listing(parameters, "DimensionValues", rows)

    @simplified("The activated cost allocation tags are environment, owner and service.")
    async def get_tags(self, **parameters: Any) -> Answer:
        """Tag keys, or the values of one key, among the period's costs; raises AwsError."""
        return await asyncio.to_thread(self._tags, parameters)

    def _tags(self, parameters: Mapping[str, Any]) -> Answer:
        key = parameters.get("TagKey")
        if key:
            return self._listing(
                parameters, "Tags", self._found(parameters, lambda line: line.tag(key))
            )
        keys = {key for line in self._lines(parameters) for key, _ in line.tags}
        rows = [key for key in sorted(keys) if _sought(parameters, key)]
        return self._listing(parameters, "Tags", rows)

    async def get_cost_categories(self, **parameters: Any) -> Answer:
        """The account has no cost categories; raises AwsError for a wrong period."""
        past(parameters["TimePeriod"], self._ledger.today)
        name = parameters.get("CostCategoryName")
        self._ledger.charge()
        member = "CostCategoryValues" if name else "CostCategoryNames"
        return {member: [], "ReturnSize": 0, "TotalSize": 0}

    def list_cost_category_definitions(self, **_: Any) -> Answer:
        """The account has no cost categories."""
        return {"CostCategoryReferences": []}

    @our_reading("Refused as AWS refuses a member account; the sandbox has no cost categories.")
    def create_cost_category_definition(self, **_: Any) -> Answer:
        """Always raises AwsError AccessDeniedException."""
        message = "Linked account doesn't have access to cost category."
        raise AwsError("AccessDeniedException", message)

    def list_cost_allocation_tags(self, **parameters: Any) -> Answer:
        """The activated cost allocation tags, by page; raises AwsError."""
        wanted = parameters.get("TagKeys") or inventory.TAG_KEYS
        shown = parameters.get("Status") != "Inactive" and parameters.get("Type") != _AWS
        rows = [self._allocation(key) for key in inventory.TAG_KEYS if shown and key in wanted]
        asked = {"NextPageToken": parameters["NextToken"]} if "NextToken" in parameters else {}
        rest = {key: parameters[key] for key in parameters if key != "NextToken"}
        found, more = page(rows, rest | asked, size=size(parameters, 1000))
        answer: Answer = {"CostAllocationTags": list(found)}
        return answer | ({"NextToken": more["NextPageToken"]} if more else {})

    def _allocation(self, key: str) -> Answer:
        day = self._ledger.today.isoformat()
        activated = (self._ledger.today.replace(day=1) - timedelta(days=400)).replace(day=1)
        return {
            "TagKey": key,
            "Type": _USERS,
            "Status": "Active",
            "LastUpdatedDate": f"{activated.isoformat()}T00:00:00Z",
            "LastUsedDate": f"{day}T00:00:00Z",
        }

    # -- reading the bill ----------------------------------------------------------------------

    def _lines(self, parameters: Mapping[str, Any]) -> list[Line]:
        view(parameters)
        period = past(parameters["TimePeriod"], self._ledger.today)
        wanted = parse(parameters.get("Filter"), ALL_OPTIONS)
        return self._ledger.lines(period.start, period.end, wanted)

    def _found(self, parameters: Mapping[str, Any], value: Callable[[Line], str]) -> list[str]:
        """Distinct values that match SearchString, in the order that SortBy asks for."""
        groups: dict[str, list[Line]] = {}
        for line in self._lines(parameters):
            groups.setdefault(value(line), []).append(line)
        chosen = [name for name in sorted(groups) if _sought(parameters, name)]
        for by in _sorting(parameters):
            amounts = {name: amount(by["Key"], groups[name])[0] for name in chosen}
            chosen.sort(key=_of(amounts), reverse=by.get("SortOrder") == "DESCENDING")
        return chosen

    def _listing(self, parameters: Mapping[str, Any], member: str, rows: list[Any]) -> Answer:
        most = size(parameters, VALUES_PER_PAGE)
        found, more = page(rows, parameters, size=most)
        self._ledger.charge()
        return {member: list(found), "ReturnSize": len(found), "TotalSize": len(rows), **more}


def _of(amounts: Mapping[str, Decimal]) -> Callable[[str], Decimal]:
    return lambda name: amounts[name]


def _sought(parameters: Mapping[str, Any], value: str) -> bool:
    return parameters.get("SearchString", "").casefold() in value.casefold()


def _sorting(parameters: Mapping[str, Any]) -> list[Mapping[str, str]]:
    sorting: list[Mapping[str, str]] = list(parameters.get("SortBy") or [])
    if sorting and ("NextPageToken" in parameters or "SearchString" in parameters):
        raise refuse("NextPageToken and SearchString are not supported with SortBy.")
    if not {by["Key"] for by in sorting} <= set(METRICS):
        raise refuse(f"SortBy keys must be some of {', '.join(METRICS)}.")
    return sorting


def _attributes(dimension: str, value: str) -> dict[str, str]:
    if dimension == "LINKED_ACCOUNT" and value == ACCOUNT:
        return {"description": ACCOUNT_NAME}
    return {}
