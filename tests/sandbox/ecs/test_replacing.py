"""Unhealthy tasks are replaced before they are stopped, as far as maximumPercent allows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.ecs import scheduler
from sandbox.ecs.replacing import Tasks
from tests.sandbox.ecs.world import living


@dataclass(frozen=True)
class Paper:
    """A task as far as replacing looks at it."""

    number: int
    guarded: bool = False

    @property
    def created_at(self):
        return datetime(2026, 11, 1, tzinfo=UTC) + timedelta(seconds=self.number)

    def protected(self):
        return self.guarded


def tasks(healthy=0, starting=0, unhealthy=0):
    numbers = iter(range(100))
    return Tasks(
        *([Paper(next(numbers)) for _ in range(n)] for n in (healthy, starting, unhealthy))
    )


@pytest.mark.parametrize(
    ("now", "started", "stopped"),
    [
        (tasks(healthy=2), 0, 0),
        (tasks(healthy=1), 1, 0),
        (tasks(unhealthy=2), 2, 0),
        (tasks(starting=2, unhealthy=2), 0, 0),
        (tasks(healthy=1, starting=1, unhealthy=2), 0, 1),
        (tasks(healthy=2, unhealthy=2), 0, 2),
        (tasks(unhealthy=4), 0, 2),
        (tasks(healthy=1, unhealthy=1), 1, 0),
    ],
)
def test_a_replacement_comes_first_and_the_unhealthy_task_goes_when_it_is_healthy(
    now, started, stopped
):
    assert (now.to_start(2, 4), len(now.replaced(2, 4))) == (started, stopped)


@pytest.mark.parametrize(
    ("now", "started", "stopped"),
    [
        (tasks(unhealthy=2), 0, 1),
        (tasks(unhealthy=1), 1, 0),
        (tasks(starting=1, unhealthy=1), 0, 0),
        (tasks(healthy=1, unhealthy=1), 0, 1),
        (tasks(healthy=2), 0, 0),
    ],
)
def test_without_room_one_unhealthy_task_is_stopped_at_a_time(now, started, stopped):
    assert (now.to_start(2, 2), len(now.replaced(2, 2))) == (started, stopped)


def test_what_recovered_is_too_many_and_protected_tasks_stay():
    recovered = Tasks([Paper(1), Paper(2), Paper(3), Paper(4, guarded=True)], [], [])

    assert [task.number for task in recovered.surplus(2)] == [2, 3]


@given(*[st.integers(0, 6)] * 4, st.integers(0, 12))
def test_no_more_than_the_limit_are_started_and_no_service_is_left_with_less_than_it_had(
    healthy, starting, unhealthy, want, room
):
    now, most = tasks(healthy, starting, unhealthy), want + room

    count, stopped = now.to_start(want, most), now.replaced(want, most)

    assert now.count() + count <= max(most, now.count())
    if len(stopped) > 1 or now.count() < most:
        assert now.count() - len(stopped) >= min(want, now.count())


def run(home, story, **configuration):
    async def life():
        async with living(home) as world:
            await world.settled(strategy="ROLLING", **configuration)
            return await story(world)

    return asyncio.run(life())


async def all_fall_ill(world):
    """Every task fails its load balancer's checks; those started later do not."""
    sick = list(world.balancers.registered.values())
    for target in sick:
        target.state, target.description = "unhealthy", "Request timed out"
    return sick


def test_saturated_tasks_serve_until_their_replacements_do(tmp_path):
    async def story(world):
        sick = await all_fall_ill(world)
        left = []
        world.balancers.deregister = noting(world, left)
        await world.until(lambda: sum(target in sick for target in left) == len(sick))
        await world.until(lambda: world.running() == 2)
        return left, world.messages(), list(world.account.tasks.values())

    left, messages, found = run(tmp_path, story)

    assert len(left) == 2
    stopped = [task for task in found if task.last_status == "STOPPED"]
    assert {task.stopped_reason for task in stopped} == {
        "Task failed ELB health checks in (target-group arn:blue)"
    }
    events = [text for text in reversed(messages) if "has st" in text or "unhealthy" in text]
    after = events[next(n for n, text in enumerate(events) if "unhealthy" in text) :]
    assert next(n for n, text in enumerate(after) if "has started 2 tasks" in text) < next(
        n for n, text in enumerate(after) if "has stopped" in text
    )


def noting(world, left):
    """Deregistering that keeps who left, and that enough healthy ones stayed."""
    deregister = world.balancers.deregister

    async def noted(group, port):
        healthy = [t for t in world.balancers.registered.values() if t.state == "healthy"]
        assert healthy
        left.append(world.balancers.target(group, port))
        await deregister(group, port)

    return noted


def test_tasks_that_recover_are_not_stopped_for_their_health(tmp_path):
    async def story(world):
        sick = await all_fall_ill(world)
        await world.until(lambda: any("unhealthy" in text for text in world.messages()))
        for target in sick:
            target.state, target.description = "healthy", ""
        await world.until(lambda: world.running() == 2 and not world.scheduler._ill)
        return list(world.account.tasks.values())

    found = run(tmp_path, story)

    assert not any("health checks" in task.stopped_reason for task in found)


def test_a_task_that_falls_ill_again_and_again_is_one_failed_task(tmp_path, monkeypatch):
    monkeypatch.setattr(scheduler, "REPLACEMENT_PAUSE", 60.0)

    async def story(world):
        target, *_ = world.balancers.registered.values()
        told = 0
        for _ in range(3):
            target.state, target.description = "unhealthy", "Request timed out"
            await world.until(lambda told=told: said_unhealthy(world) > told)
            told = said_unhealthy(world)
            target.state = "healthy"
            await world.until(lambda: not world.scheduler._ill)
        return next(iter(world.account.revisions.values())).failures_ever, told

    assert run(tmp_path, story) == (1, 3)


def said_unhealthy(world):
    return sum("is unhealthy" in text for text in world.messages())


def test_where_no_more_tasks_may_run_they_are_replaced_one_by_one(tmp_path):
    async def story(world):
        await all_fall_ill(world)
        most = 0

        def replaced():
            nonlocal most
            live = [task for task in world.account.tasks.values() if task.live]
            most = max(most, len(live))
            return len(world.fleet.launches) == 4 and world.running() == 2

        await world.until(replaced)
        return most

    assert run(tmp_path, story, maximumPercent=100, minimumHealthyPercent=50) == 2
