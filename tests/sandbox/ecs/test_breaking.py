"""A defect of the sandbox itself ends what it broke, and nothing waits for it for ever."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.ecs import controller, scheduler
from sandbox.ecs.task_life import BROKEN
from tests.sandbox.ecs.world import living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
ROLLING = {"strategy": "ROLLING", "bakeTimeInMinutes": 0}


@pytest.fixture(autouse=True)
def hurried(monkeypatch):
    monkeypatch.setattr(scheduler, "PERIOD", 0.01)
    monkeypatch.setattr(scheduler, "MAX_BACK_OFF", 0.05)
    monkeypatch.setattr(scheduler, "REPLACEMENT_PAUSE", 0.01)
    monkeypatch.setattr(controller, "ATTEMPT_PAUSE", 0.01)


def breaking(call, times):
    """`call`, but that it breaks the first so many times."""
    left = [times]

    def begun(*arguments, **named):
        if left[0]:
            left[0] -= 1
            raise RuntimeError("a defect of the sandbox")
        return call(*arguments, **named)

    return begun


def run(tmp_path, story, **configuration):
    async def lived():
        async with living(tmp_path) as world:
            await world.settled(**configuration)
            return await story(world)

    return asyncio.run(lived())


def stopped(world):
    return [task for task in world.account.tasks.values() if task.last_status == "STOPPED"]


def test_a_task_whose_start_breaks_has_stopped_and_is_replaced(tmp_path):
    async def story(world):
        world.fleet.start = breaking(world.fleet.start, 1)
        world.ecs.update_service("news-api", desiredCount=3)
        await world.until(lambda: world.running() == 3)
        (broken,) = stopped(world)
        return broken.stopped_reason, broken.stop_code

    assert run(tmp_path, story) == (BROKEN, "TaskFailedToStart")


def test_a_task_whose_end_breaks_has_stopped_and_left_the_load_balancer(tmp_path):
    async def story(world):
        world.balancers.deregister = breaking(world.balancers.deregister, 1)
        world.ecs.update_service("news-api", desiredCount=1)
        (ended,) = await world.until(lambda: stopped(world))
        await world.until(lambda: len(world.balancers.registered) == 1)
        return ended.stopped_reason.startswith("Scaling activity"), ended.exit_code

    assert run(tmp_path, story) == (True, 137)


def test_a_running_task_whose_life_breaks_is_replaced(tmp_path):
    async def story(world):
        world.balancers.register = breaking(world.balancers.register, 1)
        world.ecs.update_service("news-api", desiredCount=3)
        (broken,) = await world.until(lambda: stopped(world))
        await world.until(lambda: world.running() == 3)
        return broken.stopped_reason, broken.stop_code

    assert run(tmp_path, story) == (BROKEN, "EssentialContainerExited")


@pytest.mark.parametrize(
    ("times", "status"),
    [(controller.ATTEMPTS - 1, "ROLLBACK_SUCCESSFUL"), (controller.ATTEMPTS, "ROLLBACK_FAILED")],
)
def test_a_rollback_that_breaks_is_begun_again_and_ends(tmp_path, monkeypatch, times, status):
    back = breaking(controller.going_back.back, times)
    monkeypatch.setattr(controller.going_back, "back", back)

    async def story(world):
        world.release("1.4.1", **BLUE_GREEN)
        world.ecs.stop_service_deployment(world.deployment.arn)
        return await world.over()

    assert run(tmp_path, story, **BLUE_GREEN) == status


def test_a_release_after_a_rollback_that_broke_for_good_goes_through(tmp_path, monkeypatch):
    back = breaking(controller.going_back.back, controller.ATTEMPTS)
    monkeypatch.setattr(controller.going_back, "back", back)

    async def story(world):
        world.release("1.4.1", **BLUE_GREEN)
        world.ecs.stop_service_deployment(world.deployment.arn)
        await world.over()
        world.release("1.4.1", **BLUE_GREEN)
        status = await world.over()
        return status, [d["rolloutState"] for d in world.shown["deployments"]]

    assert run(tmp_path, story, **BLUE_GREEN) == ("SUCCESSFUL", ["COMPLETED"])


@pytest.mark.parametrize("chore", ["forget_old_tasks", "forget_old_deployments"])
def test_a_chore_that_breaks_does_not_end_the_scheduler(tmp_path, monkeypatch, chore):
    monkeypatch.setattr(scheduler, "MEMORY_PERIOD", 0.0)

    async def story(world):
        setattr(world.account, chore, breaking(getattr(world.account, chore), 2))
        await asyncio.sleep(0.05)
        world.ecs.update_service("news-api", desiredCount=3)
        return await world.until(lambda: world.running() == 3)

    assert run(tmp_path, story, **ROLLING)
