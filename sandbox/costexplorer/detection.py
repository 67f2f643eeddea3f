"""Which days of a series cost more than they should have. Pure.

AWS uses undisclosed models. The sandbox's rule, on usage only (no tax, fees or credits):

expected e = (median of the weekday over 42 days) · (median of cost / that profile over 14 days);
s = 1.4826 · median |x - e| of the last 28 days that were no anomalies;
a day is an anomaly if x - e > max(4 · s, 2 USD, 0.10 · e); days in a row are one anomaly, and
two weeks of them become what is expected.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import median

PROFILE_DAYS, LEVEL_DAYS, RESIDUAL_DAYS = 42, 14, 28
# A series without so many days has no expectation yet.
LEAST_DAYS = 10
LEAST_USD, LEAST_SHARE, DEVIATIONS = 2.0, 0.10, 4.0


@dataclass(frozen=True)
class Day:
    """What a day cost, should have cost, and how far above that is still ordinary; USD."""

    day: date
    actual: float
    expected: float
    allowed: float

    @property
    def impact(self) -> float:
        """USD above what was expected."""
        return self.actual - self.expected

    @property
    def score(self) -> float:
        """0 at the threshold, towards 1 far beyond it."""
        return max(0.0, 1 - self.allowed / self.impact) if self.impact > 0 else 0.0


@dataclass(frozen=True)
class Anomaly:
    """Anomalous days in a row, first to last."""

    days: Sequence[Day]

    @property
    def start(self) -> date:
        """The first day."""
        return self.days[0].day

    @property
    def end(self) -> date:
        """The last day."""
        return self.days[-1].day


def anomalies(daily: Mapping[date, float], start: date, end: date) -> list[Anomaly]:
    """The anomalies of the days from `start` to before `end`.

    :param daily: USD by complete day, from 42 days before `start` where there are any.
    """
    series = _Series(daily)
    days = [start + timedelta(days=number) for number in range(-RESIDUAL_DAYS, (end - start).days)]
    found = [seen for day in days if (seen := series.judged(day))]
    return _merged([day for day in found if day.day >= start])


class _Series:
    """A series as it is seen day by day."""

    def __init__(self, daily: Mapping[date, float]) -> None:
        self._daily = dict(daily)
        self._masked: set[date] = set()
        self._residuals: list[float] = []

    def judged(self, day: date) -> Day | None:
        """The day if it is an anomaly."""
        if day not in self._daily:
            return None
        expected = expectation(self._daily, day, self._masked)
        if expected is None:
            return None
        spread = 1.4826 * median(self._residuals[-RESIDUAL_DAYS:]) if self._residuals else 0.0
        allowed = max(DEVIATIONS * spread, LEAST_USD, LEAST_SHARE * expected)
        seen = Day(day, self._daily[day], expected, allowed)
        if seen.impact > allowed:
            self._mask(day)
            return seen
        self._residuals.append(abs(seen.impact))
        return None

    def _mask(self, day: date) -> None:
        """Keep the day out of expectations; two weeks of such days are the new level."""
        self._masked.add(day)
        run = [day - timedelta(days=back) for back in range(LEVEL_DAYS)]
        if self._masked.issuperset(run):
            self._masked.difference_update(run)
            self._daily = {each: cost for each, cost in self._daily.items() if each >= run[-1]}


def expectation(daily: Mapping[date, float], day: date, masked: set[date]) -> float | None:
    """What `day` should cost by the days before it; None without ten of them."""
    before = [day - timedelta(days=back) for back in range(1, PROFILE_DAYS + 1)]
    known = [each for each in before if each in daily and each not in masked]
    if len(known) < LEAST_DAYS:
        return None
    profile = _profile(daily, known)
    recent = known[:LEVEL_DAYS]
    ratios = [daily[each] / profile[each.weekday()] for each in recent if profile[each.weekday()]]
    return profile[day.weekday()] * (median(ratios) if ratios else 0.0)


def _profile(daily: Mapping[date, float], known: Sequence[date]) -> dict[int, float]:
    overall = median(daily[each] for each in known)
    weekdays = {each.weekday() for each in known}
    return dict.fromkeys(range(7), overall) | {
        weekday: median(daily[each] for each in known if each.weekday() == weekday)
        for weekday in weekdays
    }


def _merged(days: Sequence[Day]) -> list[Anomaly]:
    runs: list[list[Day]] = []
    for day in days:
        if runs and runs[-1][-1].day + timedelta(days=1) == day.day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [Anomaly(run) for run in runs]
