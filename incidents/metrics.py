"""How long things took. Pure: milestones in, durations out.

A mean of a few incidents moves by 20 % without anything having changed, so none is offered:
a summary is a count, a median and a 90th percentile.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol


class Milestones(Protocol):
    """The times of an incident, all UTC."""

    impact_started_at: datetime
    detected_at: datetime | None
    mitigated_at: datetime | None
    resolved_at: datetime | None


@dataclass(frozen=True, slots=True)
class Times:
    """Seconds from the start of the impact; None while the milestone is not reached."""

    to_detect: float | None
    to_mitigate: float | None
    to_resolve: float | None


@dataclass(frozen=True, slots=True)
class Summary:
    """`n` durations in seconds; `median` and `p90` are None when there are none."""

    n: int
    median: float | None
    p90: float | None


def times(incident: Milestones) -> Times:
    """Return TTD, TTM and TTR of one incident."""
    start = incident.impact_started_at
    return Times(
        to_detect=_seconds(start, incident.detected_at),
        to_mitigate=_seconds(start, incident.mitigated_at),
        to_resolve=_seconds(start, incident.resolved_at),
    )


def summarise(durations: Iterable[float | None]) -> Summary:
    """Summarise the durations that are known; p90 is by nearest rank, a duration that was."""
    known = sorted(seconds for seconds in durations if seconds is not None)
    if not known:
        return Summary(0, None, None)
    rank = math.ceil(0.9 * len(known)) - 1
    return Summary(len(known), statistics.median(known), known[rank])


def _seconds(start: datetime, end: datetime | None) -> float | None:
    return None if end is None else (end - start) / timedelta(seconds=1)
