"""What the tasks that run hold of Fargate."""

from __future__ import annotations

import asyncio
from decimal import Decimal

from sandbox.costexplorer import inventory, kinds
from tests.sandbox.ecs.world import NETWORK, living


def test_a_task_of_no_service_is_billed_beside_those_of_services(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(count=2)
            (task,) = world.ecs.run_task(
                world.define("1.4.0"),
                networkConfiguration=NETWORK,
                tags=[{"key": "owner", "value": "news"}],
            )["tasks"]
            await world.until(lambda: world.running() == 3)
            return task["taskArn"], world.service.arn, list(inventory.of_tasks(world.account))

    task, service, holdings = asyncio.run(life())

    cpu, _ = kinds.fargate(arm=False)
    held = {each.resource: (each.amount, each.tags) for each in holdings if each.kind == cpu}
    assert held == {
        service: (Decimal("0.5"), ()),
        task: (Decimal("0.25"), (("owner", "news"),)),
    }


def test_tasks_of_no_service_are_none_of_a_services_tasks(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            await world.settled(count=2)
            world.ecs.run_task(world.define("1.4.0"), networkConfiguration=NETWORK)
            await world.until(lambda: world.running() == 3)
            return world.account.running(world.service.arn)

    assert asyncio.run(life()) == 2
