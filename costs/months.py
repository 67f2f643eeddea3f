"""UTC calendar months, half-open as Cost Explorer wants them. Pure."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

_DAY = timedelta(days=1)
# Yesterday's usage is still arriving; the day before yesterday has arrived.
_ARRIVES_WITHIN_DAYS = 1


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month; `str()` is its permalink, such as `2026-11`."""

    year: int
    number: int

    @classmethod
    def of(cls, day: date) -> Month:
        return cls(day.year, day.month)

    @classmethod
    def at(cls, moment: datetime) -> Month:
        """Return the month of an aware moment, in UTC."""
        return cls.of(moment.astimezone(UTC).date())

    @classmethod
    def parse(cls, text: str) -> Month:
        """Return the month called `YYYY-MM`.

        :raises ValueError: if there is no such month.
        """
        return cls.of(date.fromisoformat(f"{text}-01"))

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"

    @property
    def title(self) -> str:
        return f"{self.first:%B %Y}"

    @property
    def first(self) -> date:
        return date(self.year, self.number, 1)

    @property
    def end(self) -> date:
        """The first day that is not in the month any more."""
        return self.first + self.days * _DAY

    @property
    def days(self) -> int:
        return monthrange(self.year, self.number)[1]

    def previous(self) -> Month:
        return Month.of(self.first - _DAY)

    def following(self) -> Month:
        return Month.of(self.end)

    def before(self, count: int) -> Month:
        """Return the month so many months earlier."""
        months = self.year * 12 + self.number - 1 - count
        return Month(months // 12, months % 12 + 1)


def tomorrow(at: datetime) -> date:
    """Return where a question that includes today ends: End is exclusive."""
    return at.astimezone(UTC).date() + _DAY


@dataclass(frozen=True, slots=True)
class Span:
    """Days from `start` to before `end`, and whether they are a whole month."""

    start: date
    end: date
    whole: bool

    @property
    def days(self) -> int:
        return (self.end - self.start).days

    @property
    def last(self) -> date:
        return self.end - _DAY


@dataclass(frozen=True, slots=True)
class Comparable:
    """Two spans that may be compared: whole months, or the same first days of both."""

    now: Span
    before: Span


def comparable(month: Month, *, as_of: datetime) -> Comparable | None:
    """Return what of `month` may be compared with what of the month before.

    A month that is over is compared whole. The running one is compared by the days that had
    arrived completely when Cost Explorer was read, and by as many of the month before; None
    while there is no such day.
    """
    arrived = as_of.astimezone(UTC).date() - _ARRIVES_WITHIN_DAYS * _DAY
    earlier = month.previous()
    if arrived >= month.end:
        return Comparable(_whole(month), _whole(earlier))
    # March 30 has no counterpart in February: then the shorter month sets the length.
    days = min((arrived - month.first).days, earlier.days)
    if days <= 0:
        return None
    return Comparable(_first_days(month, days), _first_days(earlier, days))


def _whole(month: Month) -> Span:
    return Span(month.first, month.end, whole=True)


def _first_days(month: Month, days: int) -> Span:
    return Span(month.first, month.first + days * _DAY, whole=False)
