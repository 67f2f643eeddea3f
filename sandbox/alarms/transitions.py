"""Changes of state: history, actions, and the composite alarms that follow."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from datetime import datetime
from typing import Any

from sandbox.alarms import suppression
from sandbox.alarms.actions import Actions
from sandbox.alarms.book import Book
from sandbox.alarms.evaluation import State
from sandbox.alarms.history import History
from sandbox.alarms.model import Alarm, Condition
from sandbox.alarms.reasons import compact, stamp

Spawn = Callable[[Coroutine[Any, Any, Any]], None]


class Transitions:
    """The only place where an alarm's state changes. `spawn` runs its actions."""

    def __init__(self, book: Book, history: History, actions: Actions, spawn: Spawn) -> None:
        self._book = book
        self._history = history
        self._actions = actions
        self._spawn = spawn

    def move(
        self, alarm: Alarm, to: Condition, at: datetime, values: tuple[float, ...] = ()
    ) -> None:
        """Put the alarm into a state; if it is a new one, everybody who depends on it learns."""
        before, alarm.condition, alarm.updated_at = alarm.condition, to, at
        if to.value is before.value:
            self._book.save(alarm)
            return
        alarm.previous, alarm.transitioned_at = before, at
        suppressor = self._book.suppressor(alarm)
        if suppressor is not None:
            rings = suppressor.state is State.ALARM
            alarm.suppression = suppression.composite_changed(
                _periods(alarm), suppressor_rings=rings, at=at.timestamp()
            )
        self._book.save(alarm)
        self._history.moved(alarm, before, at)
        self._act(alarm, values, suppressor is not None)
        self._tell(alarm, at)

    def repeat(self, alarm: Alarm, values: tuple[float, ...]) -> None:
        """Tell scaling policies once more that the alarm is in its state."""
        if events := self._actions.events(alarm, values, repeated=True):
            self._spawn(self._actions.execute(alarm, events))

    def evaluate(self, composite: Alarm, at: datetime, *, why: str = "") -> None:
        """Let a composite alarm take the state its rule says; `why` is `created` or `updated`."""
        if self._book.in_cycle(composite):
            return
        state = State.ALARM if self._book.holds(composite) else State.OK
        reason = f"{composite.arn} was {why} and its alarm rule evaluates to {state}"
        children = self._book.children(composite)
        self._take(composite, state, reason, children, at)

    def expire(self, composite: Alarm, at: datetime) -> None:
        """End a wait or an extension that is over, and do what it held back."""
        composite.suppression = suppression.expired(composite.suppression, at.timestamp())
        if composite.suppression.due:
            self._act(composite, (), suppressible=True)
            self._book.save(composite)

    def _act(self, alarm: Alarm, values: tuple[float, ...], suppressible: bool) -> None:
        if suppressible and not alarm.suppression.due:
            return
        alarm.suppression = suppression.done(alarm.suppression)
        if events := self._actions.events(alarm, values):
            self._spawn(self._actions.execute(alarm, events))

    def _tell(self, child: Alarm, at: datetime) -> None:
        """The alarms that follow this one, and those whose actions it suppresses."""
        for suppressed in self._book.suppressed(child):
            suppressed.suppression = suppression.suppressor_changed(
                suppressed.suppression,
                _periods(suppressed),
                rings=child.state is State.ALARM,
                at=at.timestamp(),
            )
            self._book.save(suppressed)
            self.expire(suppressed, at)
        for parent in self._book.parents(child):
            if not self._book.in_cycle(parent):
                state = State.ALARM if self._book.holds(parent) else State.OK
                moment = f"{at:%A %d %B, %Y %H:%M:%S} UTC"
                reason = f"{child.arn} transitioned to {child.state} at {moment}"
                self._take(parent, state, reason, [child], at)

    def _take(
        self, composite: Alarm, state: State, reason: str, because: list[Alarm], at: datetime
    ) -> None:
        if state is composite.state:
            return
        triggering = [
            {
                "arn": child.arn,
                "state": {"value": child.state, "timestamp": stamp(child.transitioned_at)},
            }
            for child in because
        ]
        data = compact({"triggeringAlarms": triggering})
        self.move(composite, Condition(state, reason, data), at)


def _periods(composite: Alarm) -> suppression.Periods:
    settings = composite.settings
    return suppression.Periods(
        wait=settings["ActionsSuppressorWaitPeriod"],
        extension=settings["ActionsSuppressorExtensionPeriod"],
    )
