"""ECS in one process: the real controller and scheduler over a fleet and a balancer of paper."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from pathlib import Path

from sandbox.ecs.account import Account
from sandbox.ecs.api import Ecs
from sandbox.ecs.controller import Controller
from sandbox.ecs.scheduler import Scheduler
from sandbox.estate.plan import subnets
from sandbox.load_balancers import Rule
from sandbox.settings import Settings
from sandbox.state import State
from tests.sandbox.account import LIMIT

REGISTRY = "123456789012.dkr.ecr.us-east-1.amazonaws.com"
BLUE, GREEN = "arn:blue", "arn:green"
BY_BLUE = {BLUE: 100.0, GREEN: 0.0}
RULE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/x/1/80/1"
TEST_RULE = "arn:aws:elasticloadbalancing:us-east-1:123456789012:listener-rule/app/x/1/8080/1"
NETWORK = {"awsvpcConfiguration": {"subnets": subnets("app")}}
BALANCER = {
    "targetGroupArn": BLUE,
    "containerName": "news-api",
    "containerPort": 8000,
    "advancedConfiguration": {"alternateTargetGroupArn": GREEN, "productionListenerRule": RULE},
}
TESTED = BALANCER | {
    "advancedConfiguration": BALANCER["advancedConfiguration"] | {"testListenerRule": TEST_RULE}
}


class PaperProcess:
    """A process that lives until it is told to end; `exits` makes it end by itself at once."""

    def __init__(self, launch, port, exits=None):
        self.launch, self.port, self.exit_code = launch, port, exits
        self._ended = asyncio.Event()
        if exits is not None:
            self._ended.set()

    async def wait(self):
        await self._ended.wait()
        return self.exit_code

    async def stop(self, timeout):
        self.end(0)

    def kill(self):
        self.end(137)

    def end(self, code):
        self.exit_code = code if self.exit_code is None else self.exit_code
        self._ended.set()


class PaperFleet:
    """Starts paper processes; `exits` says with which code an image's processes end at once."""

    def __init__(self):
        self.exits = {}
        self.launches = []
        self.samples = []

    async def start(self, launch):
        self.launches.append(launch)
        return PaperProcess(launch, 20_000 + len(self.launches), self.exits.get(launch.image.tag))

    def ended(self, process):
        pass

    def task_samples(self):
        return self.samples


class PaperBalancers:
    """Targets are healthy at once, but those of `sick` versions."""

    def __init__(self):
        self.rules = {arn: Rule(arn, "app/x", dict(BY_BLUE)) for arn in (RULE, TEST_RULE)}
        self.remember = lambda rule: None
        self.sick = set()
        self.registered = {}

    def knows(self, group):
        return group in (BLUE, GREEN)

    async def replace_weights(self, arn, weights):
        self.rules[arn].weights = dict(weights)
        self.remember(self.rules[arn])

    async def set_weights(self, arn, weights):
        await self.replace_weights(arn, {**self.rules[arn].weights, **weights})

    async def register(self, target):
        sick = target.version in self.sick
        target.state = "unhealthy" if sick else "healthy"
        target.description = "Health checks failed with these codes: [503]" if sick else ""
        self.registered[target.group, target.port] = target

    async def deregister(self, group, port):
        self.registered.pop((group, port), None)

    forget = deregister

    def target(self, group, port):
        return self.registered.get((group, port))

    def state(self, group, port):
        target = self.target(group, port)
        return target.state if target else "unused"


class World:
    """One life of an account; another life may begin on the same home after `die`."""

    def __init__(self, home: Path, *, minute=0.02):
        settings = Settings(
            home=home,
            port=1,
            alb_port=2,
            seconds_per_minute=minute,
            visibility_seconds=0,
            scale_up_seconds=60.0,
        )
        self.state = State(home / "ecs.sqlite")
        self.account = Account(self.state)
        self.fleet, self.balancers, self.ringing = PaperFleet(), PaperBalancers(), set()
        self.scheduler = Scheduler(self.account, self.fleet, self.balancers)
        self.controller = Controller(
            self.account, self.scheduler, self.balancers, settings, self._in_alarm
        )
        self.ecs = Ecs(self.account, self.scheduler, self.controller, settings)

    async def _in_alarm(self, names):
        return [name for name in names if name in self.ringing]

    async def begin(self):
        await self.controller.recover()
        self._job = asyncio.create_task(self.scheduler.run())
        return self

    def die(self):
        """As kill -9: nothing is said, nothing is written."""
        self._job.cancel()
        self.controller.cancel()
        self.scheduler.cancel()
        self.state.close()

    # -- short names ---------------------------------------------------------------------------

    def define(self, tag, **container):
        answer = self.ecs.register_task_definition(
            family="news-api",
            cpu="256",
            memory="512",
            networkMode="awsvpc",
            executionRoleArn="arn:role",
            containerDefinitions=[
                {
                    "name": "news-api",
                    "image": f"{REGISTRY}/news-api:{tag}",
                    "portMappings": [{"containerPort": 8000}],
                    **container,
                }
            ],
        )
        return answer["taskDefinition"]["taskDefinitionArn"]

    async def settled(self, *, count=2, balanced=True, balancer=BALANCER, **configuration):
        """A service that runs image 1.4.0, as one that has run for long."""
        self.ecs.create_cluster(clusterName="default")
        self.ecs.create_service(
            serviceName="news-api",
            taskDefinition=self.define("1.4.0"),
            desiredCount=count,
            networkConfiguration=NETWORK,
            loadBalancers=[balancer] if balanced else [],
            deploymentConfiguration=configuration,
        )
        self.controller.settle(self.service)
        await self.until(lambda: self.running() == count)

    @property
    def service(self):
        (service,) = self.account.services.values()
        return service

    @property
    def deployment(self):
        return self.account.current_deployment(self.service)

    @property
    def shown(self):
        return self.ecs.describe_services(["news-api"])["services"][0]

    def described(self, deployment=None):
        arn = (deployment or self.deployment).arn
        return self.ecs.describe_service_deployments([arn])["serviceDeployments"][0]

    def release(self, tag, container=None, **configuration):
        self.ecs.update_service(
            service="news-api",
            taskDefinition=self.define(tag, **container or {}),
            deploymentConfiguration=configuration,
        )
        return self.deployment

    def running(self):
        return sum(task.last_status == "RUNNING" for task in self.account.tasks.values())

    def waiting(self):
        return [hook for hook in self.deployment.hooks if hook.waits]

    def messages(self):
        return [event["message"] for event in self.service.events]

    async def until(self, reached):
        async def wait():
            while not (found := reached()):
                await asyncio.sleep(0.005)
            return found

        return await asyncio.wait_for(wait(), LIMIT)

    async def over(self):
        await self.until(lambda: not self.deployment.in_flight)
        return self.deployment.status


@asynccontextmanager
async def living(home, **more):
    """A world that lives until the block ends."""
    world = await World(home, **more).begin()
    try:
        yield world
    finally:
        world.die()
        await asyncio.sleep(0)
