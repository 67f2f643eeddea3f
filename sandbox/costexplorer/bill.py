"""The account's bill: a line per day and kind of usage, as far as it is known by now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sandbox.charges import COST_EXPLORER_PAGES, METRICS_REQUESTED, Charges
from sandbox.costexplorer import holdings, lines, prices
from sandbox.costexplorer.holdings import HOLDINGS, Day, Holding
from sandbox.costexplorer.lines import Line, rounded

SUPPORT_FEE = Decimal("29.00")
TAX_RATE = Decimal("0.07")
CREDIT = Decimal("-25.00")
# The month that contains the day so long before the epoch received the credit.
_CREDIT_AGE = 120
# Usage shows up in Cost Explorer four to twelve hours late, three times a day.
_DELAY = timedelta(hours=4)
_REFRESH_HOURS = 8


@dataclass(frozen=True)
class _Words:
    """How the bill names one kind of charged request; `price` is a key of prices.json."""

    service: str
    usage_type: str
    operation: str
    price: str
    unit: str


_ASKING = {
    COST_EXPLORER_PAGES: _Words(
        lines.COST_EXPLORER, "USE1-APIRequest", "GetCostAndUsage", "ce.request", "Requests"
    ),
    METRICS_REQUESTED: _Words(
        lines.CLOUDWATCH, "CW:GMD-Metrics", "GetMetricData", "cw.getmetricdata_metric", "Metrics"
    ),
}


def known_until(now: datetime) -> datetime:
    """The moment up to which usage has arrived; never less than four hours ago."""
    seen = now.astimezone(UTC) - _DELAY
    hour = seen.hour // _REFRESH_HOURS * _REFRESH_HOURS
    return seen.replace(hour=hour, minute=0, second=0, microsecond=0)


class Bill:
    """Lines of any day; full days are computed once."""

    def __init__(self, *, epoch: datetime, charges: Charges) -> None:
        self._epoch = epoch.astimezone(UTC).date()
        self._charges = charges
        self._prices = prices.load()
        self._full_days: dict[date, list[Line]] = {}

    def lines(self, start: date, end: date, now: datetime) -> list[Line]:
        """Every line from `start` to before `end`, as known `now`."""
        until = known_until(now)
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        found = [line for day in days for line in self._usage(day, until)]
        firsts = [day for day in days if day.day == 1 and _share(day, until) > 0]
        return found + [line for day in firsts for line in self._monthly(day, until)]

    def _usage(self, day: date, until: datetime) -> list[Line]:
        share = _share(day, until)
        if share == 0:
            return []
        if share < 1:
            return [*self._metered(day, share), *self._own_requests(day, until)]
        if day not in self._full_days:
            self._full_days[day] = self._metered(day, share)
        return [*self._full_days[day], *self._own_requests(day, until)]

    def _metered(self, date_: date, share: Decimal) -> list[Line]:
        day = Day(date_, (self._epoch - date_).days)
        return [self._line(holding, day, share) for holding in HOLDINGS if holding.held(day)]

    def _line(self, holding: Holding, day: Day, share: Decimal) -> Line:
        quantity = rounded(holding.quantity(day) * share)
        return Line(
            day.date,
            holding.service,
            holding.usage_type,
            holding.operation,
            lines.USAGE,
            quantity,
            holding.unit,
            rounded(quantity * self._prices[holding.price]),
            holding.tags,
        )

    def _own_requests(self, day: date, until: datetime) -> list[Line]:
        """Asking costs, and shows as late as any usage: a bill does not change while it is read."""
        begin = _midnight(day)
        end = min(begin + timedelta(days=1), until)
        found = []
        for kind, words in _ASKING.items():
            number = Decimal(self._charges.between(kind, begin, end))
            if number:
                cost = rounded(number * self._prices[words.price])
                names = (words.service, words.usage_type, words.operation, lines.USAGE)
                found.append(Line(day, *names, number, words.unit, cost))
        return found

    def _monthly(self, first: date, until: datetime) -> list[Line]:
        """What is billed on the first: the support plan, tax on the month so far, a credit."""
        found = [_flat(first, lines.SUPPORT, "Dollar", lines.FEE, SUPPORT_FEE)]
        taxed = sum((line.cost for line in self._month(first, until)), SUPPORT_FEE)
        found.append(_flat(first, "Tax", "NoUsageType", lines.TAX, rounded(taxed * TAX_RATE)))
        credited = self._epoch - timedelta(days=_CREDIT_AGE)
        if (first.year, first.month) == (credited.year, credited.month):
            usage = "Multi-AZUsage:db.t4g.medium"
            found.append(_flat(first, lines.RDS, usage, lines.CREDIT, CREDIT))
        return found

    def _month(self, first: date, until: datetime) -> Iterable[Line]:
        day = first
        while day.month == first.month:
            yield from self._usage(day, until)
            day += timedelta(days=1)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _share(day: date, until: datetime) -> Decimal:
    """How much of a day's usage has arrived, from 0 to 1."""
    hours = (until - _midnight(day)) // timedelta(hours=1)
    return Decimal(min(max(hours, 0), 24)) / holdings.HOURS


def _flat(day: date, service: str, usage_type: str, record_type: str, cost: Decimal) -> Line:
    return Line(
        day,
        service,
        usage_type,
        "NoOperation",
        record_type,
        Decimal(0),
        "N/A",
        cost,
        region="NoRegion",
    )
