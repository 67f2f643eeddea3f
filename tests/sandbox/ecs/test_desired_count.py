"""A desired count that somebody changes while a deployment is on its way."""

from __future__ import annotations

import asyncio

import pytest

from tests.sandbox.account import PAUSE
from tests.sandbox.ecs.world import living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
BEFORE = PAUSE | {"lifecycleStages": ["PRE_SCALE_UP"]}
AFTER = PAUSE | {"lifecycleStages": ["POST_SCALE_UP"]}


def wanted(world):
    """What the old and the new revision of the deployment want."""
    (old,) = world.deployment.sources
    revisions = world.account.revisions
    return revisions[old].want, revisions[world.deployment.target].want


def resize(world, count):
    world.ecs.update_service(service="news-api", desiredCount=count)


def test_a_clean_up_ends_though_the_service_is_scaled_out_meanwhile(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN)
            await world.until(lambda: world.deployment.stage == "CLEAN_UP" and not wanted(world)[0])
            resize(world, 3)
            return await world.over(), wanted(world)

    assert asyncio.run(life()) == ("SUCCESSFUL", (0, 3))


@pytest.mark.parametrize(
    ("hook", "strategy", "both"),
    [
        (BEFORE, BLUE_GREEN, (3, 0)),
        (AFTER, BLUE_GREEN, (3, 3)),
        (BEFORE, {"strategy": "ROLLING"}, (3, 0)),
        (AFTER, {"strategy": "ROLLING"}, (0, 3)),
    ],
    ids=["before scaling up", "after it", "before rolling", "after it rolled"],
)
def test_only_revisions_that_are_up_and_stay_follow_the_desired_count(
    tmp_path, hook, strategy, both
):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(**strategy)
            world.release("1.4.1", **strategy, lifecycleHooks=[hook])
            (asked,) = await world.until(world.waiting)
            resize(world, 3)
            during = wanted(world)
            world.ecs.continue_service_deployment(world.deployment.arn, asked.hook_id)
            return during, await world.over(), wanted(world)

    assert asyncio.run(life()) == (both, "SUCCESSFUL", (0, 3))


def test_a_service_of_no_tasks_that_grows_while_it_is_deployed_has_them_afterwards(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(count=0, **BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[AFTER])
            (asked,) = await world.until(world.waiting)
            resize(world, 2)
            world.ecs.continue_service_deployment(world.deployment.arn, asked.hook_id)
            status = await world.over()
            await world.until(lambda: world.running() == 2)
            return status, wanted(world)

    assert asyncio.run(life()) == ("SUCCESSFUL", (0, 2))


def test_a_rollback_brings_back_as_many_tasks_as_are_desired_by_then(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN)
            await world.until(lambda: world.deployment.stage == "CLEAN_UP")
            world.ecs.stop_service_deployment(world.deployment.arn)
            resize(world, 3)
            return await world.over(), wanted(world), world.running()

    status, wants, running = asyncio.run(life())

    assert (status, wants) == ("ROLLBACK_SUCCESSFUL", (3, 0))
    assert running == 3
