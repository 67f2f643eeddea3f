"""Alarm actions: who executes which, and what history says of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

from sandbox import clock
from sandbox.alarms import notifications
from sandbox.alarms.evaluation import State
from sandbox.alarms.history import History, Outcome
from sandbox.alarms.model import Alarm
from sandbox.errors import AwsError
from sandbox.names import ACCOUNT, REGION

SNS = "arn:aws:sns:"
# Scaling policies are told again every period for as long as the state lasts; topics are not.
REPEATED = "arn:aws:autoscaling:"
_UNKNOWN = "This sandbox executes actions of Amazon SNS and Application Auto Scaling only."

log = logging.getLogger("sandbox.alarms")


@dataclass(frozen=True)
class AlarmEvent:
    """One action to execute.

    `old_state` equals `new_state` when the action is repeated; `values` are the newest data points,
    newest first; `message` and `subject` are what a topic would be told.
    """

    action: str
    alarm_name: str
    alarm_arn: str
    old_state: State
    new_state: State
    reason: str
    reason_data: str
    at: datetime
    values: tuple[float, ...] = ()
    message: str = ""
    subject: str = ""


# Executes an action whose ARN begins with its prefix. What it returns is told in the history item;
# AwsError makes the action fail.
Handler = Callable[[AlarmEvent], Awaitable[str]]


class Actions:
    """Executes actions one after another and writes down how each went."""

    def __init__(self, history: History) -> None:
        self._history = history
        self._handlers: dict[str, Handler] = {}

    def on(self, prefix: str, handler: Handler) -> None:
        """Let `handler` execute actions whose ARN begins with `prefix`."""
        self._handlers[prefix] = handler

    def events(
        self, alarm: Alarm, values: tuple[float, ...], *, repeated: bool = False
    ) -> list[AlarmEvent]:
        """What is to be done in the alarm's state; `repeated` leaves those that are told once."""
        arns = alarm.actions(alarm.state)
        return [
            AlarmEvent(
                action=arn,
                alarm_name=alarm.name,
                alarm_arn=alarm.arn,
                old_state=alarm.state if repeated else alarm.previous.value,
                new_state=alarm.state,
                reason=alarm.condition.reason,
                reason_data=alarm.condition.data,
                at=clock.now() if repeated else alarm.transitioned_at,
                values=values,
                message=notifications.message(alarm),
                subject=notifications.subject(alarm),
            )
            for arn in arns
            if not repeated or arn.startswith(REPEATED)
        ]

    async def execute(self, alarm: Alarm, events: list[AlarmEvent]) -> None:
        """Execute actions. Repetitions leave no trace in the history."""
        for event in events:
            outcome = await self._outcome(event)
            if event.old_state is not event.new_state:
                self._history.acted(alarm, outcome, clock.now())

    async def _outcome(self, event: AlarmEvent) -> Outcome:
        handler = next(
            (each for prefix, each in self._handlers.items() if event.action.startswith(prefix)),
            None,
        )
        if handler is None:
            return Outcome(event.action, "", _UNKNOWN)
        try:
            return Outcome(event.action, await handler(event))
        except AwsError as error:
            return Outcome(event.action, "", error.message)
        except Exception as error:  # whatever the part behind the action stumbles over
            log.exception("the action %s of %s failed", event.action, event.alarm_name)
            return Outcome(event.action, "", str(error))


class Topics:
    """Executes notifications through moto's SNS, so that its subscribers receive them."""

    def __init__(self, in_moto: Callable[[Callable[[], Any]], Awaitable[Any]]) -> None:
        self._in_moto = in_moto

    async def __call__(self, event: AlarmEvent) -> str:
        """Publish; the message is what history tells. Raises AwsError for a missing topic."""
        if not await self._in_moto(partial(_publish, event)):
            raise AwsError("NotFound", "Topic does not exist", 404)
        return event.message


def _publish(event: AlarmEvent) -> bool:
    from sandbox.moto_adapter import backend

    topic = backend("sns", ACCOUNT, REGION).topics.get(event.action)
    if topic is None:
        return False
    topic.publish(event.message, subject=event.subject)
    return True
