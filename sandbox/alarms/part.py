"""CloudWatch alarms as a part of the account."""

from __future__ import annotations

from sandbox.alarms import world
from sandbox.alarms.actions import SNS, Actions, Topics
from sandbox.alarms.book import Book
from sandbox.alarms.history import History
from sandbox.alarms.service import Alarms
from sandbox.alarms.transitions import Transitions
from sandbox.alarms.watch import Watch
from sandbox.cloudwatch.service import CloudWatch
from sandbox.context import Context


async def join(sandbox: Context) -> None:
    """Serve the alarm operations and begin to evaluate."""
    cloudwatch = sandbox.of(CloudWatch)
    book, history = Book(sandbox.state), History(sandbox.state)
    actions = Actions(history)
    actions.on(SNS, Topics(sandbox.in_moto))
    transitions = Transitions(book, history, actions, sandbox.spawn)
    alarms = Alarms(
        book=book,
        history=history,
        actions=actions,
        transitions=transitions,
        cloudwatch=cloudwatch,
    )
    sandbox.provide(alarms)
    sandbox.serve("cloudwatch", alarms)
    if sandbox.fresh:
        await _seed(alarms)
    sandbox.spawn(Watch(book, cloudwatch, transitions).run())


async def _seed(alarms: Alarms) -> None:
    for parameters in world.metric_alarms():
        alarms.seed(parameters)
    for parameters in world.composite_alarms():
        await alarms.put_composite_alarm(**parameters)
