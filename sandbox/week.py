"""How busy each hour of the week is, for the readers who ask now and for the computed past.

Standard library only: the process that sends the requests must stay small.
"""

from __future__ import annotations

import math

# Hours since Monday 00:00 UTC and the share of people who are about; between them a straight line,
# because a step at midnight would look like an incident.
HOURS = (0.0, 6.0, 114.0, 126.0, 162.0, 168.0)
SHARES = (0.86, 1.0, 1.0, 0.72, 0.72, 0.86)
# 1970-01-01 was a Thursday.
MONDAY = 72.0
# The day's wave: this much above and below its mean, lowest at this hour.
SWING, LOWEST = 0.45, 4.0


def busy(seconds: float) -> float:
    """How many requests come, of 1 on an average weekday; `seconds` since 1970."""
    hour = seconds / 3600
    wave = 1.0 - SWING * math.cos((hour - LOWEST) / 24.0 * 2 * math.pi)
    return wave * _share((hour + MONDAY) % 168.0)


def _share(hour: float) -> float:
    last = next(i for i, known in enumerate(HOURS[1:], 1) if hour <= known)
    begin, end = HOURS[last - 1], HOURS[last]
    gone = (hour - begin) / (end - begin)
    return SHARES[last - 1] + gone * (SHARES[last] - SHARES[last - 1])
