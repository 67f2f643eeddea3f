"""The control plane of the load balancer while its data plane is away."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web

from sandbox.balancing.data_plane import DataPlane, PortTaken
from sandbox.balancing.model import NO_ANSWER, HealthCheck
from sandbox.balancing.probing import Prober
from sandbox.load_balancers import Listener, LoadBalancers, Rule, Target
from tests.sandbox.account import LIMIT

BLUE, GREEN, RULE = "arn:x:targetgroup/blue/1", "arn:x:targetgroup/green/2", "arn:x:rule"
LISTENER, UNUSED = "arn:x:listener/app/x/1/2", "arn:x:targetgroup/unused/3"


@asynccontextmanager
async def data_plane(path, **handlers):
    """Takes routing states and keeps them; other paths are answered by `handlers`."""
    taken = []

    async def routing(request):
        taken.append(await request.json())
        return web.json_response({"ports": {}})

    app = web.Application()
    app.router.add_put("/routing", handlers.pop("routing", routing))
    for name, handler in handlers.items():
        app.router.add_get(f"/{name}", handler)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    await web.UnixSite(runner, str(path)).start()
    try:
        yield taken
    finally:
        await runner.cleanup()
        path.unlink(missing_ok=True)


@pytest.fixture
def balancers(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.balancing.data_plane.PUSH_WITHIN", 0.0)
    made = LoadBalancers(tmp_path / "alb", interval=60.0, drain_seconds=1.0)
    made.listeners[LISTENER] = Listener(LISTENER, "app/x/1", 80)
    made.rules[RULE] = Rule(RULE, "app/x/1", {BLUE: 100.0, GREEN: 0.0}, LISTENER)
    return made


def test_a_deployment_goes_on_without_the_data_plane_which_is_told_when_it_is_back(
    tmp_path, balancers
):
    async def life():
        async with data_plane(tmp_path / "alb"):
            await balancers.open()
            await balancers.register(Target(BLUE, 1, "1.4.0"))
            await balancers.register(Target(BLUE, 2, "1.4.0"))
        await balancers.deregister(BLUE, 1)
        await balancers.forget(BLUE, 2)
        await balancers.replace_weights(RULE, {BLUE: 0.0, GREEN: 100.0})
        async with data_plane(tmp_path / "alb") as taken:
            await balancers.try_to_push()
        await balancers.close()
        return taken

    (told,) = asyncio.run(life())

    (rule,) = told["listeners"]["app/x/1/2"]["rules"]
    assert rule["forward"] == {"targetgroup/blue/1": 0.0, "targetgroup/green/2": 100.0}
    assert balancers.targets(BLUE) == []


def test_a_port_that_is_taken_is_told_by_name(tmp_path, balancers):
    async def taken(request):
        raise web.HTTPConflict(text="address already in use")

    async def life():
        async with data_plane(tmp_path / "alb", routing=taken):
            with pytest.raises(PortTaken, match="address already in use"):
                await balancers.open()
        await balancers.close()

    asyncio.run(life())


def test_a_data_plane_that_is_not_there_yet_is_waited_for(tmp_path, balancers):
    async def life():
        opening = asyncio.create_task(balancers.open())
        await asyncio.sleep(0.1)
        early = opening.done()
        async with data_plane(tmp_path / "alb") as taken:
            await opening
        await balancers.close()
        return early, taken

    early, taken = asyncio.run(life())

    assert not early
    assert len(taken) == 1


def test_a_push_that_had_to_wait_carries_what_is_true_when_it_is_taken(tmp_path, monkeypatch):
    monkeypatch.setattr("sandbox.balancing.data_plane.PUSH_WITHIN", 120.0)
    plane, state = DataPlane(tmp_path / "alb"), {"weights": "old"}

    async def life():
        asked = asyncio.Event()

        def routing():
            asked.set()
            return dict(state)

        plane.open()
        late = asyncio.create_task(plane.push(routing))
        await asyncio.wait_for(asked.wait(), LIMIT)
        state["weights"] = "new"
        async with data_plane(tmp_path / "alb") as taken:
            await late
        await plane.close()
        return taken

    (told,) = asyncio.run(life())

    assert told["weights"] == "new"


@asynccontextmanager
async def healthy_ports(count):
    """Ports of servers that pass their health checks."""

    async def answer(request):
        return web.Response()

    app = web.Application()
    app.router.add_get("/healthz", answer)
    runner = web.AppRunner(app, shutdown_timeout=0)
    await runner.setup()
    for _ in range(count):
        await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield [port for _, port in runner.addresses]
    await runner.cleanup()


def test_targets_that_become_healthy_together_share_a_push(tmp_path, balancers):
    taken, gate = [], asyncio.Event()

    async def routing(request):
        taken.append(await request.json())
        if len(taken) == 2:
            await gate.wait()
        return web.json_response({"ports": {}})

    async def life():
        async with (
            asyncio.timeout(LIMIT),
            healthy_ports(8) as ports,
            data_plane(tmp_path / "alb", routing=routing),
        ):
            await balancers.open()
            for port in ports:
                await balancers.register(Target(BLUE, port, "1.4.0"))
            await until(lambda: all(t.state == "healthy" for t in balancers.targets(BLUE)))
            gate.set()
            await until(lambda: len(taken[-1]["groups"]["targetgroup/blue/1"]) == 8)
            await balancers.close()

    asyncio.run(life())

    assert len(taken) <= 3


def test_a_verdict_is_in_force_when_the_data_plane_has_taken_it(tmp_path, balancers):
    taken, gate = [], asyncio.Event()

    async def routing(request):
        told = await request.json()
        if taken:
            await gate.wait()
        taken.append(told)
        return web.json_response({"ports": {}})

    async def life():
        async with (
            asyncio.timeout(LIMIT),
            healthy_ports(1) as (port,),
            data_plane(tmp_path / "alb", routing=routing),
        ):
            await balancers.open()
            await balancers.in_force()
            await balancers.register(Target(BLUE, port, "1.4.0"))
            await until(lambda: balancers.state(BLUE, port) == "healthy")
            waiting = asyncio.create_task(balancers.in_force())
            await asyncio.sleep(0.05)
            early = waiting.done()
            gate.set()
            await waiting
            await balancers.close()
            return early, taken[-1]["groups"]["targetgroup/blue/1"]

    early, told = asyncio.run(life())

    assert not early
    assert len(told) == 1


def test_verdicts_are_no_longer_waited_for_when_the_data_plane_is_away(tmp_path, balancers):
    async def life():
        async with asyncio.timeout(LIMIT), healthy_ports(1) as (port,):
            async with data_plane(tmp_path / "alb"):
                await balancers.open()
            await balancers.register(Target(BLUE, port, "1.4.0"))
            await until(lambda: balancers.state(BLUE, port) == "healthy")
            await balancers.in_force()
            await balancers.close()

    asyncio.run(life())


def test_a_data_plane_that_hangs_keeps_nobody_from_seeing_targets(tmp_path, balancers, monkeypatch):
    monkeypatch.setattr("sandbox.load_balancers.IN_FORCE_WITHIN", 0.05)
    taken, gate = [], asyncio.Event()

    async def hang(request):
        if taken:
            await gate.wait()
        taken.append(request)
        return web.json_response({"ports": {}})

    async def life():
        async with (
            asyncio.timeout(LIMIT),
            healthy_ports(1) as (port,),
            data_plane(tmp_path / "alb", routing=hang),
        ):
            await balancers.open()
            await balancers.register(Target(BLUE, port, "1.4.0"))
            await until(lambda: balancers.state(BLUE, port) == "healthy")
            await balancers.in_force()
            hanging = not gate.is_set() and len(taken) == 1
            gate.set()
            await balancers.close()
            return hanging

    assert asyncio.run(life())


def test_a_check_that_breaks_is_a_failed_check(caplog):
    prober = Prober()
    prober._session = SimpleNamespace(get=None)

    status = asyncio.run(prober.status(Target(BLUE, 1, "1.4.0"), HealthCheck()))

    assert status == NO_ANSWER
    assert "could not check http://127.0.0.1:1/" in caplog.text


def test_traffic_is_moved_however_many_targets_drain(tmp_path, balancers):
    asked, gate = [], asyncio.Event()

    async def drained(request):
        asked.append(request.query["port"])
        await gate.wait()
        return web.json_response({})

    async def life():
        async with asyncio.timeout(LIMIT), data_plane(tmp_path / "alb", drained=drained) as taken:
            await balancers.open()
            targets = [Target(UNUSED, port, "1.4.0") for port in range(1, 121)]
            await balancers.register_by_client(targets)
            await balancers.deregister_by_client(targets)
            await until(lambda: len(asked) == len(targets))
            await balancers.replace_weights(RULE, {BLUE: 0.0, GREEN: 100.0})
            gate.set()
            await until(lambda: not balancers.targets(UNUSED))
            await balancers.close()
        return taken[-1]

    told = asyncio.run(life())

    (rule,) = told["listeners"]["app/x/1/2"]["rules"]
    assert rule["forward"] == {"targetgroup/blue/1": 0.0, "targetgroup/green/2": 100.0}


async def until(reached):
    while not reached():
        await asyncio.sleep(0.01)


def test_a_data_plane_that_dies_while_a_target_drains_holds_nobody_up(tmp_path, balancers):
    async def die(request):
        request.transport.abort()

    async def life():
        async with data_plane(tmp_path / "alb", drained=die):
            await balancers.open()
            await balancers.register(Target(BLUE, 1, "1.4.0"))
            await balancers.deregister(BLUE, 1)
        await balancers.close()

    asyncio.run(life())

    assert balancers.targets(BLUE) == []
