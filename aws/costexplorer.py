"""Cost Explorer: what the account's usage cost. Every answered page is charged USD 0.01."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import TYPE_CHECKING, Any

from aws import clients
from aws.errors import AwsError, Garbled, Refused, Throttled, required, rows, translated

if TYPE_CHECKING:
    from mypy_boto3_ce import CostExplorerClient

# Cost Explorer has one endpoint, whatever region the account's services are in.
REGION = "us-east-1"
ACTION = "ce:GetCostAndUsage"
USD_PER_REQUEST = Decimal("0.01")
# Cost Explorer's own word for "too many requests now"; elsewhere in AWS it means a quota.
_TOO_MANY = "LimitExceededException"


class TooManyPages(AwsError):
    """The answer has more pages than may be paid for; nothing of it is returned."""


@dataclass(frozen=True, slots=True)
class Amount:
    """An exact amount. Costs are in `USD`; quantities in their own unit, `N/A` if mixed."""

    value: Decimal
    unit: str


@dataclass(frozen=True, slots=True)
class Group:
    """One group in one period: from `start` to before `end`, both UTC days."""

    start: date
    end: date
    keys: tuple[str, ...]
    amounts: Mapping[str, Amount]
    estimated: bool


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: UTC days from `start` to before `end`, at most two dimensions."""

    start: date
    end: date
    granularity: str
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    without_record_types: tuple[str, ...] = ()


@cache
def client() -> CostExplorerClient:
    return clients.make("ce", region=REGION)  # type: ignore[no-any-return]


def get_cost_and_usage(
    question: Question, *, most_pages: int, charged: Callable[[], None]
) -> list[Group]:
    """Return every group of every period, all pages of it or none.

    :param charged: called after each page that AWS answered, which is what it charges for.
    :raises TooManyPages: if there are more than `most_pages`.
    :raises AwsError: see `aws.errors`; `LimitExceededException` is Throttled.
    :raises Garbled: if an answer lacks periods, groups or amounts: that is not "no cost".
    """
    parameters = _parameters(question)
    groups: dict[tuple[Any, ...], Group] = {}
    for _ in range(most_pages):
        answer = _page(parameters)
        charged()
        _merge(groups, rows(answer, "ResultsByTime", ACTION))
        if not answer.get("NextPageToken"):
            return list(groups.values())
        # The token is only valid with the very same parameters.
        parameters = parameters | {"NextPageToken": answer["NextPageToken"]}
    raise TooManyPages(f"{ACTION}: the answer has more than {most_pages} pages.", operation=ACTION)


def _page(parameters: Mapping[str, Any]) -> dict[str, Any]:
    try:
        with translated(ACTION):
            return dict(client().get_cost_and_usage(**parameters))
    except Refused as error:
        if error.code != _TOO_MANY:
            raise
        raise Throttled(str(error), code=error.code, operation=ACTION) from error


def _parameters(question: Question) -> dict[str, Any]:
    parameters: dict[str, Any] = {
        "TimePeriod": {"Start": question.start.isoformat(), "End": question.end.isoformat()},
        "Granularity": question.granularity,
        "Metrics": list(question.metrics),
        "GroupBy": [{"Type": "DIMENSION", "Key": key} for key in question.dimensions],
    }
    if question.without_record_types:
        excluded = {"Key": "RECORD_TYPE", "Values": list(question.without_record_types)}
        parameters["Filter"] = {"Not": {"Dimensions": excluded}}
    return parameters


def _merge(groups: dict[tuple[Any, ...], Group], results: Sequence[Mapping[str, Any]]) -> None:
    """Add a page's groups. A period may go on on the next page, a group may not."""
    if not results:
        raise Garbled(f"{ACTION}: the answer has no period.", operation=ACTION)
    for result in results:
        for group in _groups(result):
            key = (group.start, *group.keys)
            if key in groups:
                raise Garbled(f"{ACTION}: {key} was answered twice.", operation=ACTION)
            groups[key] = group


def _groups(result: Mapping[str, Any]) -> list[Group]:
    period = required(result, "TimePeriod", ACTION)
    return [
        Group(
            start=_day(period, "Start"),
            end=_day(period, "End"),
            keys=tuple(required(group, "Keys", ACTION)),
            amounts={
                name: _amount(metric) for name, metric in required(group, "Metrics", ACTION).items()
            },
            estimated=bool(result.get("Estimated")),
        )
        for group in rows(result, "Groups", ACTION)
    ]


def _day(period: Mapping[str, str], edge: str) -> date:
    sent = required(period, edge, ACTION)
    try:
        return date.fromisoformat(sent[:10])
    except ValueError as error:
        raise Garbled(f"{ACTION}: {sent!r} is no day.", operation=ACTION) from error


def _amount(metric: Mapping[str, str]) -> Amount:
    sent = required(metric, "Amount", ACTION)
    try:
        return Amount(Decimal(sent), metric.get("Unit", ""))
    except InvalidOperation as error:
        raise Garbled(f"{ACTION}: {sent!r} is no amount.", operation=ACTION) from error
