"""How many requests people send at which time; the traffic generator may use the same figures."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from sandbox.cloudwatch.points import Floats, Ints
from sandbox.history.environments import Environment

_WEEKEND = 0.72


def requests_per_second(environment: Environment, minutes: Ints) -> Floats:
    """Expected requests per second at minutes since 1970: quiet nights, quiet weekends."""
    hour = (minutes % 1440) / 60
    day = 0.45 * np.sin((hour - 9) / 24 * 2 * np.pi) + 0.12 * np.sin((hour - 6) / 12 * 2 * np.pi)
    # 1970-01-01 was a Thursday, so days 2 and 3 of each week of seven are the weekend.
    weekend = np.isin(minutes // 1440 % 7, (2, 3))
    week = np.where(weekend, 1 - (1 - _WEEKEND) * environment.swing, 1.0)
    return np.asarray(environment.requests_per_second * (1 + environment.swing * day) * week)


def requests_per_second_at(environment: Environment, moment: datetime) -> float:
    """The same for one aware moment."""
    minute = np.array([int(moment.timestamp() // 60)], dtype=np.int64)
    return float(requests_per_second(environment, minute)[0])
