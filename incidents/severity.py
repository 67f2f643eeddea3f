"""What each severity means in numbers, and how often it owes an update. Pure.

The criteria print on the filing form. Burn is the error ratio over (1 - SLO), with an SLO of
99.9 % over 30 days; each criterion wants at least 100 requests in its window.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Level:
    """One row of the severity matrix. `cadence` is the longest silence allowed while open."""

    name: str
    title: str
    criteria: tuple[str, ...]
    response: str
    cadence: timedelta | None


LEVELS = (
    Level(
        "SEV1",
        "Critical",
        (
            "error ratio ≥ 25 % for 5 min, or no healthy target",
            "traffic ≤ 20 % of the same hour last week",
            "error budget burning ≥ 72× over 1 h and 5 min",
            "at least half of the users affected",
            "data lost or exposed",
        ),
        "Page at once, day and night. Commander, communications and scribe.",
        timedelta(minutes=30),
    ),
    Level(
        "SEV2",
        "Major",
        (
            "error budget burning ≥ 14.4× over 1 h and 5 min",
            "latency over its objective for ≥ 10 % of requests over 1 h and 5 min",
            "tasks at their maximum and CPU ≥ 90 % for 10 min, latency rising",
            "25–50 % of the users affected",
        ),
        "Page. A commander leads.",
        timedelta(minutes=60),
    ),
    Level(
        "SEV3",
        "Minor",
        (
            "error budget burning ≥ 6× over 6 h and 30 min",
            "redundancy lost: one more failure is an outage",
            "database or cache ≥ 80 % full and exhausted within 24 h",
            "5–25 % of the users affected",
        ),
        "Notify whoever is on call, working hours first.",
        timedelta(days=1),
    ),
    Level(
        "SEV4",
        "Low",
        (
            "error budget burning ≥ 1× over 3 days and 6 h",
            "single task restarts, a failed job",
            "fewer than 5 % of the users affected",
        ),
        "A ticket.",
        None,
    ),
    Level(
        "SEV5",
        "Informational",
        ("no effect on users: cosmetic, or expiring in more than 7 days",),
        "A ticket.",
        None,
    ),
)
_BY_NAME = {level.name: level for level in LEVELS}


def level(name: str) -> Level:
    """Return the row of the matrix called `name`, such as `SEV2`."""
    return _BY_NAME[name]


@dataclass(frozen=True, slots=True)
class UpdateDue:
    """When the next update is owed, seen from one moment."""

    at: datetime
    remaining: timedelta

    @property
    def overdue(self) -> bool:
        return self.remaining < timedelta(0)

    @property
    def seconds(self) -> float:
        """How long until it is due, or how long ago it was."""
        return abs(self.remaining.total_seconds())


def update_due(*, severity: str, last_update: datetime, at: datetime) -> UpdateDue | None:
    """Return when the next update is owed, or None if this severity owes none."""
    cadence = level(severity).cadence
    if cadence is None:
        return None
    due = last_update + cadence
    return UpdateDue(at=due, remaining=due - at)
