"""When scheduled actions run: at(…), rate(…) and cron(…) expressions.

Source: Application Auto Scaling user guide, "Schedule expressions"; the fields of cron are those
of Amazon EventBridge (1 is Sunday, and one of the two day fields is `?`).
"""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import product
from typing import Protocol
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from sandbox.autoscaling.errors import invalid

_MONTHS = {name.upper(): number for number, name in enumerate(calendar.month_abbr) if name}
_WEEK = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
_DAYS = {name: number for number, name in enumerate(_WEEK, 1)}
_UNITS = {"minute": 60, "hour": 3600, "day": 86400}
# A leap day that falls on one weekday comes again after 28 years, or 40 around 2100.
_LONGEST_DAYS = 366 * 41


class Schedule(Protocol):
    """A parsed schedule expression."""

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The first run after `moment`, UTC; None when there is none. `start` begins a rate."""


@dataclass(frozen=True)
class At:
    """Once."""

    moment: datetime

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The one run, unless it is over."""
        return self.moment if self.moment > moment else None


@dataclass(frozen=True)
class Rate:
    """At intervals, counted from the start."""

    every: timedelta

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The next multiple of the interval after the start."""
        if moment < start:
            return start
        return start + ((moment - start) // self.every + 1) * self.every


@dataclass(frozen=True)
class Cron:
    """On matching minutes of matching days, in a time zone."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: str
    months: tuple[int, ...]
    weekdays: str
    years: tuple[int, ...]
    zone: ZoneInfo

    def next_after(self, moment: datetime, start: datetime) -> datetime | None:
        """The next match, looking from day to day."""
        first = moment.astimezone(self.zone).date()
        for ahead in range(_LONGEST_DAYS):
            day = first + timedelta(days=ahead)
            if self._matches(day):
                found = [at for at in self._times(day) if at > moment]
                if found:
                    return min(found)
            if day.year > max(self.years):
                return None
        return None

    def _times(self, day: date) -> list[datetime]:
        return [
            datetime(day.year, day.month, day.day, *at, tzinfo=self.zone).astimezone(UTC)
            for at in product(self.hours, self.minutes, self.seconds)
        ]

    def _matches(self, day: date) -> bool:
        if day.month not in self.months or day.year not in self.years:
            return False
        return _day_matches(self.days, day) and _weekday_matches(self.weekdays, day)


def parse(expression: str, zone: str | None = None) -> Schedule:
    """The schedule `expression` stands for in an IANA time zone; raises ValidationException."""
    found = re.fullmatch(r"(at|rate|cron)\((.*)\)", expression.strip())
    if not found:
        raise invalid(f"Schedule expression '{expression}' is not valid")
    kind, inner = found.groups()
    try:
        where = ZoneInfo(zone or "UTC")
        if kind == "at":
            return At(datetime.fromisoformat(inner).replace(tzinfo=where).astimezone(UTC))
        return _rate(inner) if kind == "rate" else _cron(inner, where)
    except (ZoneInfoNotFoundError, IsADirectoryError) as error:
        raise invalid(f"Timezone '{zone}' is not valid") from error
    except (ValueError, KeyError) as error:
        raise invalid(f"Schedule expression '{expression}' is not valid") from error


def _rate(inner: str) -> Rate:
    """`5 hours`; a value of 1 has a singular unit, as everywhere in AWS."""
    value, unit = inner.split()
    number = int(value)
    if number < 1 or unit.endswith("s") is (number == 1):
        raise ValueError(inner)
    return Rate(timedelta(seconds=number * _UNITS[unit.removesuffix("s")]))


def _cron(inner: str, zone: ZoneInfo) -> Cron:
    """Six fields, or seven with seconds in front."""
    fields = inner.upper().split()
    seconds, minutes, hours, days, months, weekdays, years = (
        fields if len(fields) == 7 else ["0", *fields]
    )
    if days not in {"?", "*"} and weekdays not in {"?", "*"}:
        raise ValueError(inner)
    cron = Cron(
        seconds=_numbers(seconds, 0, 59),
        minutes=_numbers(minutes, 0, 59),
        hours=_numbers(hours, 0, 23),
        days=days,
        months=_numbers(months, 1, 12, _MONTHS),
        weekdays=weekdays,
        years=_numbers(years, 1970, 2199),
        zone=zone,
    )
    # A field that cannot be read must be refused now, not on its first day.
    _day_matches(days, date(2024, 2, 29))
    _weekday_matches(weekdays, date(2024, 2, 29))
    return cron


def _numbers(
    field: str, low: int, high: int, names: dict[str, int] | None = None
) -> tuple[int, ...]:
    """`*`, `1,2`, `8-17`, `0/15` and names; raises ValueError or KeyError."""
    found: set[int] = set()
    for part in field.split(","):
        span, _, step = part.partition("/")
        first, _, last = span.partition("-")
        begin = low if first == "*" else _number(first, names)
        end = _number(last, names) if last else (high if step or first == "*" else begin)
        if not low <= begin <= end <= high:
            raise ValueError(field)
        found.update(range(begin, end + 1, int(step or 1)))
    return tuple(sorted(found))


def _number(text: str, names: dict[str, int] | None) -> int:
    return names[text] if names and text in names else int(text)


def _day_matches(field: str, day: date) -> bool:
    """A day of the month: also `L` (the last) and `15W` (the weekday nearest to the 15th)."""
    if field in {"?", "*"}:
        return True
    last = calendar.monthrange(day.year, day.month)[1]
    if field == "L":
        return day.day == last
    if field.endswith("W"):
        return day.day == _nearest_weekday(day, _numbers(field[:-1], 1, 31)[0], last)
    return day.day in _numbers(field, 1, 31)


def _nearest_weekday(day: date, wanted: int, last: int) -> int:
    wanted = min(wanted, last)
    weekday = day.replace(day=wanted).weekday()
    if weekday == 5:
        return wanted - 1 if wanted > 1 else wanted + 2
    if weekday == 6:
        return wanted + 1 if wanted < last else wanted - 2
    return wanted


def _weekday_matches(field: str, day: date) -> bool:
    """A day of the week: also `3#2` (the second Tuesday) and `6L` (the last Friday)."""
    if field in {"?", "*"}:
        return True
    weekday = day.isoweekday() % 7 + 1
    if "#" in field:
        which, _, number = field.partition("#")
        return _numbers(which, 1, 7, _DAYS) == (weekday,) and (day.day + 6) // 7 == int(number)
    if field.endswith("L"):
        in_last_week = day.day + 7 > calendar.monthrange(day.year, day.month)[1]
        return _numbers(field[:-1] or "7", 1, 7, _DAYS) == (weekday,) and in_last_week
    return weekday in _numbers(field, 1, 7, _DAYS)
