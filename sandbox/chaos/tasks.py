"""Faults of tasks: killed one by one, by Availability Zone, or not placed at all."""

from __future__ import annotations

from sandbox.chaos.effects import CannotHappen, Given, Started, undo
from sandbox.context import Context
from sandbox.ecs.account import Account
from sandbox.ecs.model import Task
from sandbox.ecs.scheduler import Scheduler


async def _kill_task(sandbox: Context, given: Given) -> Started:
    found = [
        task
        for task in _running(sandbox)
        if _id(task).startswith(given["task"] or "")
        and given["service"] in (None, f"{_cluster(task)}/{task.service}")
    ]
    if not found:
        raise CannotHappen("No such task is running.")
    task = sandbox.switches.dice.choice(sorted(found, key=_id))
    _kill(sandbox, task)
    return Started(f"Task {_id(task)} of {_cluster(task)}/{task.service} was killed.")


async def _zone_outage(sandbox: Context, given: Given) -> Started:
    scheduler, zone = sandbox.of(Scheduler), given["zone"]
    scheduler.closed_zones.add(zone)
    hit = [task for task in _running(sandbox) if task.availability_zone == zone]
    for task in hit:
        _kill(sandbox, task)
    says = f"{zone} is out: {len(hit)} tasks were killed, and none is placed there."
    return Started(says, undo(lambda: scheduler.closed_zones.discard(zone)))


async def _placement_failure(sandbox: Context, given: Given) -> Started:
    scheduler = sandbox.of(Scheduler)
    scheduler.placement_failure = given["reason"]

    def off() -> None:
        scheduler.placement_failure = None

    return Started(f"No task is placed: {given['reason']}", undo(off))


def _running(sandbox: Context) -> list[Task]:
    tasks, scheduler = sandbox.of(Account).tasks.values(), sandbox.of(Scheduler)
    return [task for task in tasks if scheduler.process(task.arn) is not None]


def _kill(sandbox: Context, task: Task) -> None:
    process = sandbox.of(Scheduler).process(task.arn)
    if process is not None:
        process.kill()


def _id(task: Task) -> str:
    return task.arn.rsplit("/", 1)[-1]


def _cluster(task: Task) -> str:
    return task.cluster_arn.rsplit("/", 1)[-1]


EFFECTS = {
    "kill-task": _kill_task,
    "zone-outage": _zone_outage,
    "placement-failure": _placement_failure,
}
