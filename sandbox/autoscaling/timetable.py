"""Runs scheduled actions when they are due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sandbox import clock
from sandbox.autoscaling import schedules
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.fulfilment import Fulfilment
from sandbox.autoscaling.model import Schedule
from sandbox.repeating import paced, repeat

# How often it is looked whether something is due, in sandbox seconds and at least in real ones.
_LOOK_EVERY, _REAL_PAUSE = 1.0, 0.2


@dataclass(frozen=True)
class Due:
    """When a scheduled action runs next, found for these runs and settings."""

    ran_until: datetime
    settings: tuple[tuple[str, str], ...]
    at: datetime | None


class Timetable:
    """Looks at every scheduled action once a second."""

    def __init__(self, book: Book, fulfilment: Fulfilment) -> None:
        self._book = book
        self._fulfilment = fulfilment
        self._due: dict[str, Due] = {}

    async def run(self) -> None:
        """Run actions for ever; ends when cancelled."""
        every = paced(_LOOK_EVERY, _REAL_PAUSE)
        await repeat(lambda: self.round(clock.now()), "running scheduled actions", every=every)

    def round(self, now: datetime) -> None:
        """Run what is due at `now`, the earliest first.

        Of several runs that were missed, such as while the sandbox was off, one is made up for.
        """
        due = [(self.next_run(each), each) for each in self._book.schedules.values()]
        ready = [(at, each) for at, each in due if at is not None and at <= now]
        for _, action in sorted(ready, key=lambda pair: pair[0]):
            action.ran_until = now
            self._book.save(action)
            self._execute(action)

    def next_run(self, action: Schedule) -> datetime | None:
        """When the action runs next; None when it never does again."""
        settings = tuple((key, str(value)) for key, value in sorted(action.settings.items()))
        known = self._due.get(action.arn)
        if known and (known.ran_until, known.settings) == (action.ran_until, settings):
            return known.at
        at = following(action)
        self._due[action.arn] = Due(action.ran_until, settings, at)
        return at

    def _execute(self, action: Schedule) -> None:
        target = self._book.targets[action.resource]
        if target.suspended["ScheduledScalingSuspended"]:
            return
        asked = action.settings["ScalableTargetAction"]
        self._fulfilment.set_limits(
            target,
            asked.get("MinCapacity", target.minimum),
            asked.get("MaxCapacity", target.maximum),
            f"scheduled action name {action.name} was triggered",
        )


def following(action: Schedule) -> datetime | None:
    """The next run after `ran_until`, within StartTime and EndTime.

    A recurring action also runs at its StartTime.
    """
    settings = action.settings
    schedule = schedules.parse(settings["Schedule"], settings.get("Timezone"))
    start, end = settings.get("StartTime"), settings.get("EndTime")
    recurs = not isinstance(schedule, schedules.At)
    if recurs and start and action.ran_until < start:
        at = start
    else:
        at = schedule.next_after(action.ran_until, start or action.created_at)
    return None if at is None or (end and at > end) else at
