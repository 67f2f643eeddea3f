"""Tasks that fail, and what deployments and services make of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sandbox.ecs import breaker, reasons
from sandbox.ecs.container_health import Verdict
from sandbox.measurements import TaskSample
from tests.sandbox.ecs.world import BLUE, GREEN, RULE, living

ROLLING = {"strategy": "ROLLING"}
BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
CANARY = {
    "strategy": "CANARY",
    "bakeTimeInMinutes": 0,
    "canaryConfiguration": {"canaryPercent": 10.0, "canaryBakeTimeInMinutes": 1000},
}


def run(home, story, *, minute=0.02, **settled):
    async def life():
        async with living(home, minute=minute) as world:
            await world.settled(**{**ROLLING, **settled})
            return await story(world)

    return asyncio.run(life())


def guarded(rollback=True, **more):
    return ROLLING | {"deploymentCircuitBreaker": {"enable": True, "rollback": rollback, **more}}


def stopped(world):
    arns = world.ecs.list_tasks(desiredStatus="STOPPED")["taskArns"]
    return world.ecs.describe_tasks(arns)["tasks"] if arns else []


# -- the circuit breaker ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "desired", "threshold"),
    [
        ("COUNT", 7, 2, 7),
        ("BOUNDED_PERCENT", 50, 1, 3),
        ("BOUNDED_PERCENT", 50, 25, 13),
        ("BOUNDED_PERCENT", 50, 400, 200),
        ("BOUNDED_PERCENT", 50, 1000, 200),
        ("UNBOUNDED_PERCENT", 50, 2, 1),
        ("UNBOUNDED_PERCENT", 50, 1000, 500),
    ],
)
def test_the_circuit_breakers_threshold(kind, value, desired, threshold):
    configured = {"thresholdConfiguration": {"type": kind, "value": value}}

    assert breaker.threshold(configured, desired) == threshold


def test_without_a_threshold_configuration_half_of_the_tasks_may_fail():
    assert [breaker.threshold({}, desired) for desired in (1, 25, 400)] == [3, 13, 200]


def test_the_breaker_rolls_back_and_says_why_in_every_place(tmp_path):
    async def story(world):
        world.release("9.9.9", **guarded())
        await world.over()
        return world.described(), world.messages(), stopped(world)

    shown, messages, tasks = run(tmp_path, story, balanced=False, count=1)

    assert shown["status"] == "ROLLBACK_SUCCESSFUL"
    assert shown["statusReason"] == reasons.BREAKER
    assert shown["rollback"]["reason"].startswith(f"{reasons.BREAKER} CannotPullContainerError")
    assert shown["deploymentCircuitBreaker"] == {
        "status": "TRIGGERED",
        "failureCount": 3,
        "threshold": 3,
    }
    assert any("is unable to consistently start tasks successfully" in text for text in messages)
    (failed,) = (number for number, text in enumerate(messages) if "deployment failed" in text)
    assert messages[failed].endswith(") deployment failed: tasks failed to start.")
    back = "(service news-api) rolling back to deployment ecs-svc/"
    assert messages[failed - 1].startswith(back)
    assert messages[failed - 1].endswith(".")
    assert {task["stopCode"] for task in tasks if "CannotPull" in task["stoppedReason"]} == {
        "TaskFailedToStart"
    }


def test_a_breaker_without_rollback_stops_and_leaves_the_old_tasks_running(tmp_path):
    async def story(world):
        world.release("9.9.9", **guarded(rollback=False))
        await world.over()
        (primary, active) = world.shown["deployments"]
        world.release("1.4.1", **ROLLING)
        return primary, active, world.running(), await world.over(), world.shown["deployments"]

    primary, active, running, after, entries = run(tmp_path, story, balanced=False)

    assert (primary["status"], primary["rolloutState"]) == ("PRIMARY", "FAILED")
    assert primary["rolloutStateReason"] == (
        "ECS deployment circuit breaker: tasks failed to start."
    )
    assert (active["status"], active["runningCount"], running) == ("ACTIVE", 2, 2)
    assert after == "SUCCESSFUL"
    assert [entry["rolloutState"] for entry in entries] == ["COMPLETED"]


def test_a_breaker_with_nothing_to_return_to_stalls(tmp_path):
    async def story(world):
        world.service.active = None
        world.deployment.status = "STOPPED"
        for revision in world.account.revisions.values():
            revision.want = 0
        world.release("9.9.9", **guarded())
        await world.until(lambda: world.deployment.breaker_tripped)
        tasks = len(world.account.tasks)
        await asyncio.sleep(0.5)
        return world.described(), world.shown["deployments"][0], len(world.account.tasks) - tasks

    shown, classic, more = run(tmp_path, story, balanced=False)

    assert shown["status"] == "IN_PROGRESS"
    assert shown["deploymentCircuitBreaker"]["status"] == "TRIGGERED"
    assert classic["rolloutState"] == "FAILED"
    assert more == 0


@pytest.mark.parametrize(("resets", "tripped"), [(True, False), (False, True)])
def test_a_healthy_task_resets_the_count_unless_told_otherwise(tmp_path, resets, tripped):
    flapping = guarded(
        resetOnHealthyTask=resets, thresholdConfiguration={"type": "COUNT", "value": 2}
    )

    async def story(world):
        world.release("1.4.1", **flapping, minimumHealthyPercent=100, maximumPercent=150)
        for _ in range(2):
            task = await world.until(lambda: newest(world, "1.4.1"))
            await world.until(lambda t=task: t.was_healthy)
            world.scheduler.process(task.arn).end(1)
            await world.until(lambda t=task: t.last_status == "STOPPED")
        await asyncio.sleep(0.3)
        return world.deployment.breaker_tripped, await world.over()

    verdict = "ROLLBACK_SUCCESSFUL" if tripped else "SUCCESSFUL"

    assert run(tmp_path, story, balanced=False, count=2) == (tripped, verdict)


def newest(world, tag):
    """A running task of image `tag`, kept from replacing all others too soon."""
    live = [t for t in world.account.tasks.values() if t.live and t.image.endswith(tag)]
    running = [t for t in live if t.last_status == "RUNNING"]
    return running[-1] if running else None


def test_early_success_ends_before_the_old_tasks_are_gone(tmp_path):
    early = {"enable": True, "healthyPercent": 50, "sourceServiceRevisionCleanup": "DEFERRED"}

    async def story(world):
        for task in world.account.tasks.values():
            task.protected_until = task.created_at + timedelta(days=1)
        world.release("1.4.1", **ROLLING, minimumHealthyPercent=50, earlySuccessCriteria=early)
        return await world.over(), world.running() > 2

    assert run(tmp_path, story, balanced=False) == ("SUCCESSFUL", True)


# -- alarms ----------------------------------------------------------------------------------------


def watched(rollback):
    return {"alarms": {"alarmNames": ["5xx", "slow"], "enable": True, "rollback": rollback}}


def test_an_alarm_during_the_bake_rolls_back_and_is_named(tmp_path):
    async def story(world):
        world.release("1.4.1", **CANARY, **watched(rollback=True))
        await world.until(lambda: world.balancers.rules[RULE].weights[GREEN] == 10.0)
        watching = world.described()["alarms"]["status"]
        world.ringing.add("slow")
        await world.over()
        return watching, world.described()

    watching, shown = run(tmp_path, story, **CANARY)

    assert watching == "MONITORING"
    assert shown["status"] == "ROLLBACK_SUCCESSFUL"
    assert "stoppedAt" not in shown
    assert shown["alarms"]["triggeredAlarmNames"] == ["slow"]
    assert "slow" in shown["rollback"]["reason"]


def test_an_alarm_that_may_not_roll_back_stops_the_deployment_where_it_is(tmp_path):
    async def story(world):
        world.release("1.4.1", **CANARY, **watched(rollback=False))
        await world.until(lambda: world.balancers.rules[RULE].weights[GREEN] == 10.0)
        world.ringing.add("5xx")
        await world.over()
        halted = world.described(), dict(world.balancers.rules[RULE].weights), world.running()
        world.ringing.clear()
        world.release("1.4.2-errors", **BLUE_GREEN)
        stage = await world.until(lambda: world.deployment.stage)
        return halted, stage, await world.over(), world.running()

    (shown, weights, running), stage, status, left = run(tmp_path, story, **CANARY)

    assert (shown["status"], shown["alarms"]["status"]) == ("STOPPED", "TRIGGERED")
    assert "stoppedAt" in shown
    assert (weights, running) == ({BLUE: 90.0, GREEN: 10.0}, 4)
    assert (stage, status, left) == ("RECONCILE_SERVICE", "SUCCESSFUL", 2)


def test_alarms_that_ring_at_the_start_are_all_ignored(tmp_path):
    async def story(world):
        world.ringing.add("slow")
        world.release("1.4.1", **BLUE_GREEN, **watched(rollback=True))
        return await world.over(), world.described()["alarms"]

    status, alarms = run(tmp_path, story, **BLUE_GREEN)

    assert (status, alarms["status"]) == ("SUCCESSFUL", "DISABLED")


# -- tasks -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("code", [0, 1, 143])
def test_a_container_that_exits_takes_its_task_along(tmp_path, code):
    async def story(world):
        task = next(iter(world.account.tasks.values()))
        world.scheduler.process(task.arn).end(code)
        await world.until(lambda: task.last_status == "STOPPED")
        await world.until(lambda: world.running() == 2)
        return stopped(world)[0]

    task = run(tmp_path, story)

    assert task["stopCode"] == "EssentialContainerExited"
    assert task["stoppedReason"] == "Essential container in task exited"
    assert task["containers"][0]["exitCode"] == code


def test_a_task_that_uses_more_than_its_memory_is_killed_for_it(tmp_path):
    async def story(world):
        task = next(iter(world.account.tasks.values()))
        world.fleet.samples = [
            TaskSample("default", "news-api", task.arn, 256, 512, 1.0, 513 * 2**20)
        ]
        world.scheduler.lives.kill_greedy()
        await world.until(lambda: task.last_status == "STOPPED")
        return stopped(world)[0]

    container = run(tmp_path, story)["containers"][0]

    assert container["exitCode"] == 137
    assert container["reason"] == "OutOfMemoryError: Container killed due to memory usage"


def test_a_secret_that_does_not_exist_keeps_the_task_from_starting(tmp_path):
    arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-abc123"
    wanted = {"secrets": [{"name": "KEY", "valueFrom": f"{arn}:field::"}]}

    async def story(world):
        world.scheduler.lives.resolve_secret = lambda value_from: None
        world.release("1.4.1", wanted, **guarded())
        await world.over()
        return stopped(world), world.fleet.launches

    tasks, launches = run(tmp_path, story, balanced=False)

    reasons = {t["stoppedReason"] for t in tasks if t["stopCode"] == "TaskFailedToStart"}
    assert len(reasons) == 1
    assert all(reason.startswith("ResourceInitializationError: ") for reason in reasons)
    assert all(f"{arn} from" in reason for reason in reasons)
    assert {launch.image.tag for launch in launches} == {"1.4.0"}


def test_a_secret_reaches_the_container_as_its_environment(tmp_path):
    wanted = {"secrets": [{"name": "KEY", "valueFrom": "arn:a:b:c:d:e:f"}]}

    async def story(world):
        world.scheduler.lives.resolve_secret = {"arn:a:b:c:d:e:f": "hush"}.get
        world.release("1.4.1", wanted, **ROLLING)
        await world.over()
        return world.fleet.launches[-1].environment

    assert run(tmp_path, story, balanced=False) == {"KEY": "hush"}


def test_without_capacity_nothing_is_placed_and_the_service_says_so_once(tmp_path):
    reason = "Capacity is unavailable at this time. Please try again later"

    async def story(world):
        world.scheduler.placement_failure = reason
        world.ecs.update_service(service="news-api", desiredCount=3)
        await asyncio.sleep(0.6)
        during, said = world.shown, world.messages()
        world.scheduler.placement_failure = None
        await world.until(lambda: world.running() == 3)
        return during, said

    during, said = run(tmp_path, story)

    assert (during["desiredCount"], during["runningCount"], during["pendingCount"]) == (3, 2, 0)
    text = f"(service news-api) was unable to place a task. Reason: {reason}."
    assert said.count(text) == 1


def test_a_closed_zone_gets_no_task(tmp_path):
    async def story(world):
        before = {t.availability_zone for t in world.account.tasks.values()}
        world.scheduler.closed_zones.add("us-east-1a")
        world.ecs.update_service(service="news-api", desiredCount=5)
        await world.until(lambda: world.running() == 5)
        zones = [t.availability_zone for t in world.account.tasks.values()]
        return before, zones.count("us-east-1a"), zones.count("us-east-1b")

    assert run(tmp_path, story) == ({"us-east-1a", "us-east-1b"}, 1, 4)


def test_tasks_that_fail_the_balancers_checks_are_replaced_and_the_event_says_why(tmp_path):
    async def story(world):
        world.balancers.sick.add("1.4.4-unhealthy")
        world.release("1.4.4-unhealthy", **guarded())
        await world.over()
        return world.deployment, stopped(world), world.messages()

    deployment, tasks, messages = run(tmp_path, story)

    assert deployment.status == "ROLLBACK_SUCCESSFUL"
    assert "Task failed ELB health checks" in deployment.rollback["reason"]
    failed = [t for t in tasks if "ELB health checks" in t["stoppedReason"]]
    assert {t["stopCode"] for t in failed} == {"ServiceSchedulerInitiated"}
    assert any("is unhealthy in (target-group" in text and "[503]" in text for text in messages)


def test_the_grace_period_spares_a_task_that_fails_its_checks(tmp_path):
    async def story(world):
        world.service.settings["healthCheckGracePeriodSeconds"] = 3600
        world.balancers.sick.add("1.4.4-unhealthy")
        world.release("1.4.4-unhealthy", **guarded())
        await world.until(lambda: len(world.fleet.launches) >= 4)
        await asyncio.sleep(0.5)
        return len(world.fleet.launches), world.deployment.failed_tasks

    assert run(tmp_path, story, minute=1.0) == (4, 0)


@pytest.mark.parametrize(
    ("checks", "ages", "health"),
    [
        ([], [], "UNKNOWN"),
        ([True], [1], "HEALTHY"),
        ([False, False], [1, 2], "UNKNOWN"),
        ([False, False, False], [1, 2, 3], "UNHEALTHY"),
        ([True, False, False], [1, 2, 3], "HEALTHY"),
        ([True, False, False, False], [1, 2, 3, 4], "UNHEALTHY"),
        ([False, False, False, True], [1, 2, 3, 4], "HEALTHY"),
    ],
)
def test_a_container_is_judged_by_its_own_checks(checks, ages, health):
    verdict = Verdict.of({"retries": 3})

    for passed, age in zip(checks, ages, strict=True):
        verdict.judge(passed, age)

    assert verdict.health == health


def test_failures_in_the_start_period_count_only_after_a_success():
    patient = Verdict.of({"retries": 1, "startPeriod": 60})

    young = patient.judge(False, 59)
    well = patient.judge(True, 60)
    ill = patient.judge(False, 61)

    assert (young, well, ill) == ("UNKNOWN", "HEALTHY", "UNHEALTHY")


def test_a_container_that_fails_its_own_check_is_replaced(tmp_path):
    async def story(world):
        task = next(iter(world.account.tasks.values()))
        task.health = "UNHEALTHY"
        await world.until(lambda: task.last_status == "STOPPED")
        return stopped(world)[0]["stoppedReason"]

    assert run(tmp_path, story) == "Task failed container health checks"
