"""What to read from Cost Explorer and when. Pure: history in, the next window out.

A day's costs are read once a day, after 08:00 UTC when most of the day before has arrived. The
last ten days are read again each time, and the month before until the 10th, because AWS still
changes them. The first time, the two newest months are read by day and the eleven before them
by month, so that it fits into one day's charged requests; what does not fit waits for tomorrow.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from costs.months import Month, tomorrow

DAILY, MONTHLY = "DAILY", "MONTHLY"
DAY_BEGINS = timedelta(hours=8)
READ_AGAIN = timedelta(days=10)
PREVIOUS_MONTH_UNTIL = 10
MONTHS_BY_DAY = 2
MONTHS_BACK = 12
FIRST_WAIT = timedelta(minutes=2)
LONGEST_WAIT = timedelta(hours=4)


@dataclass(frozen=True, slots=True)
class Window:
    """Days from `start` to before `end`, read with one granularity."""

    granularity: str
    start: date
    end: date


@dataclass(frozen=True, slots=True)
class Run:
    """An attempt to read a window. Times are UTC; `charged` counts requests."""

    window: Window
    status: str
    started_at: datetime
    charged: int

    @property
    def succeeded(self) -> bool:
        return self.status == "SUCCEEDED"

    @property
    def failed(self) -> bool:
        return self.status == "FAILED"


def next_window(runs: Sequence[Run], *, at: datetime, requests_a_day: int) -> Window | None:
    """Return what to read now, or None while nothing is due.

    :param runs: all that there ever were.
    """
    if charged_on(runs, at.astimezone(UTC).date()) >= requests_a_day or _waiting(runs, at):
        return None
    if not _read_today(runs, at):
        return recent(runs, at=at)
    return _missing(runs, at)


def next_at(runs: Sequence[Run], *, at: datetime, requests_a_day: int) -> datetime:
    """Return when something will be read next, as far as is known now."""
    candidates = [at]
    if _read_today(runs, at) and not _missing(runs, at):
        candidates.append(_slot_begins(at) + timedelta(days=1))
    if charged_on(runs, at.astimezone(UTC).date()) >= requests_a_day:
        candidates.append(datetime.combine(tomorrow(at), datetime.min.time(), UTC))
    if wait := _waiting(runs, at):
        candidates.append(wait)
    return max(candidates)


def recent(runs: Iterable[Run], *, at: datetime) -> Window:
    """Return the days that are read every day, reaching back to where the last reading ended."""
    today = at.astimezone(UTC).date()
    month = Month.of(today)
    starts = [today - READ_AGAIN]
    if today.day <= PREVIOUS_MONTH_UNTIL:
        starts.append(month.previous().first)
    starts.append(_read_until(runs) or month.before(MONTHS_BY_DAY - 1).first)
    oldest = month.before(MONTHS_BACK).first
    return Window(DAILY, max(min(starts), oldest), tomorrow(at))


def charged_on(runs: Iterable[Run], day: date) -> int:
    """Return how many requests were charged on a UTC day."""
    return sum(run.charged for run in runs if run.started_at.astimezone(UTC).date() == day)


def _missing(runs: Sequence[Run], at: datetime) -> Window | None:
    """The older months, if nothing has ever read them."""
    begun = [run.window.start for run in runs if run.succeeded]
    oldest = Month.at(at).before(MONTHS_BACK).first
    if not begun or min(begun) <= oldest or any(_is_history(run) for run in runs):
        return None
    return Window(MONTHLY, oldest, min(begun).replace(day=1))


def _is_history(run: Run) -> bool:
    return run.succeeded and run.window.granularity == MONTHLY


def _read_until(runs: Iterable[Run]) -> date | None:
    """The newest day of the last daily reading; it was not over then."""
    ends = [run.window.end for run in runs if run.succeeded and run.window.granularity == DAILY]
    return max(ends) - timedelta(days=1) if ends else None


def _slot_begins(at: datetime) -> datetime:
    day = (at.astimezone(UTC) - DAY_BEGINS).date()
    return datetime.combine(day, datetime.min.time(), UTC) + DAY_BEGINS


def _read_today(runs: Iterable[Run], at: datetime) -> bool:
    begins = _slot_begins(at)
    return any(
        run.succeeded and run.window.granularity == DAILY and run.started_at >= begins
        for run in runs
    )


def _waiting(runs: Iterable[Run], at: datetime) -> datetime | None:
    """Until when to wait after failures in a row, ever longer; None if there is no reason to."""
    failures = 0
    newest: datetime | None = None
    for run in sorted(runs, key=lambda run: run.started_at, reverse=True):
        if run.succeeded:
            break
        if run.failed:
            failures += 1
            newest = newest or run.started_at
    if newest is None:
        return None
    until = newest + min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
    return until if until > at else None
