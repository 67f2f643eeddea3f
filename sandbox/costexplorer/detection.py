"""Which days of a series cost more than they should have. Pure.

AWS uses undisclosed models. The sandbox's rule, on usage only (no tax, fees or credits):

expected e = (median of the weekday over 42 days) · (median of cost / that profile over 14 days);
s = 1.4826 · median |x - e| of the last 28 days that were no anomalies;
a day is an anomaly if x - e > max(4 · s, 2 USD, 0.10 · e); days in a row are one anomaly.
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
    masked: set[date] = set()
    residuals: list[float] = []
    found: list[Day] = []
    for number in range(-RESIDUAL_DAYS, (end - start).days):
        seen = _seen(daily, start + timedelta(days=number), masked, residuals)
        if seen is None:
            continue
        if seen.impact > seen.allowed:
            masked.add(seen.day)
            found.append(seen)
        else:
            residuals.append(abs(seen.impact))
    return _merged([day for day in found if day.day >= start])


def _seen(
    daily: Mapping[date, float], day: date, masked: set[date], residuals: Sequence[float]
) -> Day | None:
    if day not in daily:
        return None
    expected = expectation(daily, day, masked)
    if expected is None:
        return None
    spread = 1.4826 * median(residuals[-RESIDUAL_DAYS:]) if residuals else 0.0
    allowed = max(DEVIATIONS * spread, LEAST_USD, LEAST_SHARE * expected)
    return Day(day, daily[day], expected, allowed)


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
