"""How the rest of a month, and the months after it, will probably go. Pure.

The method is the sandbox's: Cost Explorer does not say how it forecasts. Days cost what the last
28 days did, and the first of a month costs its lump (tax, support, fees) on top.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from statistics import NormalDist, mean, median, stdev

WINDOW = 28
RECENT = 7
# Cost Explorer has no forecast for accounts that are younger than a billing cycle.
LEAST_DAYS = 28


class TooYoung(Exception):
    """There are too few days to forecast from."""


@dataclass(frozen=True)
class Outlook:
    """What an ordinary day and the first of a month will cost, and how far a day may be off.

    `level` and `lump` in the metric's unit, `spread` the standard deviation of one day.
    """

    level: float
    lump: float
    spread: float

    def day(self, day: date) -> float:
        """The mean of one day."""
        return self.level + (self.lump if day.day == 1 else 0.0)

    def margin(self, days: int, percent: int) -> float:
        """Half the prediction interval of a sum of days, if days err independently.

        z · σ · √days, z being the two-sided quantile of the normal distribution.
        """
        quantile = NormalDist().inv_cdf(0.5 + percent / 200)
        return quantile * self.spread * math.sqrt(days)


def outlook(daily: Mapping[date, float], until: date) -> Outlook:
    """The outlook from complete days before `until`; raises TooYoung for less than 28 days."""
    days = [until - timedelta(days=back) for back in range(1, 64)]
    known = [day for day in days if day in daily]
    if len(known) < LEAST_DAYS:
        raise TooYoung
    ordinary = [daily[day] for day in known if day.day != 1][:WINDOW]
    level = _level(ordinary)
    lumps = [daily[day] - level for day in known if day.day == 1]
    spread = stdev(_without_outliers(ordinary))
    # The newest first may be that of an open month, whose tax still grows.
    return Outlook(level, max([*lumps[:2], 0.0]), spread)


def _level(newest_first: Sequence[float]) -> float:
    """The trimmed mean of 28 days; of the newest seven where these have left the others behind.

    Shift if |m7 - m28| > max(4 · MAD / √7, 0.05 · m28), medians m, MAD = 1.4826 · median |x - m28|.
    """
    recent = newest_first[:RECENT]
    middle = median(newest_first)
    deviation = 1.4826 * median(abs(value - middle) for value in newest_first)
    shift = abs(median(recent) - middle)
    if shift > max(4 * deviation / math.sqrt(RECENT), 0.05 * middle):
        return mean(sorted(recent)[1:-1])
    return mean(_without_outliers(newest_first))


def _without_outliers(values: Sequence[float]) -> list[float]:
    """Without the highest and lowest tenth."""
    cut = len(values) // 10
    return sorted(values)[cut : len(values) - cut]


def whole(
    daily: Mapping[date, float], ahead: Outlook, start: date, days: int, today: date
) -> float:
    """What a period that has begun will have cost: complete days, the others, this month's lump.

    `daily` has complete days only. The lump of the month of `today` is not whole before its end,
    because tax follows usage: what it lacks of the last one is added.
    """
    period = [start + timedelta(days=number) for number in range(days)]
    spent = sum(daily[day] for day in period if day in daily)
    rest = sum(ahead.day(day) for day in period if day not in daily)
    first = today.replace(day=1)
    missing = 0.0
    if first in daily and start <= first:
        missing = ahead.lump - (daily[first] - ahead.level)
    return spent + rest + max(missing, 0.0)
