"""What a service is told to be when one deployment takes the place of another."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.errors import AwsError
from sandbox.estate.plan import subnets
from tests.sandbox.account import PAUSE
from tests.sandbox.ecs.world import NETWORK, living

BLUE_GREEN = {"strategy": "BLUE_GREEN", "bakeTimeInMinutes": 0}
PAUSED = BLUE_GREEN | {"lifecycleHooks": [PAUSE | {"lifecycleStages": ["PRE_SCALE_UP"]}]}
ELSEWHERE = {"awsvpcConfiguration": {"subnets": subnets("public")}}


def test_the_service_keeps_the_task_definition_of_the_deployment_that_came_last(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **PAUSED)
            await world.until(world.waiting)
            later = world.release("1.4.2-errors", **BLUE_GREEN)
            wanted = world.service.task_definition
            await world.over()
            world.ecs.update_service(service="news-api", taskDefinition=wanted)
            return wanted, world.shown["taskDefinition"], later, world.deployment

    wanted, shown, later, newest = asyncio.run(life())

    assert shown == wanted
    # Asking for what is there already starts nothing.
    assert newest is later


def test_a_rollback_returns_to_the_network_of_before_as_well(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.ecs.update_service(
                service="news-api", networkConfiguration=ELSEWHERE, deploymentConfiguration=PAUSED
            )
            await world.until(world.waiting)
            during = world.shown["networkConfiguration"]
            world.ecs.stop_service_deployment(world.deployment.arn)
            return during, await world.over(), world.shown["networkConfiguration"]

    assert asyncio.run(life()) == (ELSEWHERE, "ROLLBACK_SUCCESSFUL", NETWORK)


def test_a_target_group_that_no_load_balancer_knows_is_refused(tmp_path):
    nowhere = {"targetGroupArn": "arn:x", "containerName": "news-api", "containerPort": 8000}

    async def life():
        async with living(tmp_path) as world:
            await world.settled()
            with pytest.raises(AwsError) as created:
                world.ecs.create_service(
                    serviceName="other",
                    taskDefinition="news-api",
                    networkConfiguration=NETWORK,
                    loadBalancers=[nowhere],
                )
            with pytest.raises(AwsError) as updated:
                world.ecs.update_service(service="news-api", loadBalancers=[nowhere])
            return created.value, updated.value, world.service.load_balancers

    created, updated, balancers = asyncio.run(life())

    assert created.code == updated.code == "InvalidParameterException"
    assert "does not have an associated load balancer" in created.message
    assert nowhere not in balancers


@pytest.mark.parametrize("ending", ["its service is deleted", "an alarm rings"])
def test_nobody_is_asked_any_more_when_a_deployment_ended_where_it_was(tmp_path, ending):
    watched = PAUSED | {"alarms": {"alarmNames": ["slow"], "enable": True, "rollback": False}}

    async def life():
        async with living(tmp_path) as world:
            await world.settled(**BLUE_GREEN)
            world.release("1.4.1", **watched)
            await world.until(world.waiting)
            if ending == "an alarm rings":
                world.ringing.add("slow")
            else:
                world.ecs.delete_service("news-api", force=True)
            return await world.over(), world.described()["lifecycleHookDetails"][0]["status"]

    assert asyncio.run(life()) == ("STOPPED", "FAILED")
