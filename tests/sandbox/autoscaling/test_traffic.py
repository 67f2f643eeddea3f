"""Readers come whether the service is quick or not."""

from __future__ import annotations

import asyncio

from aiohttp import web

from sandbox import traffic
from sandbox.traffic import Load


async def sent_to(handler, *, rate, seconds, load_changes=None):
    """The tally of a load on a server with one handler."""
    application = web.Application()
    application.router.add_get("/{path:.*}", handler)
    runner = web.AppRunner(application, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]
    load = Load(f"http://127.0.0.1:{port}", rate, shaped=False)
    running = asyncio.create_task(load.run())
    await asyncio.sleep(seconds / 2)
    if load_changes:
        load_changes(load)
    await asyncio.sleep(seconds / 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    await runner.cleanup()
    return load.tally


async def quick(_):
    return web.json_response({"items": [], "next_cursor": None})


async def stuck(_):
    await asyncio.sleep(0.8)
    return web.Response()


async def broken(_):
    return web.Response(status=503)


def test_a_slow_service_gets_no_less_load():
    quick_tally = asyncio.run(sent_to(quick, rate=400, seconds=0.5))
    stuck_tally = asyncio.run(sent_to(stuck, rate=400, seconds=0.5))

    assert 120 < quick_tally.sent < 290
    assert 120 < stuck_tally.sent < 290
    assert stuck_tally.answered == 0


def test_readers_who_wait_too_long_give_up(monkeypatch):
    monkeypatch.setattr(traffic, "PATIENCE", 0.2)

    tally = asyncio.run(sent_to(stuck, rate=200, seconds=0.6))

    assert tally.gave_up > 20
    assert tally.failed >= tally.gave_up


def test_an_error_counts_as_answered_and_failed():
    tally = asyncio.run(sent_to(broken, rate=100, seconds=0.5))

    assert tally.failed == tally.answered > 10


def test_readers_still_waiting_at_the_end_did_not_fail():
    tally = asyncio.run(sent_to(stuck, rate=200, seconds=0.4))

    assert tally.sent > 20
    assert (tally.answered, tally.failed, tally.gave_up) == (0, 0, 0)


def test_a_new_rate_holds_at_once():
    def stop(load):
        load.rate = 0.0

    half, whole = (
        asyncio.run(sent_to(quick, rate=400, seconds=0.5, load_changes=change)).sent
        for change in (stop, None)
    )

    assert half < 0.75 * whole
