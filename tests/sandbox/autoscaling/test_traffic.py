"""Readers come whether the service is quick or not."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from types import SimpleNamespace

import pytest
from aiohttp import web

from sandbox import traffic
from sandbox.traffic import CONNECTIONS, Load
from tests.sandbox.account import LIMIT


@asynccontextmanager
async def load_on(handler, *, rate):
    """A load on a server with one handler."""
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    load = Load(f"http://127.0.0.1:{port}", rate, shaped=False)
    running = asyncio.create_task(load.run())
    yield load
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()


async def until(reached):
    async with asyncio.timeout(LIMIT):
        while not reached():
            await asyncio.sleep(0.01)


async def tally_of(handler, *, rate, reached):
    """The tally at the end of a load that ran until it was reached."""
    async with load_on(handler, rate=rate) as load:
        await until(lambda: reached(load.tally))
    return load.tally


async def stuck(_):
    await asyncio.Event().wait()


async def broken(_):
    return web.Response(status=503)


def arrivals(load, seconds, monkeypatch, *, rate_at=lambda now: None):
    """When readers arrive in so many seconds of a time that passes by itself."""
    now, arrived = [0.0], []

    async def sleep(pause):
        now[0] += max(pause, 0.0)
        load.rate = rate_at(now[0]) or load.rate

    async def collect():
        async for _ in load._arrivals():
            if now[0] > seconds:
                return
            arrived.append(now[0])

    loop = SimpleNamespace(time=lambda: now[0])
    with monkeypatch.context() as patch:
        patch.setattr(traffic.asyncio, "sleep", sleep)
        patch.setattr(traffic.asyncio, "get_running_loop", lambda: loop)
        asyncio.run(collect())
    return arrived


@pytest.mark.parametrize("rate", [0.5, 8.0, 400.0])
def test_as_many_arrive_as_the_rate_says(monkeypatch, rate):
    load = Load("http://127.0.0.1:1", rate, shaped=False)
    expected = 4000

    arrived = arrivals(load, expected / rate, monkeypatch)

    assert abs(len(arrived) - expected) < 6 * expected**0.5


def test_a_service_that_never_answers_gets_no_less_load():
    tally = asyncio.run(
        tally_of(stuck, rate=1000, reached=lambda tally: tally.sent > 2 * CONNECTIONS)
    )

    assert tally.answered == 0


def test_readers_who_wait_too_long_give_up(monkeypatch):
    monkeypatch.setattr(traffic, "PATIENCE", 0.2)

    tally = asyncio.run(tally_of(stuck, rate=200, reached=lambda tally: tally.gave_up > 20))

    assert tally.failed >= tally.gave_up


def test_an_error_counts_as_answered_and_failed():
    tally = asyncio.run(tally_of(broken, rate=100, reached=lambda tally: tally.answered > 10))

    assert tally.failed == tally.answered


def test_readers_still_waiting_at_the_end_did_not_fail():
    tally = asyncio.run(tally_of(stuck, rate=200, reached=lambda tally: tally.sent > 20))

    assert (tally.answered, tally.failed, tally.gave_up) == (0, 0, 0)


def test_a_new_rate_holds_at_once(monkeypatch):
    load = Load("http://127.0.0.1:1", 400.0, shaped=False)
    nearly_nobody = 1e-9

    arrived = arrivals(
        load,
        30.0,
        monkeypatch,
        rate_at=lambda now: nearly_nobody if 10 <= now < 20 else 400.0,
    )

    # A pause that nobody came in is drawn anew after a second.
    assert [at for at in arrived if 10.1 < at < 20] == []
    assert [at for at in arrived if 21 <= at < 22] != []
