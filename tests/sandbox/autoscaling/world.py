"""A service with tasks that are only written down, and what scales it."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from types import SimpleNamespace

from sandbox.alarms.actions import AlarmEvent
from sandbox.alarms.evaluation import State as AlarmState
from sandbox.autoscaling.book import Book
from sandbox.autoscaling.engine import Engine
from sandbox.autoscaling.fulfilment import Fulfilment
from sandbox.autoscaling.model import STEPS, TRACKING, Policy, Schedule, Target
from sandbox.ecs.account import Account
from sandbox.ecs.model import Cluster, Deployment, Revision, Service
from sandbox.state import State

AT = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
RESOURCE = "service/production/news-api"


async def _looks():
    """Let what was begun look a few times: with no pause between, each is a turn of the loop."""
    for _ in range(30):
        await asyncio.sleep(0)


class Controller:
    """Scales at once, unless tasks do not start."""

    def __init__(self, account):
        self.account = account
        self.starts = True

    def scale(self, service, desired):
        service.desired = desired
        if self.starts:
            run(self.account, desired)


class Alarms:
    """Knows which alarms ring."""

    def __init__(self):
        self.ringing = set()

    async def in_alarm(self, names):
        return [name for name in names if name in self.ringing]


class World:
    """`production/news-api` with two tasks, limits of 2 and 10, and a CPU target of 60 %."""

    def __init__(self, path):
        self.state = State(path / "state.sqlite")
        self.account = Account(self.state)
        self.account.save(Cluster("cluster", "production"))
        self.account.save(Revision("revision", "service", "cluster", "td", None, None, [], AT, {}))
        self.service = Service(
            "service", "news-api", "production", "cluster", 2, "td", {}, {}, AT, active="revision"
        )
        self.account.save(self.service)
        run(self.account, 2)
        self.controller = Controller(self.account)
        self.alarms = Alarms()
        self.load()
        self.book.save(Target(RESOURCE, "arn:target", 2, 10, AT))

    def load(self):
        """Read everything from disk, as after a restart."""
        self.book = Book(self.state)
        self.fulfilment = Fulfilment(self.book, self.account, self.controller, asyncio.create_task)
        self.engine = Engine(self.book, self.fulfilment, self.alarms)

    @property
    def target(self):
        return self.book.targets[RESOURCE]

    def deploy(self):
        deployment = Deployment("deployment", "service", "cluster", [], "revision", {}, AT)
        self.service.deployment = deployment.arn
        self.account.save(deployment, self.service)

    def track(self, name="cpu", target=60.0, **more):
        alarms = [f"{name}-AlarmHigh-1", f"{name}-AlarmLow-1"]
        configuration = {"TargetValue": target, **more}
        policy = Policy(RESOURCE, name, TRACKING, f"arn:{name}", configuration, AT, alarms)
        self.book.save(policy)
        return policy

    def step(self, *adjustments, kind="ChangeInCapacity", **more):
        configuration = {"AdjustmentType": kind, "StepAdjustments": list(adjustments), **more}
        self.book.save(Policy(RESOURCE, "steps", STEPS, "arn:steps", configuration, AT))

    def schedule(self, name, expression, **more):
        action = {key: more.pop(key) for key in ("MinCapacity", "MaxCapacity") if key in more}
        settings = {"Schedule": expression, "ScalableTargetAction": action, **more}
        schedule = Schedule(RESOURCE, name, f"arn:{name}", settings, AT, AT)
        self.book.save(schedule)
        return schedule

    def ring(self, name, *values, data="", action=None):
        """Let an alarm of a policy ring with data points (newest first); the settled outcome."""
        event = AlarmEvent(
            action=action or f"arn:{name.split('-')[0]}:createdBy/1",
            alarm_name=name,
            alarm_arn=name,
            old_state=AlarmState.OK,
            new_state=AlarmState.ALARM,
            reason="",
            reason_data=data,
            at=AT,
            values=values,
        )
        self.alarms.ringing.add(name)
        return asyncio.run(self._settled(self.engine.on_alarm(event)))

    async def _settled(self, work):
        answer = await work
        await _looks()
        return answer

    def follow(self, work):
        """Run `work` and everything it begins for a moment."""

        async def both():
            work()
            await _looks()

        asyncio.run(both())

    def activities(self):
        """Newest first, as told."""
        return [activity.view() for activity in self.book.activities_of(RESOURCE)]


def run(account, count):
    """Exactly `count` running tasks, of which only what scaling looks at is told."""
    task = SimpleNamespace(revision="revision", last_status="RUNNING", live=True)
    account.tasks = {str(number): task for number in range(count)}
