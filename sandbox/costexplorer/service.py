"""GetCostAndUsage, answering in botocore's output shape."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sandbox import tokens
from sandbox.charges import COST_EXPLORER_PAGES, Charges
from sandbox.costexplorer.bill import Bill
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.questions import COSTS, GroupBy, Period, Question, ask
from sandbox.errors import AwsError

# Smaller than AWS's, so that a client that forgets to page finds out here.
ROWS_PER_PAGE = 250


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class _Row:
    """One group of one period; `keys` is None for a period that is not grouped or empty."""

    period: Period
    keys: tuple[str, ...] | None
    lines: Sequence[Line]


class CostExplorer:
    """The account's bill since 14 months before `epoch`; charged requests are kept in `home`."""

    def __init__(
        self, home: Path, epoch: datetime, *, clock: Callable[[], datetime] = _utc_now
    ) -> None:
        self._charges = Charges(home)
        self._bill = Bill(epoch=epoch, charges=self._charges)
        self._clock = clock

    def close(self) -> None:
        """Release the database."""
        self._charges.close()

    async def get_cost_and_usage(self, **parameters: Any) -> dict[str, Any]:
        """One page of costs; every page answered is charged. Raises AwsError.

        Runs in a thread: a year of days takes longer than the gateway's other answers may wait.
        """
        return await asyncio.to_thread(self._cost_and_usage, parameters)

    def _cost_and_usage(self, parameters: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock()
        question = ask(parameters, now)
        asked = {key: parameters[key] for key in parameters if key != "NextPageToken"}
        begin = _begin(parameters.get("NextPageToken"), asked)
        rows = list(self._rows(question, now))
        end = begin + ROWS_PER_PAGE
        answer: dict[str, Any] = {
            "GroupDefinitions": [{"Type": by.kind, "Key": by.key} for by in question.group_by],
            "ResultsByTime": _results(rows[begin:end], question, now.astimezone(UTC).date()),
            "DimensionValueAttributes": [],
        }
        if end < len(rows):
            answer["NextPageToken"] = tokens.write([end], asked)
        self._charges.add(COST_EXPLORER_PAGES, 1, now)
        return answer

    def _rows(self, question: Question, now: datetime) -> Iterable[_Row]:
        for period in question.periods:
            lines = [
                line
                for line in self._bill.lines(period.start, period.end, now)
                if question.wanted(line)
            ]
            if not lines or not question.group_by:
                yield _Row(period, None, lines)
                continue
            groups: dict[tuple[str, ...], list[Line]] = {}
            for line in lines:
                groups.setdefault(_keys(line, question.group_by), []).append(line)
            for keys in sorted(groups):
                yield _Row(period, keys, groups[keys])


def _begin(token: str | None, asked: Mapping[str, Any]) -> int:
    if token is None:
        return 0
    try:
        return tokens.read(token, asked)[0]
    except tokens.OtherRequest as error:
        message = "The request parameters changed between pages."
        raise AwsError("RequestChangedException", message) from error
    except tokens.WrongToken as error:
        raise AwsError("InvalidNextTokenException", "The page token is invalid.") from error


def _keys(line: Line, group_by: Sequence[GroupBy]) -> tuple[str, ...]:
    """The group a line belongs to; tags are spelled `key$value`, untagged `key$`."""
    return tuple(
        f"{by.key}${line.tag(by.key)}" if by.kind == "TAG" else line.dimension(by.key)
        for by in group_by
    )


def _results(rows: Sequence[_Row], question: Question, today: date) -> list[dict[str, Any]]:
    """Rows gathered into their periods; a period whose groups do not fit is repeated."""
    results: list[dict[str, Any]] = []
    for row in rows:
        period = row.period.as_dict()
        if not results or results[-1]["TimePeriod"] != period:
            # An open month is an estimate as a whole.
            estimated = row.period.end > today.replace(day=1)
            results.append(
                {"TimePeriod": period, "Total": {}, "Groups": [], "Estimated": estimated}
            )
        metrics = {name: _amount(name, row.lines) for name in question.metrics}
        if row.keys is None:
            results[-1]["Total"] = metrics
        else:
            results[-1]["Groups"].append({"Keys": list(row.keys), "Metrics": metrics})
    return results


def _amount(metric: str, lines: Sequence[Line]) -> dict[str, str]:
    """The five costs are one: the account has no commitments and no private discounts."""
    if metric in COSTS:
        return {"Amount": _text(sum((line.cost for line in lines), Decimal(0))), "Unit": "USD"}
    units = {line.unit for line in lines}
    quantity = sum((line.quantity for line in lines), Decimal(0))
    return {"Amount": _text(quantity), "Unit": units.pop() if len(units) == 1 else "N/A"}


def _text(amount: Decimal) -> str:
    """At most ten decimals, without trailing zeros, never with an exponent."""
    text = f"{amount:.10f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text
