"""What ECS tells of a service and its deployments: events, deployments[], history."""

from __future__ import annotations

import asyncio
import re
from datetime import timedelta

import pytest

from sandbox.ecs import hooks
from sandbox.ecs.account import Account
from sandbox.errors import AwsError
from sandbox.state import State
from tests.sandbox.account import PAUSE
from tests.sandbox.ecs.world import BLUE, living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
ROLLING = {"strategy": "ROLLING"}
PAUSED = BLUE_GREEN | {"lifecycleHooks": [PAUSE | {"lifecycleStages": ["POST_SCALE_UP"]}]}
NEVER_UP = {"enable": True, "rollback": True}


def run(home, story, **settled):
    async def life():
        async with living(home) as world:
            await world.settled(**{**BLUE_GREEN, **settled})
            return await story(world)

    return asyncio.run(life())


def plain(messages):
    """Events oldest first, without the ids of tasks and deployments."""
    return [re.sub(r"(ecs-svc/|task )\w+", r"\1…", text) for text in reversed(messages)]


async def steady(world):
    await world.until(lambda: "steady" in world.messages()[0])


# -- events ----------------------------------------------------------------------------------------


def test_a_release_is_told_as_ecs_tells_it(tmp_path):
    async def story(world):
        await steady(world)
        before = len(world.messages())
        world.release("1.4.1", **BLUE_GREEN)
        await world.over()
        await steady(world)
        return plain(world.messages())[before:]

    told = run(tmp_path, story, count=1)

    group = "(target-group arn:green)"
    assert told == [
        "(service news-api) has started 1 tasks: (task …).",
        f"(service news-api) registered 1 targets in {group}",
        "(service news-api) has stopped 1 running tasks: (task …).",
        f"(service news-api) deregistered 1 targets in (target-group {BLUE})",
        "(service news-api, taskSet ecs-svc/…) has begun draining connections on 1 tasks.",
        "(service news-api) (deployment ecs-svc/…) deployment completed.",
        "(service news-api) has reached a steady state.",
    ]


def test_an_alarm_is_told_as_detected_and_the_way_back_as_completed(tmp_path):
    alarms = {"alarmNames": ["slow"], "enable": True, "rollback": True}

    async def story(world):
        world.release("1.4.1", **PAUSED, alarms=alarms)
        await world.until(world.waiting)
        world.ringing.add("slow")
        await world.over()
        return plain(world.messages())

    told = run(tmp_path, story)

    failed = told.index(
        "(service news-api) (deployment ecs-svc/…) deployment failed: alarm detected."
    )
    assert told[failed + 1] == "(service news-api) rolling back to deployment ecs-svc/…."
    assert "(service news-api) (deployment ecs-svc/…) deployment completed." in told[failed:]


def test_a_steady_service_says_so_again_after_six_hours(tmp_path):
    def said(world):
        return sum("steady" in text for text in world.messages())

    async def story(world):
        await steady(world)
        once = said(world)
        arn = world.service.arn
        world.scheduler._steady[arn] -= timedelta(hours=5, minutes=59)
        await asyncio.sleep(0.5)
        too_soon = said(world)
        world.scheduler._steady[arn] -= timedelta(minutes=1)
        await world.until(lambda: said(world) > once)
        return once, too_soon

    assert run(tmp_path, story) == (1, 1)


def test_a_failed_container_health_check_is_an_event_before_its_replacement(tmp_path):
    async def story(world):
        task = next(iter(world.account.tasks.values()))
        task.health = "UNHEALTHY"
        await world.until(lambda: task.last_status == "STOPPED")
        return plain(world.messages())

    told = run(tmp_path, story)

    failed = told.index("(service news-api) (task …) failed container health checks.")
    assert [text for text in told[failed + 1 :] if "has st" in text] == [
        "(service news-api) has started 1 tasks: (task …).",
        "(service news-api) has stopped 1 running tasks: (task …).",
    ]


# -- deployments[] ---------------------------------------------------------------------------------


def test_what_is_rolled_back_to_is_the_primary_deployment_while_it_lasts(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        await world.until(world.waiting)
        for task in world.account.tasks.values():
            task.protected_until = task.created_at + timedelta(days=1)
        world.ecs.stop_service_deployment(world.deployment.arn)
        await world.until(lambda: world.deployment.rollback)
        during = world.shown["deployments"]
        for task in world.account.tasks.values():
            task.protected_until = None
        await world.over()
        return during, world.shown["deployments"], world.shown["taskDefinition"]

    (primary, leaving), after, definition = run(tmp_path, story)

    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "IN_PROGRESS")
    assert primary["rolloutStateReason"] == (
        f"ECS deployment circuit breaker: rolling back to deploymentId {primary['id']}."
    )
    assert primary["taskDefinition"] == definition
    assert (leaving["status"], leaving["rolloutState"]) == ("ACTIVE", "FAILED")
    assert leaving["rolloutStateReason"].startswith(f"ECS deployment {leaving['id']} failed: ")
    assert [(each["id"], each["rolloutState"]) for each in after] == [(primary["id"], "COMPLETED")]


# -- the circuit breaker of the blue/green family --------------------------------------------------


def test_the_breaker_turns_a_blue_green_deployment_back_before_its_stage_times_out(tmp_path):
    async def story(world):
        world.release("9.9.9", **BLUE_GREEN, deploymentCircuitBreaker=NEVER_UP)
        return await world.over(), world.described()

    status, shown = run(tmp_path, story, count=1)

    assert status == "ROLLBACK_SUCCESSFUL"
    assert shown["statusReason"] == (
        "Service deployment rolled back because the circuit breaker threshold was exceeded."
    )
    assert shown["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": 3,
        "threshold": 3,
    }


def test_a_first_blue_green_deployment_has_nothing_to_go_back_to(tmp_path):
    async def story(world):
        world.service.active = None
        world.deployment.status = "STOPPED"
        for revision in world.account.revisions.values():
            revision.want = 0
        world.release("9.9.9", **BLUE_GREEN, deploymentCircuitBreaker=NEVER_UP)
        return await world.over(), world.deployment.status_reason

    assert run(tmp_path, story, count=1) == (
        "ROLLBACK_FAILED",
        "No rollback candidate was found to run the rollback.",
    )


def test_a_breaker_that_may_not_roll_back_does_not_say_it_did(tmp_path):
    async def story(world):
        world.release("9.9.9", **ROLLING, deploymentCircuitBreaker={**NEVER_UP, "rollback": False})
        return await world.over(), world.deployment.status_reason

    assert run(tmp_path, story, balanced=False) == (
        "STOPPED",
        "Service deployment stopped because the circuit breaker threshold was exceeded.",
    )


# -- answers to pauses -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hook", "said"),
    [("made-up", hooks.NO_ID), ("ecs-pause-other", hooks.NOT_WAITING)],
)
def test_a_hook_that_does_not_wait_is_refused_in_ecs_words(tmp_path, hook, said):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        await world.until(world.waiting)
        with pytest.raises(AwsError) as refused:
            world.ecs.continue_service_deployment(world.deployment.arn, hook)
        return refused.value.code, refused.value.message

    assert run(tmp_path, story) == ("InvalidParameterException", said)


def test_a_deployment_that_is_over_cannot_be_continued(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        (hook,) = await world.until(world.waiting)
        world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id)
        await world.over()
        with pytest.raises(AwsError) as refused:
            world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id)
        return refused.value.message

    assert run(tmp_path, story) == (
        "Continuing a service deployment is not allowed for service deployment in terminal states."
    )


# -- ninety days -----------------------------------------------------------------------------------


def age(world, days):
    for deployment in world.account.deployments.values():
        deployment.created_at -= timedelta(days=days)
    world.account.save(*world.account.deployments.values())


def forget_stopped_tasks(world):
    for task in list(world.account.tasks.values()):
        if task.last_status == "STOPPED":
            world.account.forget(task)


def kept(home):
    """What a next life finds: deployments, revisions, services."""
    account = Account(State(home / "ecs.sqlite"))
    return set(account.deployments), set(account.revisions), set(account.services)


def test_deployments_older_than_ninety_days_are_deleted_with_their_revisions(tmp_path):
    async def story(world):
        first = world.deployment
        world.release("1.4.1", **BLUE_GREEN)
        await world.over()
        second = world.deployment
        world.release("1.4.2-errors", **BLUE_GREEN)
        await world.over()
        age(world, 89)
        world.account.forget_old_deployments()
        young = set(world.account.deployments)
        age(world, 2)
        forget_stopped_tasks(world)
        world.account.forget_old_deployments()
        return {first.arn, second.arn}, young, world.deployment, world.shown["deployments"]

    gone, young, newest, deployments = run(tmp_path, story)

    found, revisions, _ = kept(tmp_path)
    assert young == gone | {newest.arn}
    # The service still runs what this one brought.
    assert found == {newest.arn}
    assert revisions == {newest.target, *newest.sources}
    assert [each["rolloutState"] for each in deployments] == ["COMPLETED"]


def test_a_deployment_that_still_waits_after_ninety_days_is_kept(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        (hook,) = await world.until(world.waiting)
        age(world, 91)
        world.account.forget_old_deployments()
        world.controller.resume(world.deployment, hook.hook_id, "CONTINUE")
        return await world.over()

    assert run(tmp_path, story) == "SUCCESSFUL"


def test_a_deleted_service_goes_with_the_last_of_its_deployments(tmp_path):
    async def story(world):
        world.ecs.delete_service("news-api", force=True)
        await world.until(lambda: world.service.status == "INACTIVE")
        world.account.forget_old_deployments()
        shown = world.shown["status"]
        forget_stopped_tasks(world)
        age(world, 91)
        world.account.forget_old_deployments()
        return shown

    shown = run(tmp_path, story)

    assert shown == "INACTIVE"
    assert kept(tmp_path) == (set(), set(), set())
