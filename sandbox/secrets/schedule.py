"""When a secret is due: AutomaticallyAfterDays, rate() and cron() expressions, in UTC.

Source: Secrets Manager user guide, "Schedule expressions in Secrets Manager rotation": windows
open on the hour, a rate in days opens at midnight and closes at the end of the day, one in hours
closes after an hour; Duration sets another length.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sandbox.errors import AwsError

_RATE = re.compile(r"^rate\((\d+) (day|days|hour|hours)\)$")
_CRON = re.compile(r"^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$")
_DURATION = re.compile(r"^(\d{1,2})h$")
_MONTHS = ("JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC")
_DAYS = ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT")
# The 29th of February may be eight years away.
_LONGEST_DAYS = 8 * 366


def check(rules: Mapping[str, Any]) -> None:
    """Raises InvalidParameterException for rules that Secrets Manager would not take."""
    days, expression = rules.get("AutomaticallyAfterDays"), rules.get("ScheduleExpression")
    if days is not None and expression:
        raise _invalid("You can't specify both AutomaticallyAfterDays and ScheduleExpression.")
    if days is not None and not 1 <= days <= 1000:
        raise _invalid("AutomaticallyAfterDays must be between 1 and 1000.")
    duration = rules.get("Duration")
    found = _DURATION.match(duration) if duration else None
    if duration and (not found or not 1 <= int(found.group(1)) <= 24):
        raise _invalid("Duration must be a number of hours such as 3h.")
    if expression:
        due(rules, datetime(2024, 1, 1, tzinfo=UTC))


def due(rules: Mapping[str, Any], after: datetime) -> datetime:
    """The end of the window in which the secret is rotated next after `after`, to the second.

    That is what NextRotationDate tells: the latest moment, not the probable one.
    """
    opens, window = _opening(rules, after)
    found = _DURATION.match(rules.get("Duration", ""))
    length = timedelta(hours=int(found.group(1))) if found else window
    end_of_day = opens.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    return min(opens + length, end_of_day) - timedelta(seconds=1)


def opens(rules: Mapping[str, Any], after: datetime) -> datetime:
    """The beginning of that window."""
    return _opening(rules, after)[0]


def _opening(rules: Mapping[str, Any], after: datetime) -> tuple[datetime, timedelta]:
    expression = rules.get("ScheduleExpression")
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    if not expression:
        days = int(rules.get("AutomaticallyAfterDays", 1))
        return midnight + timedelta(days=days), timedelta(days=1)
    if found := _RATE.match(expression):
        return _by_rate(int(found.group(1)), found.group(2), after)
    if found := _CRON.match(expression):
        return _by_cron(found.groups(), after)
    raise _invalid("The schedule expression must be rate(…) or cron(…).")


def _by_rate(number: int, unit: str, after: datetime) -> tuple[datetime, timedelta]:
    midnight = after.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit.startswith("day"):
        if not 1 <= number <= 999:
            raise _invalid("A rate in days must be between 1 and 999.")
        return midnight + timedelta(days=number), timedelta(days=1)
    if not 4 <= number <= 999:
        raise _invalid("A secret can be rotated every four hours at most.")
    hour = after.replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(hours=number), timedelta(hours=1)


def _by_cron(fields: tuple[str, ...], after: datetime) -> tuple[datetime, timedelta]:
    minutes, hours, days, months, weekdays, years = fields
    if minutes != "0" or years != "*":
        raise _invalid("In a rotation schedule the minutes must be 0 and the year *.")
    wanted_hours, wanted_months = _values(hours, 0, 23), _values(months, 1, 12, _MONTHS)
    wanted_days, wanted_weekdays = _values(days, 1, 31), _values(weekdays, 1, 7, _DAYS)
    at = after.replace(minute=0, second=0, microsecond=0)
    window = timedelta(hours=1) if hours == "*" or "/" in hours else timedelta(days=1)
    for number in range(_LONGEST_DAYS):
        day = at + timedelta(days=number)
        on_day = day.day in wanted_days and day.isoweekday() % 7 + 1 in wanted_weekdays
        moments = [day.replace(hour=hour) for hour in wanted_hours]
        later = [moment for moment in moments if moment > at]
        if on_day and day.month in wanted_months and later:
            return min(later), window
    raise _invalid("The schedule expression names no moment.")


def _values(field: str, first: int, last: int, names: Sequence[str] = ()) -> set[int]:
    """The numbers a cron field stands for; raises InvalidParameterException."""
    found: set[int] = set()
    for item in field.split(","):
        span, _, step = item.partition("/")
        begin, end = _span(span, first, last, names, open_end=bool(step))
        try:
            found |= set(range(begin, end + 1, int(step or 1)))
        except ValueError as error:
            raise _unread(field) from error
    return found


def _span(
    text: str, first: int, last: int, names: Sequence[str], *, open_end: bool
) -> tuple[int, int]:
    if text in ("*", "?"):
        return first, last
    begin, _, end = text.partition("-")
    numbers = [_number(word, first, last, names) for word in (begin, end) if word]
    if len(numbers) == 1:
        return numbers[0], last if open_end else numbers[0]
    return numbers[0], numbers[1]


def _number(word: str, first: int, last: int, names: Sequence[str]) -> int:
    if word.upper() in names:
        return names.index(word.upper()) + 1
    if not word.isdecimal() or not first <= int(word) <= last:
        raise _unread(word)
    return int(word)


def _unread(word: str) -> AwsError:
    return _invalid(f"The schedule expression contains {word}, which this sandbox does not read.")


def _invalid(message: str) -> AwsError:
    return AwsError("InvalidParameterException", message)
