"""How many requests people send at which time: `sandbox.traffic` sends them by the same figures."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from sandbox.cloudwatch.points import Floats, Ints
from sandbox.history.environments import Environment
from sandbox.week import HOURS, LOWEST, MONDAY, SHARES, SWING


def requests_per_second(environment: Environment, minutes: Ints) -> Floats:
    """Expected requests per second at minutes since 1970: quiet nights, quiet weekends."""
    hour = minutes / 60
    wave = 1 - SWING * np.cos((hour - LOWEST) / 24 * 2 * np.pi)
    shape = wave * np.interp((hour + MONDAY) % 168, HOURS, SHARES)
    if not environment.shaped:
        shape = np.ones(len(minutes))
    return np.asarray(environment.requests_per_second * shape)


def requests_per_second_at(environment: Environment, moment: datetime) -> float:
    """The same for one aware moment."""
    minute = np.array([int(moment.timestamp() // 60)], dtype=np.int64)
    return float(requests_per_second(environment, minute)[0])
