"""The script as functions of the minute: who has the traffic, what runs, how bad it is."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import numpy as np
import numpy.typing as npt

from sandbox.cloudwatch.points import Floats, Ints
from sandbox.history import script
from sandbox.history.environments import PRODUCTION, Environment
from sandbox.history.script import PastRelease

Mask = npt.NDArray[np.bool_]


def minute(moment: datetime) -> int:
    """Whole minutes since 1970."""
    return int(moment.timestamp() // 60)


class Timeline:
    """One environment's past; every method takes minutes since 1970."""

    def __init__(self, environment: Environment, epoch: datetime) -> None:
        self.environment = environment
        self._releases = [
            release
            for release in script.releases(epoch)
            if release.cluster == environment.cluster and release.target_group
        ]
        self._episodes = script.episodes(epoch)

    def share(self, target_group: str, minutes: Ints) -> Floats:
        """The share of requests (0 to 1) that a target group receives."""
        share = np.full(len(minutes), float(target_group == self._first_active()))
        for release in self._releases:
            mine = target_group == release.target_group
            canary, shift = _moments(release)
            if canary is not None:
                level = script.CANARY_SHARE if mine else 1 - script.CANARY_SHARE
                share[(minutes >= minute(canary)) & (minutes < minute(shift))] = level
            kept = release.status == script.SUCCESSFUL
            share[minutes >= minute(shift)] = float(mine == kept)
        return share

    def _first_active(self) -> str:
        """The group that served before the first release: the one it did not go to."""
        blue, green = self.environment.blue, self.environment.green
        return green if self._releases[0].target_group == blue else blue

    def running(self, target_group: str, minutes: Ints) -> Floats:
        """How many tasks are registered with a target group."""
        share = self.share(target_group, minutes)
        running = np.where(share > 0, float(self.environment.tasks), 0.0)
        for release in self._releases:
            up, down = release.created_at + script.TASKS_UP, release.finished_at
            running[_between(minutes, up, down)] = self.environment.tasks
        return running

    def tasks(self, minutes: Ints) -> Floats:
        """How many tasks the service runs in both target groups together."""
        environment = self.environment
        return self.running(environment.blue, minutes) + self.running(environment.green, minutes)

    def failing(self, target_group: str, minutes: Ints) -> Mask:
        """Whether a target group runs a version that was rolled back."""
        bad = [
            (release.created_at, release.finished_at)
            for release in self._releases
            if release.status == script.ROLLED_BACK and release.target_group == target_group
        ]
        return _during(minutes, bad)

    def strain(self, minutes: Ints) -> Floats:
        """How slow the database is, from 0 (as ever) to 1; it builds up within five minutes."""
        return self._swell("slow-database", minutes, 5.0)

    def surge(self, minutes: Ints) -> Floats:
        """How much of the surge has arrived, from 0 to 1; it builds up within eight minutes."""
        return self._swell("surge", minutes, 8.0)

    def silent(self, minutes: Ints) -> Mask:
        """Whether CloudWatch has no data at all for these minutes."""
        gaps = [(gap.start, gap.end) for gap in self._episodes if gap.kind == "gap"]
        return _during(minutes, gaps)

    def _swell(self, kind: str, minutes: Ints, rise: float) -> Floats:
        level = np.zeros(len(minutes))
        if self.environment is not PRODUCTION:
            return level
        for episode in (found for found in self._episodes if found.kind == kind):
            rising = (minutes - minute(episode.start) + 1) / rise
            falling = (minute(episode.end) - minutes) / rise
            level = np.maximum(level, np.clip(np.minimum(rising, falling), 0, 1))
        return level


def _moments(release: PastRelease) -> tuple[datetime | None, datetime]:
    """When the canary began, if there was one, and when all traffic went to the outcome."""
    if release.strategy != "CANARY":
        return None, release.created_at + script.STAGING_SHIFT
    decided = script.SHIFT if release.status == script.SUCCESSFUL else script.CANARY_STOPPED
    return release.created_at + script.CANARY_BEGINS, release.created_at + decided


def _between(minutes: Ints, start: datetime, end: datetime) -> Mask:
    return (minutes >= minute(start)) & (minutes < minute(end))


def _during(minutes: Ints, spans: Iterable[tuple[datetime, datetime]]) -> Mask:
    inside = np.zeros(len(minutes), dtype=np.bool_)
    for start, end in spans:
        inside |= _between(minutes, start, end)
    return inside
