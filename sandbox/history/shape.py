"""How many requests people send at which time: `sandbox.traffic` sends them by the same figures."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from sandbox.cloudwatch.points import Floats, Ints
from sandbox.history.environments import Environment

WEEKEND = 0.72


def requests_per_second(environment: Environment, minutes: Ints) -> Floats:
    """Expected requests per second at minutes since 1970: quiet nights, quiet weekends."""
    hour = (minutes % 1440) / 60
    day = -0.45 * np.cos((hour - 4) / 24 * 2 * np.pi)
    # 1970-01-01 was a Thursday, so days 2 and 3 of each week of seven are the weekend.
    weekend = np.isin(minutes // 1440 % 7, (2, 3))
    shape = (1 + day) * np.where(weekend, WEEKEND, 1.0)
    if not environment.shaped:
        shape = np.ones(len(minutes))
    return np.asarray(environment.requests_per_second * shape)


def requests_per_second_at(environment: Environment, moment: datetime) -> float:
    """The same for one aware moment."""
    minute = np.array([int(moment.timestamp() // 60)], dtype=np.int64)
    return float(requests_per_second(environment, minute)[0])
