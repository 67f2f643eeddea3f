"""A sandbox that dies in the middle of a deployment goes on where it was."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta

import pytest

from sandbox.ecs import reasons
from sandbox.ecs.account import Account as AccountBook
from sandbox.ecs.model import Service
from sandbox.ecs.walk import Walk
from sandbox.errors import AwsError
from tests.sandbox.account import PAUSE, Account, wait_until
from tests.sandbox.ecs.testers import seen_by_testers
from tests.sandbox.ecs.world import BLUE, GREEN, RULE, TEST_RULE, TESTED, World, living

BEFORE_TRAFFIC = PAUSE | {"lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 1,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1},
}
LINEAR = {
    "strategy": "LINEAR",
    "bakeTimeInMinutes": 0,
    "linearConfiguration": {"stepPercent": 40.0, "stepBakeTimeInMinutes": 1},
}
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 1}
ROLLING = {"strategy": "ROLLING", "bakeTimeInMinutes": 1}
MOVES = {"CANARY": 15, "LINEAR": 18, "BLUE_GREEN": 12, "ROLLING": 6}


@pytest.mark.parametrize(
    "configuration", [CANARY, LINEAR, BLUE_GREEN, ROLLING], ids=lambda each: each["strategy"]
)
def test_a_deployment_survives_a_death_before_every_one_of_its_moves(
    tmp_path, monkeypatch, configuration
):
    forward = Walk.forward

    async def one_move_in_each_life(walk):
        moves = walk.moves()
        limit = min(walk.deployment.position + 1, len(moves))
        walk.moves = lambda: moves[:limit]
        await forward(walk)
        if limit < len(moves):
            await asyncio.Event().wait()

    async def lives():
        async with living(tmp_path) as world:
            await world.settled(balancer=TESTED, **configuration)
        monkeypatch.setattr(Walk, "forward", one_move_in_each_life)
        positions = []
        for life in range(MOVES[configuration["strategy"]]):
            async with living(tmp_path) as world:
                if life == 0:
                    world.release("1.4.1", **configuration)
                await world.until(lambda w=world, n=life: w.deployment.position == n + 1)
                positions.append(world.deployment.stage)
                if life == MOVES[configuration["strategy"]] - 1:
                    status = await world.over()
                    return positions, status, world.balancers.rules
        raise AssertionError("it never ended")

    stages, status, rules = asyncio.run(lives())

    assert status == "SUCCESSFUL"
    assert len(stages) == MOVES[configuration["strategy"]]
    rolling = configuration["strategy"] == "ROLLING"
    weights = {BLUE: 100.0, GREEN: 0.0} if rolling else {BLUE: 0.0, GREEN: 100.0}
    assert rules[RULE].weights == rules[TEST_RULE].weights == weights


def test_a_hook_keeps_its_id_its_expiry_and_an_answer_given_before_the_death(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[BEFORE_TRAFFIC])
            (asked,) = await world.until(world.waiting)
        async with living(tmp_path) as world:
            (again,) = world.waiting()
            world.ecs.continue_service_deployment(world.deployment.arn, again.hook_id)
            world.die()
            async with living(tmp_path) as third:
                return asked, again, await third.over(), third.deployment.hooks

    asked, again, status, hooks = asyncio.run(lives())

    assert (again.hook_id, again.expires_at) == (asked.hook_id, asked.expires_at)
    assert status == "SUCCESSFUL"
    assert [hook.status for hook in hooks] == ["SUCCEEDED"]


def test_a_hook_that_expired_while_nobody_lived_times_out(tmp_path):
    expiring = BEFORE_TRAFFIC | {"timeoutConfiguration": {"timeoutInMinutes": 1000}}

    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[expiring])
            (hook,) = await world.until(world.waiting)
            hook.expires_at -= timedelta(seconds=60)
            world.account.save(world.deployment)
        async with living(tmp_path) as world:
            return await world.over(), world.deployment.hooks[0].status

    assert asyncio.run(lives()) == ("ROLLBACK_SUCCESSFUL", "TIMED_OUT")


def test_an_answer_after_the_expiry_is_refused_even_before_the_tasks_are_back(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[BEFORE_TRAFFIC])
            (hook,) = await world.until(world.waiting)
            hook.expires_at -= timedelta(days=365)
            world.account.save(world.deployment)
        world = World(tmp_path)
        await world.controller.recover()
        with pytest.raises(AwsError) as refused:
            world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id)
        shown = world.described()["lifecycleHookDetails"][0]["status"]
        world.controller.cancel()
        return refused.value.code, shown

    assert asyncio.run(lives()) == ("InvalidParameterException", "TIMED_OUT")


def test_a_success_and_the_revision_it_made_the_active_one_are_written_together(
    tmp_path, monkeypatch
):
    save, success = AccountBook.save, []

    def spying(book, *things):
        save(book, *things)
        if any(getattr(thing, "status", "") == "SUCCESSFUL" for thing in things):
            success.append([thing.active for thing in things if isinstance(thing, Service)])

    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            monkeypatch.setattr(AccountBook, "save", spying)
            world.release("1.4.1", **BLUE_GREEN)
            await world.over()
            return world.deployment.target

    assert success == [[asyncio.run(life())]]


def test_the_rest_of_a_bake_is_waited_for_and_not_the_whole(tmp_path):
    bake = BLUE_GREEN | {"bakeTimeInMinutes": 100}

    async def lives():
        async with living(tmp_path, minute=0.01) as world:
            await world.settled(**bake)
            world.release("1.4.1", **bake)
            end = await world.until(lambda: world.deployment.bake_until)
        async with living(tmp_path, minute=0.01) as world:
            return end, world.deployment.bake_until, await world.over(), world.deployment

    end, same, status, deployment = asyncio.run(lives())

    assert same == end
    assert status == "SUCCESSFUL"
    assert end <= deployment.finished_at


def test_a_rollback_goes_on_as_a_rollback(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**CANARY)
            world.release("1.4.1", **CANARY, lifecycleHooks=[BEFORE_TRAFFIC])
            await world.until(world.waiting)
            world.ecs.stop_service_deployment(world.deployment.arn)
            asked = world.deployment.status
        async with living(tmp_path) as world:
            return asked, await world.over(), world.described(), world.balancers.rules[RULE]

    asked, status, shown, rule = asyncio.run(lives())

    assert (asked, status) == ("ROLLBACK_REQUESTED", "ROLLBACK_SUCCESSFUL")
    assert shown["rollback"]["reason"] == reasons.STOPPED
    assert shown["stoppedAt"] <= shown["rollback"]["startedAt"]
    assert rule.weights == {BLUE: 100.0, GREEN: 0.0}


def test_a_rollback_that_goes_on_is_not_announced_again(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[BEFORE_TRAFFIC])
            await world.until(world.waiting)
            world.ecs.stop_service_deployment(world.deployment.arn)
            await world.until(lambda: world.deployment.rollback)
        async with living(tmp_path) as world:
            await world.over()
            return [text for text in world.messages() if "rolling back" in text]

    assert len(asyncio.run(lives())) == 1


def test_a_release_that_waited_for_the_rollback_of_another_still_follows_it(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN, lifecycleHooks=[BEFORE_TRAFFIC])
            await world.until(world.waiting)
            first = world.deployment.arn
            world.release("1.4.2-errors", **BLUE_GREEN)
        async with living(tmp_path) as world:
            return await world.over(), world.account.deployments[first].status

    assert asyncio.run(lives()) == ("SUCCESSFUL", "ROLLBACK_SUCCESSFUL")


def test_tasks_of_the_life_before_have_stopped_and_say_why(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
        async with living(tmp_path) as world:
            await world.until(lambda: world.running() == 2)
            arns = world.ecs.list_tasks(desiredStatus="STOPPED")["taskArns"]
            return world.ecs.describe_tasks(arns)["tasks"]

    tasks = asyncio.run(lives())

    assert [task["lastStatus"] for task in tasks] == ["STOPPED", "STOPPED"]
    assert {task["stopCode"] for task in tasks} == {"InfrastructureHealth"}
    assert all("restarted" in task["stoppedReason"] for task in tasks)


def test_weights_that_a_client_set_are_there_again(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            await world.balancers.replace_weights(RULE, {GREEN: 1.0})
        return (await World(tmp_path).begin()).balancers.rules[RULE].weights

    assert asyncio.run(lives()) == {GREEN: 1.0}


def test_a_home_of_before_weights_were_kept_sends_the_traffic_to_what_runs(tmp_path):
    async def lives():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN)
            await world.over()
            world.state.delete("RuleWeights", RULE)
        async with living(tmp_path) as world:
            return world.balancers.rules[RULE].weights

    assert asyncio.run(lives()) == {BLUE: 0.0, GREEN: 100.0}


# -- the same with real processes and a real kill -9 -----------------------------------------------

CANARY_MINUTES = {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 30}
TESTED_FIRST = PAUSE | {
    "lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT", "PRE_PRODUCTION_TRAFFIC_SHIFT"]
}
REVIEWED = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 1,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 0},
    "lifecycleHooks": [BEFORE_TRAFFIC],
}


@pytest.fixture(scope="module")
def lives(tmp_path_factory):
    """The lives of one sandbox, the last of them now; tests end them."""
    lived = [Account(tmp_path_factory.mktemp("mortal") / "home").ready()]
    yield lived
    lived[-1].stop()


def kill_and_start(lives):
    old = lives[-1]
    old.process.send_signal(signal.SIGKILL)
    old.process.wait()
    old.output.close()
    lives.append(Account(old.home, ports=(old.port, old.alb_port)))
    wait_until(lives[-1]._answers)
    return lives[-1]


def share(account, arn):
    return account.deployment(arn)["targetServiceRevision"]["requestedProductionTrafficWeight"]


def staging(account):
    return json.loads(account.get(port=account.alb_port + 1)[2])["version"]


def versions(account):
    """What readers and testers are answered by, None while either has nobody to answer."""
    try:
        return account.version(), seen_by_testers(account)
    except (OSError, ValueError, KeyError):
        return None


def test_kill_in_a_test_in_a_canarys_bake_and_half_way_through_a_rolling_deployment(lives):
    account = lives[-1]
    ingest = {"cluster": "production", "service": "news-ingest"}
    account.ecs.update_service(**ingest, desiredCount=3)
    wait_until(lambda: account.steady("production", "news-ingest"))
    paused = account.release("1.4.1", **REVIEWED | {"lifecycleHooks": [TESTED_FIRST]})
    baking = account.release(
        "1.4.1", cluster="staging", strategy="CANARY", canaryConfiguration=CANARY_MINUTES
    )
    hook = account.waiting_hook(paused)
    wait_until(lambda: share(account, baking) == 10.0)
    rolling = account.release(
        "1.4.1", name="news-ingest", strategy="ROLLING", maximumPercent=134, bakeTimeInMinutes=1
    )
    wait_until(lambda: account.deployment(rolling)["targetServiceRevision"]["runningTaskCount"])

    account = kill_and_start(lives)
    again = account.waiting_hook(paused)
    during = wait_until(lambda: versions(account))
    account.resume(paused, again)
    first = account.waiting_hook(paused, after={hook["hookId"]})
    account.resume(paused, first)
    second = account.waiting_hook(paused, after={hook["hookId"], first["hookId"]})
    balancers = account.control("GET", "status")["load_balancers"]
    account.resume(paused, second)

    assert (again["hookId"], again["expiresAt"]) == (hook["hookId"], hook["expiresAt"])
    assert sorted(balancers["news-production"]["weights"].values()) == [10.0, 90.0]
    assert account.finished(paused)["status"] == "SUCCESSFUL"
    assert account.finished(baking)["status"] == "SUCCESSFUL"
    assert account.finished(rolling)["status"] == "SUCCESSFUL"
    assert during == ("1.4.0", "1.4.1")
    assert (versions(account), staging(account)) == (("1.4.1", "1.4.1"), "1.4.1")
    wait_until(lambda: account.service(name="news-ingest")["runningCount"] == 3)


def test_kill_in_a_rollback_and_while_scaling_up(lives):
    account = lives[-1]
    before = account.version()
    turning = account.release("1.4.0", **REVIEWED)
    account.waiting_hook(turning)
    account.control("POST", "faults", {"fault": "placement-failure"})
    rising = account.release("1.4.0", cluster="staging", strategy="BLUE_GREEN", bakeTimeInMinutes=0)
    account.at_stage(rising, "SCALE_UP")
    account.stop_deployment(turning)
    account.control("DELETE", "faults")

    account = kill_and_start(lives)

    assert account.finished(turning)["status"] == "ROLLBACK_SUCCESSFUL"
    assert account.finished(rising)["status"] == "SUCCESSFUL"
    assert (account.version(), staging(account)) == (before, "1.4.0")
    stopped = account.ecs.list_tasks(cluster="staging", desiredStatus="STOPPED")["taskArns"]
    tasks = account.ecs.describe_tasks(cluster="staging", tasks=stopped)["tasks"]
    assert "The host of the task was lost" in " ".join(t["stoppedReason"] for t in tasks)
