"""What every operation of Cost Explorer works with: the bill, the time, and what asking costs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from sandbox import tokens
from sandbox.charges import COST_EXPLORER_PAGES, Charges
from sandbox.costexplorer.bill import Bill
from sandbox.costexplorer.expressions import Test, refuse
from sandbox.costexplorer.lines import Line
from sandbox.costexplorer.questions import COSTS
from sandbox.errors import AwsError

_TOKEN = "NextPageToken"  # noqa: S105  (a member's name)
# Normalised units of an hour by size, as reservations count them.
_UNITS = {
    "nano": "0.25",
    "micro": "0.5",
    "small": "1",
    "medium": "2",
    "large": "4",
    "xlarge": "8",
    "2xlarge": "16",
    "4xlarge": "32",
}


class Ledger:
    """The account's bill as it is known now. Reading lines is free; answers are charged."""

    def __init__(self, bill: Bill, charges: Charges, now: Callable[[], datetime]) -> None:
        self.now = now
        self._bill = bill
        self._charges = charges

    @property
    def today(self) -> date:
        """Today in UTC."""
        return self.now().date()

    def lines(self, start: date, end: date, wanted: Test | None = None) -> list[Line]:
        """Every wanted line from `start` to before `end`."""
        found = self._bill.lines(start, end, self.now())
        return found if wanted is None else [line for line in found if wanted(line)]

    def charge(self) -> None:
        """One request was answered: USD 0.01."""
        self._charges.add(COST_EXPLORER_PAGES, 1, self.now())


def page(
    rows: Sequence[Any], parameters: Mapping[str, Any], *, size: int
) -> tuple[Sequence[Any], dict[str, str]]:
    """One page of rows and the member NextPageToken, not there on the last page.

    Raises AwsError: InvalidNextTokenException, or RequestChangedException for another request.
    """
    asked = {key: parameters[key] for key in parameters if key != _TOKEN}
    begin = _begin(parameters.get(_TOKEN), asked)
    end = begin + size
    more = {_TOKEN: tokens.write([end], asked)} if end < len(rows) else {}
    return rows[begin:end], more


def size(parameters: Mapping[str, Any], most: int) -> int:
    """The page size that MaxResults asks for, `most` if it asks for none; raises AwsError."""
    asked = int(parameters.get("MaxResults") or most)
    if not 0 < asked <= most:
        raise refuse(f"MaxResults must be between 1 and {most}.")
    return asked


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


def amount(metric: str, lines: Iterable[Line]) -> tuple[Decimal, str]:
    """A metric of some lines and its unit, `N/A` where units are mixed.

    The five costs are one: the account has no commitments and no private discounts.
    """
    if metric in COSTS:
        return sum((line.cost for line in lines), Decimal(0)), "USD"
    if metric == "NormalizedUsageAmount":
        return sum((_normalised(line) for line in lines), Decimal(0)), "N/A"
    lines = list(lines)
    units = {line.unit for line in lines}
    quantity = sum((line.quantity for line in lines), Decimal(0))
    return quantity, units.pop() if len(units) == 1 else "N/A"


def _normalised(line: Line) -> Decimal:
    size_ = line.dimension("INSTANCE_TYPE").rpartition(".")[2]
    return line.quantity * Decimal(_UNITS.get(size_, "0"))


def text(number: Decimal) -> str:
    """At most ten decimals, without trailing zeros, never with an exponent."""
    plain = f"{number:.10f}".rstrip("0").rstrip(".")
    return "0" if plain == "-0" else plain
