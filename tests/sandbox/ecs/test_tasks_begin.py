"""What tasks are given when they begin: tags from where they come, and one start for a token."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.errors import AwsError
from tests.sandbox.ecs.world import NETWORK, living


def key_values(**tags):
    return [{"key": key, "value": value} for key, value in tags.items()]


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, {}),
        ({"propagateTags": "SERVICE"}, {"of": "service"}),
        ({"propagateTags": "TASK_DEFINITION"}, {"of": "definition"}),
        (
            {"propagateTags": "SERVICE", "enableECSManagedTags": True},
            {"of": "service", "aws:ecs:clusterName": "default", "aws:ecs:serviceName": "tagged"},
        ),
    ],
    ids=str,
)
def test_a_services_tasks_inherit_the_tags_that_it_propagates(tmp_path, settings, expected):
    async def life():
        async with living(tmp_path) as world:
            world.ecs.create_cluster(clusterName="default")
            arn = world.define("1.4.0")
            world.ecs.tag_resource(arn, key_values(of="definition"))
            world.ecs.create_service(
                serviceName="tagged",
                taskDefinition=arn,
                desiredCount=1,
                networkConfiguration=NETWORK,
                tags=key_values(of="service"),
                **settings,
            )
            await world.until(lambda: world.running() == 1)
            return next(iter(world.account.tasks.values())).tags

    assert asyncio.run(life()) == expected


def run(world, definition, **more):
    return world.ecs.run_task(definition, networkConfiguration=NETWORK, **more)["tasks"]


def test_a_one_off_task_inherits_from_its_definition_only_and_keeps_its_own_tags(tmp_path):
    async def life():
        async with living(tmp_path) as world:
            world.ecs.create_cluster(clusterName="default")
            arn = world.define("1.4.0")
            world.ecs.tag_resource(arn, key_values(a="definition", b="definition"))
            (task,) = run(world, arn, propagateTags="TASK_DEFINITION", tags=key_values(b="its own"))
            with pytest.raises(AwsError) as refused:
                run(world, arn, propagateTags="SERVICE")
            return task["tags"], refused.value.code

    tags, refused = asyncio.run(life())

    assert tags == key_values(a="definition", b="its own")
    assert refused == "InvalidParameterException"


@pytest.mark.parametrize("other", [{"count": 2}, {"overrides": {"cpu": "512", "memory": "1024"}}])
def test_a_token_that_began_other_tasks_is_refused(tmp_path, other):
    async def life():
        async with living(tmp_path) as world:
            world.ecs.create_cluster(clusterName="default")
            arn = world.define("1.4.0")
            first = run(world, arn, clientToken="x")
            again = run(world, arn, clientToken="x")
            with pytest.raises(AwsError) as refused:
                run(world, arn, clientToken="x", **other)
            return first, again, refused.value, len(world.account.tasks)

    first, again, refused, tasks = asyncio.run(life())

    assert first[0]["taskArn"] == again[0]["taskArn"]
    assert refused.code == "ConflictException"
    assert refused.detail == {"resourceIds": [first[0]["taskArn"]]}
    assert tasks == 1
