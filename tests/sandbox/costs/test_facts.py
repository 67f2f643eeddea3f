"""What advice is made from: the use of a service since it has its present size."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from types import SimpleNamespace

import pytest

from sandbox import clock
from sandbox.cloudwatch.service import CloudWatch
from sandbox.ecs.account import Account
from sandbox.ecs.model import Revision, Service, TaskDefinition
from sandbox.optimizer.facts import Facts
from sandbox.optimizer.recommendations import of_services
from sandbox.optimizer.sizing import Size
from sandbox.state import State

ARN = "arn:aws:ecs:us-east-1:123456789012:service/production/a"
CLUSTER = "arn:aws:ecs:us-east-1:123456789012:cluster/production"


class Metrics:
    """CloudWatch with a point an hour of five per cent."""

    async def get_metric_statistics(self, **asked):
        hours = int((asked["EndTime"] - asked["StartTime"]) / timedelta(hours=1))
        return {"Datapoints": [{"Maximum": 5.0, "Average": 4.0}] * hours}


class World:
    """One service with one task, and the sizes it had."""

    def __init__(self, home):
        self.account = Account(State(home / "state.sqlite"))
        self.gateway = SimpleNamespace(owners={})
        self.service = Service(
            ARN, "a", "production", CLUSTER, 1, "a:1", {}, {}, clock.now() - timedelta(days=90)
        )

    def of(self, kind):
        return {Account: self.account, CloudWatch: Metrics()}[kind]

    def release(self, cpu, memory, ago):
        number = len(self.account.revisions) + 1
        at = clock.now() - ago
        body = {"cpu": str(cpu), "memory": str(memory), "containerDefinitions": [{"name": "a"}]}
        definition = TaskDefinition(f"td:{number}", "a", number, "ACTIVE", at, body)
        revision = Revision(f"rev:{number}", ARN, CLUSTER, definition.arn, None, None, [], at, {})
        task = SimpleNamespace(revision=revision.arn, last_status="RUNNING")
        self.service.active = revision.arn
        self.account.save(definition, revision, self.service)
        self.account.tasks = {"task": task}

    def facts(self):
        return asyncio.run(Facts(self).services())


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_releases_of_the_same_size_do_not_interrupt_the_measurement(world):
    world.release(512, 1024, timedelta(days=30))
    world.release(512, 1024, timedelta(hours=1))

    (facts,) = world.facts()

    assert len(facts.cpu.maximum) == 14 * 24
    assert (facts.size, facts.tasks) == (Size(512, 1024), 1)


def test_a_service_is_no_longer_advised_once_it_is_small(world):
    world.release(512, 1024, timedelta(days=30))
    (advice,) = of_services(world.facts())

    world.release(256, 512, timedelta(hours=2))

    assert advice.recommended == "256.0 vCPU/512 MB memory"
    assert world.facts() == []


def test_a_day_after_a_new_size_there_is_advice_again(world):
    world.release(1024, 2048, timedelta(days=30))
    world.release(512, 1024, timedelta(hours=30))

    (facts,) = world.facts()

    assert len(facts.cpu.maximum) == 30


def test_services_without_tasks_are_not_looked_at(world):
    world.release(512, 1024, timedelta(days=30))
    world.account.tasks = {}

    assert world.facts() == []
