"""Whatever befell a service, it comes to what it shall be once the trouble is over."""

from __future__ import annotations

import asyncio
import tempfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.ecs import scheduler
from sandbox.errors import AwsError
from tests.sandbox.ecs.world import living

# Together they leave room to replace tasks, also of a service that has one.
ROOM = [(100, 0), (150, 0), (200, 0), (200, 50), (200, 100)]
OLD, NEW = "1.4.0", "1.4.1"
ZONES = [set(), {"us-east-1a"}, {"us-east-1a", "us-east-1b", "us-east-1c"}]
EVENTS = st.one_of(
    st.tuples(st.just("fall ill"), st.sampled_from([1, 9])),
    st.tuples(st.just("kill"), st.sampled_from([1, 9])),
    st.tuples(st.just("scale"), st.integers(0, 5)),
    st.tuples(st.just("release"), st.sampled_from([OLD, NEW])),
    st.tuples(st.just("make sick"), st.sampled_from([OLD, NEW])),
    st.tuples(st.just("crash"), st.sampled_from([{}, {OLD: 1}, {NEW: 1}])),
    st.tuples(st.just("close"), st.sampled_from(ZONES)),
    st.tuples(st.just("fill up"), st.sampled_from([None, "no room"])),
    st.tuples(st.just("turn back"), st.none()),
    st.tuples(st.just("recover"), st.none()),
    st.tuples(st.just("wait"), st.sampled_from([0.02, 0.1, 0.3])),
)


@pytest.fixture
def hurried(monkeypatch):
    monkeypatch.setattr(scheduler, "PERIOD", 0.01)
    monkeypatch.setattr(scheduler, "REPLACEMENT_PAUSE", 0.03)
    monkeypatch.setattr(scheduler, "MAX_BACK_OFF", 0.05)


class Trouble:
    """What can befall the service of a paper world, and that it is over."""

    def __init__(self, world, configuration):
        self.world, self.configuration = world, configuration
        self.wanted, self.most = world.service.desired, 0
        world.fleet.start = self.starting(world.fleet.start)

    def starting(self, start):
        async def counted(launch):
            live = sum(task.live for task in self.world.account.tasks.values())
            self.most = max(self.most, live)
            return await start(launch)

        return counted

    async def happens(self, what, how):
        await getattr(self, what.replace(" ", "_"))(how)
        await asyncio.sleep(0.02)

    async def fall_ill(self, count):
        for target in list(self.world.balancers.registered.values())[:count]:
            target.state, target.description = "unhealthy", "Request timed out"

    async def kill(self, count):
        for process in list(self.world.scheduler.lives._processes.values())[:count]:
            process.kill()

    async def scale(self, count):
        self.wanted = max(self.wanted, count)
        self.world.ecs.update_service(service="news-api", desiredCount=count)

    async def release(self, tag):
        self.world.release(tag, **self.configuration)

    async def make_sick(self, tag):
        self.world.balancers.sick ^= {tag}

    async def crash(self, exits):
        self.world.fleet.exits = exits

    async def close(self, zones):
        self.world.scheduler.closed_zones = zones

    async def fill_up(self, reason):
        self.world.scheduler.placement_failure = reason

    async def turn_back(self, _):
        with suppress(AwsError):  # it is over already
            self.world.controller.stop(self.world.deployment)

    async def recover(self, _):
        for target in self.world.balancers.registered.values():
            target.state, target.description = "healthy", ""

    async def wait(self, seconds):
        await asyncio.sleep(seconds)

    async def over(self):
        for what, how in (("crash", {}), ("close", set()), ("fill up", None), ("recover", None)):
            self.world.balancers.sick.clear()
            await self.happens(what, how)


def at_rest(world):
    tasks = [task for task in world.account.tasks.values() if task.last_status != "STOPPED"]
    targets = world.balancers.registered.values()
    return (
        not world.account.in_flight(world.service)
        and len(tasks) == len(targets) == world.service.desired
        and all(target.state == "healthy" for target in targets)
    )


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(
    strategy=st.sampled_from(["ROLLING", "BLUE_GREEN"]),
    room=st.sampled_from(ROOM),
    count=st.integers(1, 4),
    events=st.lists(EVENTS, min_size=2, max_size=10),
)
def test_a_service_comes_to_rest_when_its_trouble_is_over(hurried, strategy, room, count, events):
    most, least = room
    configuration = {
        "strategy": strategy,
        "maximumPercent": most,
        "minimumHealthyPercent": least,
        "bakeTimeInMinutes": 0,
    }

    async def story(home):
        async with living(home) as world:
            await world.settled(count=count, **configuration)
            trouble = Trouble(world, configuration)
            for what, how in events:
                await trouble.happens(what, how)
            await trouble.over()
            await world.until(lambda: at_rest(world))
        # maximumPercent allows twice what is wanted, and a blue/green deployment has that twice.
        assert trouble.most <= 4 * trouble.wanted

    with tempfile.TemporaryDirectory() as home:
        asyncio.run(story(Path(home)))


@pytest.mark.parametrize(("most", "least"), [(100, 50), (150, 100), (200, 100)])
def test_a_release_gets_through_though_the_tasks_before_it_fall_ill_and_drain_for_long(
    tmp_path, hurried, most, least
):
    room = {"strategy": "ROLLING", "maximumPercent": most, "minimumHealthyPercent": least}

    async def story():
        async with living(tmp_path) as world:
            await world.settled(**room)
            ever_ill(world, OLD)
            await world.until(lambda: any("has stopped" in text for text in world.messages()))
            world.release(NEW, **room)
            # Those of before drain until the world ends, so it cannot be over.
            await world.until(lambda: served_by_new(world))

    asyncio.run(story())


def ever_ill(world, tag):
    """Tasks of a version fall ill soon after they served, and never end to drain."""
    register, loop = world.balancers.register, asyncio.get_running_loop()

    async def registered(target):
        await register(target)
        if target.version == tag:
            loop.call_later(0.05, setattr, target, "state", "unhealthy")

    async def drains(group, port):
        await asyncio.Event().wait()

    world.balancers.register, world.balancers.deregister = registered, drains
    for target in world.balancers.registered.values():
        target.state = "unhealthy"


def served_by_new(world):
    live = [task for task in world.account.tasks.values() if task.live]
    return len(live) == 2 and all(task.image.endswith(NEW) for task in live)
