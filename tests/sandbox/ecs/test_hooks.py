"""Pauses of a deployment: one id each, answered once, or expired."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from botocore.exceptions import ClientError

from sandbox.errors import AwsError
from tests.sandbox.account import PAUSE
from tests.sandbox.ecs.world import NETWORK, living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}


def at(*stages, minutes=600, action="ROLLBACK"):
    timeout = {"timeoutInMinutes": minutes, "action": action}
    return {"targetType": "PAUSE", "lifecycleStages": [*stages], "timeoutConfiguration": timeout}


def run(home, story, **configuration):
    async def life():
        async with living(home, minute=0.05) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **{**BLUE_GREEN, **configuration})
            return await story(world)

    return asyncio.run(life())


def resume(world, hook, action="CONTINUE"):
    world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id, action)


def test_all_hooks_of_a_stage_wait_at_once_and_all_must_be_answered(tmp_path):
    async def story(world):
        first, second = await world.until(lambda: len(world.waiting()) == 2 and world.waiting())
        resume(world, first)
        await asyncio.sleep(0.2)
        half = world.deployment.stage, [h.status for h in world.deployment.hooks]
        resume(world, second)
        return half, await world.over(), {first.hook_id, second.hook_id}

    half, status, ids = run(
        tmp_path, story, lifecycleHooks=[at("POST_SCALE_UP"), at("POST_SCALE_UP")]
    )

    assert half == ("POST_SCALE_UP", ["SUCCEEDED", "AWAITING_ACTION"])
    assert status == "SUCCESSFUL"
    assert len(ids) == 2


def test_one_rejection_rolls_back_and_closes_the_other_hooks(tmp_path):
    async def story(world):
        first, _ = await world.until(lambda: len(world.waiting()) == 2 and world.waiting())
        resume(world, first, "ROLLBACK")
        return await world.over(), [h.status for h in world.deployment.hooks]

    status, hooks = run(tmp_path, story, lifecycleHooks=[at("PRE_SCALE_UP"), at("PRE_SCALE_UP")])

    assert status == "ROLLBACK_SUCCESSFUL"
    assert hooks == ["FAILED", "FAILED"]


def test_one_hook_at_two_stages_is_invoked_twice_with_two_ids(tmp_path):
    async def story(world):
        (first,) = await world.until(world.waiting)
        resume(world, first)
        (second,) = await world.until(world.waiting)
        resume(world, second)
        return await world.over(), first, second

    status, first, second = run(
        tmp_path, story, lifecycleHooks=[at("PRE_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT")]
    )

    assert status == "SUCCESSFUL"
    assert first.hook_id != second.hook_id
    assert (first.stage, second.stage) == ("PRE_SCALE_UP", "POST_PRODUCTION_TRAFFIC_SHIFT")


def test_an_expired_hook_beside_a_waiting_one_decides_alone_when_it_rolls_back(tmp_path):
    hooks = [at("PRE_SCALE_UP", minutes=1), at("PRE_SCALE_UP")]

    async def story(world):
        return await world.over(), [h.status for h in world.deployment.hooks]

    assert run(tmp_path, story, lifecycleHooks=hooks) == (
        "ROLLBACK_SUCCESSFUL",
        ["TIMED_OUT", "FAILED"],
    )


def test_hooks_of_one_service_can_be_made_to_expire_now(tmp_path):
    async def story(world):
        await world.until(world.waiting)
        nobody = world.controller.expire_hooks("somebody-else")
        here = world.controller.expire_hooks("news-api")
        status = await world.over()
        return nobody, here, status, world.controller.expire_hooks(None)

    hooks = [at("PRE_SCALE_UP", action="CONTINUE")]

    assert run(tmp_path, story, lifecycleHooks=hooks) == (0, 1, "SUCCESSFUL", 0)


def test_the_first_deployment_of_a_service_hits_its_hooks(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            world.ecs.create_cluster(clusterName="default")
            world.ecs.create_service(
                serviceName="news-api",
                taskDefinition=world.define("1.4.0"),
                desiredCount=1,
                networkConfiguration=NETWORK,
                loadBalancers=[],
                deploymentConfiguration={
                    "strategy": "ROLLING",
                    "lifecycleHooks": [at("PRE_SCALE_UP")],
                },
            )
            (hook,) = await world.until(world.waiting)
            before = world.running()
            resume(world, hook)
            return before, await world.over(), world.running()

    assert asyncio.run(life()) == (0, "SUCCESSFUL", 1)


def test_a_rolling_deployment_pauses_without_a_stage(tmp_path):
    async def story(world):
        (before,) = await world.until(world.waiting)
        at_first = world.described().get("lifecycleStage"), len(world.fleet.launches)
        resume(world, before)
        (after,) = await world.until(world.waiting)
        tasks = len(world.fleet.launches)
        resume(world, after)
        return at_first, tasks, await world.over()

    hooks = [at("PRE_SCALE_UP"), at("POST_SCALE_UP")]

    assert run(tmp_path, story, strategy="ROLLING", lifecycleHooks=hooks) == (
        (None, 2),
        4,
        "SUCCESSFUL",
    )


@pytest.mark.parametrize("hook", ["unknown", "answered", "foreign", "of-a-deployment-rolling-back"])
def test_a_hook_that_does_not_wait_here_is_refused(tmp_path, hook):
    async def story(world):
        (waiting,) = await world.until(world.waiting)
        ids = {"unknown": "ecs-pause-none", "foreign": "ecs-pause-of-another-deployment"}
        if hook == "answered":
            resume(world, waiting)
        if hook == "of-a-deployment-rolling-back":
            world.ecs.stop_service_deployment(world.deployment.arn)
        with pytest.raises(AwsError) as refused:
            world.ecs.continue_service_deployment(
                world.deployment.arn, ids.get(hook, waiting.hook_id)
            )
        return refused.value.code

    code = run(tmp_path, story, lifecycleHooks=[at("PRE_SCALE_UP")])

    assert code == "InvalidParameterException"


def test_stop_is_taken_in_every_state_but_the_last(tmp_path):
    async def story(world):
        (hook,) = await world.until(world.waiting)
        taken = []
        for status in (
            "PENDING",
            "IN_PROGRESS",
            "STOP_REQUESTED",
            "ROLLBACK_REQUESTED",
            "ROLLBACK_IN_PROGRESS",
        ):
            world.deployment.status = status
            world.ecs.stop_service_deployment(world.deployment.arn)
            taken.append(status)
        await world.over()
        with pytest.raises(AwsError) as refused:
            world.ecs.stop_service_deployment(world.deployment.arn)
        return len(taken), hook.status, refused.value.code

    assert run(tmp_path, story, lifecycleHooks=[at("PRE_SCALE_UP")]) == (
        5,
        "FAILED",
        "ConflictException",
    )


def test_a_deployment_over_90_days_old_is_not_shown(tmp_path):
    async def story(world):
        await world.over()
        world.deployment.created_at -= timedelta(days=90, seconds=1)
        arn = world.deployment.arn
        listed = world.ecs.list_service_deployments("news-api")["serviceDeployments"]
        described = world.ecs.describe_service_deployments([arn])
        return [d["serviceDeploymentArn"] for d in listed], described["failures"][0]["reason"]

    assert run(tmp_path, story) == ([], "MISSING")


def test_of_two_clients_that_answer_at_once_exactly_one_wins(account):
    hook = PAUSE | {"lifecycleStages": ["PRE_SCALE_UP"]}
    arn = account.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[hook])
    waiting = account.waiting_hook(arn)

    def answer(action):
        try:
            account.resume(arn, waiting, action)
        except ClientError as error:
            return error.response["Error"]["Code"]
        return "taken"

    with ThreadPoolExecutor(4) as clients:
        outcomes = sorted(clients.map(answer, ["CONTINUE", "ROLLBACK", "CONTINUE", "ROLLBACK"]))

    assert outcomes == ["InvalidParameterException"] * 3 + ["taken"]
    account.finished(arn)
