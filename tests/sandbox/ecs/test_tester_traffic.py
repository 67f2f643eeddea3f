"""Testers reach the green revision by a listener of their own before readers do."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.ecs import listener_rules, reasons
from sandbox.errors import AwsError
from tests.sandbox.account import PAUSE, Readers, wait_until
from tests.sandbox.ecs.testers import seen_by_testers
from tests.sandbox.ecs.world import BALANCER, BLUE, GREEN, RULE, TEST_RULE, TESTED, living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
AT_TEST = PAUSE | {"lifecycleStages": ["POST_TEST_TRAFFIC_SHIFT"]}
PAUSED = BLUE_GREEN | {"lifecycleHooks": [AT_TEST]}
BY_BLUE, BY_GREEN = {BLUE: 100.0, GREEN: 0.0}, {BLUE: 0.0, GREEN: 100.0}


def run(home, story, balancer=TESTED):
    async def life():
        async with living(home) as world:
            await world.settled(balancer=balancer, **BLUE_GREEN)
            return await story(world)

    return asyncio.run(life())


def weights(world):
    return [dict(world.balancers.rules[rule].weights) for rule in (RULE, TEST_RULE)]


def told(world):
    """What source and target are told to get of the test and of the production traffic."""
    shown = world.described()
    return [
        (each["requestedTestTrafficWeight"], each["requestedProductionTrafficWeight"])
        for each in (*shown["sourceServiceRevisions"], shown["targetServiceRevision"])
    ]


def test_the_test_rule_moves_first_and_stays_with_what_is_in_production(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        (hook,) = await world.until(world.waiting)
        during = world.deployment.stage, weights(world), told(world)
        world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id)
        return during, await world.over(), weights(world), told(world)

    during, status, after, ended = run(tmp_path, story)

    assert during == (
        "POST_TEST_TRAFFIC_SHIFT",
        [BY_BLUE, BY_GREEN],
        [(0.0, 100.0), (100.0, 0.0)],
    )
    assert (status, after) == ("SUCCESSFUL", [BY_GREEN, BY_GREEN])
    assert ended == [(0.0, 0.0), (0.0, 100.0)]


def test_a_rejected_test_gives_the_test_rule_back(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        (hook,) = await world.until(world.waiting)
        world.ecs.continue_service_deployment(world.deployment.arn, hook.hook_id, "ROLLBACK")
        return await world.over(), weights(world), told(world), world.deployment.status_reason

    assert run(tmp_path, story) == (
        "ROLLBACK_SUCCESSFUL",
        [BY_BLUE, BY_BLUE],
        [(0.0, 100.0), (0.0, 0.0)],
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT lifecycle hook(s) failed.",
    )


def test_a_test_nobody_judged_in_time_says_so(tmp_path):
    async def story(world):
        world.release("1.4.1", **PAUSED)
        await world.until(world.waiting)
        world.controller.expire_hooks(None)
        return await world.over(), world.deployment.status_reason

    assert run(tmp_path, story) == (
        "ROLLBACK_SUCCESSFUL",
        "Service deployment rolled back because POST_TEST_TRAFFIC_SHIFT pause hook timed out.",
    )


def test_without_a_test_rule_nothing_but_the_production_rule_moves(tmp_path):
    async def story(world):
        world.release("1.4.1", **BLUE_GREEN)
        return await world.over(), weights(world)

    assert run(tmp_path, story, BALANCER) == ("SUCCESSFUL", [BY_GREEN, BY_BLUE])


@pytest.mark.parametrize("stage", ["PRE_SCALE_UP", "POST_SCALE_UP"])
def test_a_rollback_before_the_test_leaves_the_rules_as_somebody_set_them(tmp_path, stage):
    hooked = BLUE_GREEN | {"lifecycleHooks": [PAUSE | {"lifecycleStages": [stage]}]}

    async def story(world):
        world.release("1.4.1", **hooked)
        await world.until(world.waiting)
        await world.balancers.replace_weights(RULE, {BLUE: 7.0, GREEN: 3.0})
        world.ecs.stop_service_deployment(world.deployment.arn)
        return await world.over(), weights(world)

    assert run(tmp_path, story) == ("ROLLBACK_SUCCESSFUL", [{BLUE: 7.0, GREEN: 3.0}, BY_BLUE])


# -- rules that do not fit -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("production", "test", "detail"),
    [
        (None, BY_BLUE, "One or more rules not found"),
        (BY_BLUE, None, "One or more rules not found"),
        ({BLUE: 1.0}, {BLUE: 1.0}, listener_rules.ON_NO_RULE),
        ({BLUE: 1.0, GREEN: 1.0}, BY_BLUE, "but found 2 target groups which are serving traffic"),
        ({BLUE: 0.0, GREEN: 0.0}, BY_BLUE, "but found 0 target groups which are serving traffic"),
        ({BLUE: 0.0, "arn:x": 1.0, GREEN: 0.0}, BY_BLUE, "to unexpected target group arn:x."),
    ],
)
def test_rules_that_do_not_fit_fail_the_deployment_and_stay_as_they_are(
    tmp_path, production, test, detail
):
    async def story(world):
        for rule, given in ((RULE, production), (TEST_RULE, test)):
            if given is None:
                del world.balancers.rules[rule]
            else:
                await world.balancers.replace_weights(rule, given)
        before = {arn: dict(rule.weights) for arn, rule in world.balancers.rules.items()}
        world.release("1.4.1", **BLUE_GREEN)
        status = await world.over()
        after = {arn: dict(rule.weights) for arn, rule in world.balancers.rules.items()}
        return status, world.deployment.status_reason, after == before, len(world.fleet.launches)

    status, reason, same, launches = run(tmp_path, story)

    assert (status, same, launches) == ("ROLLBACK_SUCCESSFUL", True, 2)
    assert reason.startswith(reasons.network(""))
    assert detail in reason


def test_one_group_on_each_rule_is_enough(tmp_path):
    async def story(world):
        await world.balancers.replace_weights(RULE, {BLUE: 1.0})
        await world.balancers.replace_weights(TEST_RULE, {GREEN: 1.0})
        world.release("1.4.1", **BLUE_GREEN)
        return await world.over(), weights(world)

    assert run(tmp_path, story) == ("SUCCESSFUL", [BY_GREEN, BY_GREEN])


def balancer(**advanced):
    return BALANCER | {"advancedConfiguration": BALANCER["advancedConfiguration"] | advanced}


@pytest.mark.parametrize(
    ("strategy", "balancers", "said"),
    [
        ("CANARY", [], "advancedConfiguration field is required for all loadBalancers"),
        ("BLUE_GREEN", [BALANCER | {"advancedConfiguration": {}}], "is required for all"),
        (
            "BLUE_GREEN",
            [balancer(productionListenerRule="arn:listener")],
            "Must be RuleArn for ALB or ListenerArn for NLB. Got: arn:listener",
        ),
        ("LINEAR", [balancer(testListenerRule="arn:x")], "testListenerRule has an invalid ARN"),
        (
            "CANARY",
            [balancer(testListenerRule=RULE)],
            f"cannot be used as both production and test listener rules: {RULE}",
        ),
        ("CANARY", [balancer(alternateTargetGroupArn=BLUE)], "Duplicate targetGroupArn found"),
        (
            "CANARY",
            [BALANCER | {"advancedConfiguration": {"alternateTargetGroupArn": GREEN}}],
            "must have productionListenerRule",
        ),
        ("CANARY", [balancer(alternateTargetGroupArn="arn:x")], listener_rules.NEEDS_TEST_RULE),
    ],
)
def test_what_ecs_sees_in_the_call_is_refused_there(strategy, balancers, said):
    with pytest.raises(AwsError) as refused:
        listener_rules.strategy_fits({"strategy": strategy}, balancers, {RULE: BY_BLUE})

    assert refused.value.code == "InvalidParameterException"
    assert said in refused.value.message


def test_blue_green_without_a_load_balancer_moves_no_traffic(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(balanced=False, **BLUE_GREEN)
            world.release("1.4.1", **BLUE_GREEN)
            return await world.over(), weights(world), world.running()

    assert asyncio.run(life()) == ("SUCCESSFUL", [BY_BLUE, BY_BLUE], 2)


# -- with real requests ----------------------------------------------------------------------------


def test_testers_see_the_new_version_while_every_reader_sees_the_old(account):
    old = account.version()
    new = "1.4.1" if old == "1.4.0" else "1.4.0"

    with Readers(account, count=2) as readers:
        arn = account.release(new, **PAUSED)
        hook = account.waiting_hook(arn)
        stage = account.deployment(arn)["lifecycleStage"]
        testers = {seen_by_testers(account) for _ in range(20)}
        seen = {version for _, _, version in readers.answers}
        account.resume(arn, hook)
        done = account.finished(arn)
        wait_until(lambda: readers.answers[-1][2] == new)
    rested = seen_by_testers(account)

    assert (stage, testers, seen) == ("POST_TEST_TRAFFIC_SHIFT", {new}, {old})
    assert (done["status"], rested) == ("SUCCESSFUL", new)
    assert readers.failures() == []
