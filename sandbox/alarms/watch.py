"""The evaluation of all alarms, once a minute each, spread over the minute."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Sequence
from datetime import datetime

from sandbox import clock
from sandbox.alarms import definition, readings
from sandbox.alarms.book import Book
from sandbox.alarms.evaluation import Outcome, State, breaches, evaluate, too_few_samples
from sandbox.alarms.model import Alarm, Condition
from sandbox.alarms.reasons import Datapoint, Watched, data, explain
from sandbox.alarms.transitions import Transitions
from sandbox.cloudwatch.service import CloudWatch
from sandbox.errors import AwsError
from sandbox.repeating import paced, repeat

# How often it is looked whether something is due, in sandbox seconds and at least in real ones.
_LOOK_EVERY, _REAL_PAUSE = 1.0, 0.05
_PARTIAL, _ERROR, _FAILURE = "PARTIAL_DATA", "EVALUATION_ERROR", "EVALUATION_FAILURE"

log = logging.getLogger("sandbox.alarms")


def interval(watched: Watched) -> int:
    """Seconds between two evaluations: 10 below a period of a minute, an hour beyond a day."""
    if watched.period < 60:
        return 10
    return 3600 if watched.period * watched.rule.periods > definition.DAY else 60


class Watch:
    """Evaluates what is due, by slots: a step of the clock neither stalls it nor floods it."""

    def __init__(self, book: Book, cloudwatch: CloudWatch, transitions: Transitions) -> None:
        self._book = book
        self._cloudwatch = cloudwatch
        self._transitions = transitions
        self._evaluated: dict[str, tuple[datetime, float]] = {}

    async def run(self) -> None:
        """Evaluate for ever; ends when cancelled."""
        every = paced(_LOOK_EVERY, _REAL_PAUSE)
        await repeat(lambda: self.round(clock.time()), "evaluating alarms", every=every)

    async def round(self, at: float) -> None:
        """Evaluate every alarm that is due at that moment (seconds since 1970)."""
        for alarm in self._book.metric_alarms():
            if self._due(alarm, at):
                await self._evaluate(alarm)
        for composite in self._book.composites():
            if composite.suppression.until is not None:
                self._transitions.expire(composite, clock.now())

    def _due(self, alarm: Alarm, at: float) -> bool:
        """At once after it was configured, then at its own second of every interval."""
        seconds = interval(definition.watched(alarm.settings))
        slot = (at - zlib.crc32(alarm.name.encode()) % seconds) // seconds
        seen = (alarm.configured_at, slot)
        if self._evaluated.get(alarm.name) == seen:
            return False
        self._evaluated[alarm.name] = seen
        return True

    async def _evaluate(self, alarm: Alarm) -> None:
        configured_at, watched = alarm.configured_at, definition.watched(alarm.settings)
        at, problem = clock.now(), ""
        reading, condition = readings.Reading([]), None
        try:
            reading = await readings.read(self._cloudwatch, alarm.settings, watched, at.timestamp())
            condition = _condition(alarm, watched, reading.points, at)
            problem = _PARTIAL if reading.partial else ""
        except AwsError as error:
            problem = _ERROR
            condition = Condition(State.INSUFFICIENT_DATA, f"Evaluation error: {error.message}")
        except Exception:  # one alarm that cannot be evaluated must not end all the others
            log.exception("the alarm %s could not be evaluated", alarm.name)
            problem = _FAILURE
        if self._book.find(alarm.name) is alarm and alarm.configured_at == configured_at:
            self._apply(alarm, condition, problem, _newest(reading.points))

    def _apply(
        self, alarm: Alarm, condition: Condition | None, problem: str, values: tuple[float, ...]
    ) -> None:
        before, changed = alarm.state, alarm.evaluation_state != problem
        alarm.evaluation_state = problem
        if changed or (condition is not None and condition.value is not before):
            self._transitions.move(alarm, condition or alarm.condition, clock.now(), values)
        if alarm.state is before:
            self._transitions.repeat(alarm, values)


def _condition(
    alarm: Alarm, watched: Watched, points: Sequence[Datapoint], at: datetime
) -> Condition | None:
    """The state the points put the alarm in; None keeps the one it has."""
    verdicts = [breaches(point.value, watched.comparison, watched.threshold) for point in points]
    outcome = evaluate(verdicts, watched.rule)
    if outcome.state is None or _insignificant(alarm, outcome, points):
        return None
    reason = explain(outcome, points, watched)
    return Condition(outcome.state, reason, data(outcome, points, watched, at))


def _insignificant(alarm: Alarm, outcome: Outcome, points: Sequence[Datapoint]) -> bool:
    """Whether a percentile stands on too few samples and the alarm was told to ignore that."""
    if alarm.settings.get("EvaluateLowSampleCountPercentile") != "ignore" or not outcome.real:
        return False
    samples = sum(points[position].samples or 0.0 for position in outcome.real)
    return too_few_samples(alarm.settings["ExtendedStatistic"], samples)


def _newest(points: Sequence[Datapoint]) -> tuple[float, ...]:
    return tuple(point.value for point in reversed(points) if point.value is not None)
