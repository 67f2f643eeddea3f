"""The account's bill: a line per day and kind of usage, as far as it is known by now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sandbox.charges import Charges
from sandbox.costexplorer import lines, measured, prices, script
from sandbox.costexplorer.journal import Journal
from sandbox.costexplorer.kinds import Kind
from sandbox.costexplorer.lines import Line, Tags, rounded

SUPPORT_FEE = Decimal("29.00")
TAX_RATE = Decimal("0.07")
CREDIT = Decimal("-25.00")
# The month that contains the day so long before the epoch received the credit.
_CREDIT_AGE = 120
# Usage shows up in Cost Explorer four to twelve hours late, three times a day; data transfer and
# CloudWatch's usage half a day later, so that yesterday grows as it does on AWS.
_DELAY = timedelta(hours=4)
_LATER = timedelta(hours=12)
_LATE_SERVICES = (lines.EC2_OTHER, lines.CLOUDWATCH)
_REFRESH_HOURS = 8
# What a GB-month (or thing-month) is counted in.
_BY_MONTH = frozenset({"GB-Mo", "Metrics", "Alarms", "Dashboards", "Secrets"})
_HOURS_A_DAY = Decimal(24)

Usage = Iterable[tuple[Kind, Tags, Decimal]]


def known_until(now: datetime, service: str = "") -> datetime:
    """The moment up to which a service's usage has arrived; never less than four hours ago."""
    late = _LATER if service in _LATE_SERVICES else timedelta(0)
    seen = now.astimezone(UTC) - _DELAY - late
    hour = seen.hour // _REFRESH_HOURS * _REFRESH_HOURS
    return seen.replace(hour=hour, minute=0, second=0, microsecond=0)


class Bill:
    """Lines of any day; days whose usage has all arrived are computed once."""

    def __init__(self, *, epoch: datetime, charges: Charges, journal: Journal) -> None:
        self._epoch = epoch.astimezone(UTC)
        self._charges = charges
        self._journal = journal
        self._full_days: dict[date, list[Line]] = {}

    def lines(self, start: date, end: date, now: datetime) -> list[Line]:
        """Every line from `start` to before `end`, as known `now`."""
        days = [start + timedelta(days=number) for number in range((end - start).days)]
        found = [line for day in days for line in self._usage(day, now)]
        firsts = [day for day in days if day.day == 1 and midnight(day) < known_until(now)]
        return found + [line for day in firsts for line in self._monthly(day, now)]

    def _usage(self, day: date, now: datetime) -> list[Line]:
        if day in self._full_days:
            return self._full_days[day]
        found = self._lines(day, now)
        arrived = min(known_until(now), *(known_until(now, late) for late in _LATE_SERVICES))
        if midnight(day) + timedelta(days=1) <= arrived:
            self._full_days[day] = found
        return found

    def _lines(self, day: date, now: datetime) -> list[Line]:
        quantities: dict[tuple[Kind, Tags], Decimal] = {}
        for kind, tags, quantity in self._quantities(day, now):
            quantities[kind, tags] = quantities.get((kind, tags), Decimal(0)) + quantity
        return [
            _line(day, kind, tags, rounded(quantity))
            for (kind, tags), quantity in quantities.items()
            if quantity
        ]

    def _quantities(self, day: date, now: datetime) -> Usage:
        yield from self._before_epoch(day, now)
        begin = max(midnight(day), self._epoch)
        if begin < midnight(day) + timedelta(days=1):
            yield from self._since_epoch(day, begin, now)

    def _before_epoch(self, day: date, now: datetime) -> Usage:
        if day > self._epoch.date():
            return
        found = script.usage(script.Day(day, (self._epoch.date() - day).days))
        for kind, tags, quantity in found:
            until = min(known_until(now, kind.service), self._epoch)
            yield kind, tags, quantity * _share(day, until)

    def _since_epoch(self, day: date, begin: datetime, now: datetime) -> Usage:
        def end(kind: Kind) -> datetime:
            return min(midnight(day) + timedelta(days=1), known_until(now, kind.service))

        month = _HOURS_A_DAY * script.days_in_month(day)
        for holding, hours in self._journal.between(begin, end):
            share = hours / month if holding.kind.unit in _BY_MONTH else hours
            yield holding.kind, holding.tags, holding.amount * share
        yield from measured.usage(self._charges, begin, end)

    def _monthly(self, first: date, now: datetime) -> list[Line]:
        """What is billed on the first: the support plan, tax on the month so far, a credit."""
        found = [_flat(first, lines.SUPPORT, "Dollar", lines.FEE, SUPPORT_FEE)]
        taxed = sum((line.cost for line in self._month(first, now)), SUPPORT_FEE)
        found.append(_flat(first, "Tax", "NoUsageType", lines.TAX, rounded(taxed * TAX_RATE)))
        credited = self._epoch.date() - timedelta(days=_CREDIT_AGE)
        if (first.year, first.month) == (credited.year, credited.month):
            usage = "Multi-AZUsage:db.t4g.medium"
            found.append(_flat(first, lines.RDS, usage, lines.CREDIT, CREDIT))
        return found

    def _month(self, first: date, now: datetime) -> Iterator[Line]:
        day = first
        while day.month == first.month and midnight(day) < now:
            yield from self._usage(day, now)
            day += timedelta(days=1)


def midnight(day: date) -> datetime:
    """The first moment of a UTC day."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _share(day: date, until: datetime) -> Decimal:
    """How much of a day's usage has arrived, from 0 to 1."""
    seconds = Decimal(str((until - midnight(day)).total_seconds()))
    return min(max(seconds, Decimal(0)), Decimal(86_400)) / 86_400


def _line(day: date, kind: Kind, tags: Tags, quantity: Decimal) -> Line:
    names = (kind.service, kind.usage_type, kind.operation, lines.USAGE)
    cost = rounded(quantity * prices.price(kind.price))
    return Line(day, *names, quantity, kind.unit, cost, tags)


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
        region=lines.NO_REGION,
    )
