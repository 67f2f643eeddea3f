"""The relay before database and cache: it loses nothing when it is calm, and fails as asked."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager, suppress

import pytest
import uvloop

from sandbox.alb.relay import Address, Relay
from sandbox.chaos import shared
from sandbox.chaos.shared import FaultFile, Watched

CLIENTS = 200
SILENCE = 3 * shared.LOOK_SECONDS
LIMIT = 60
# A fault that only leads through the relay.
THROUGH = ("slow", 0.0)


@asynccontextmanager
async def relayed(directory):
    """A server that answers in capitals, behind a relay; yields how to fail and to connect."""
    writers = []

    async def shout(reader, writer):
        writers.append(writer)
        with suppress(ConnectionError):
            while line := await reader.readline():
                writer.write(line.upper())

    async def connect():
        reader, writer = await asyncio.open_unix_connection(str(directory / "r"))
        writers.append(writer)
        return reader, writer

    faults = FaultFile(directory / "faults.json", ["database"])
    up = str(directory / "up")
    server = await asyncio.start_unix_server(shout, up, backlog=CLIENTS)
    relay = Relay("database", directory / "r", Address(path=up), Watched(faults.path))

    async def fail(how, seconds=0.0):
        faults.relay("database", how and {"how": how, "seconds": seconds})
        async with asyncio.timeout(LIMIT):
            while (relay.how, relay.seconds) != (how or "", seconds):
                await asyncio.sleep(shared.LOOK_SECONDS)

    await relay.open()
    running = asyncio.create_task(relay.run())
    try:
        yield fail, connect
    finally:
        running.cancel()
        relay.close()
        server.close()
        for writer in writers:
            writer.transport.abort()
        await asyncio.sleep(0)


async def ask(connection, within=LIMIT):
    """The answer to one line, nothing on a broken connection, None when there is no answer."""
    reader, writer = connection
    try:
        writer.write(b"hello\n")
        return await asyncio.wait_for(reader.readline(), within)
    except ConnectionError:
        return b""
    except TimeoutError:
        return None


def test_without_a_fault_nobody_goes_through_the_relay(tmp_path):
    async def leads():
        async with relayed(tmp_path) as (fail, connect):
            calm = (tmp_path / "r").readlink()
            answer = await ask(await connect())
            await fail("hang")
            failing = (tmp_path / "r").readlink()
            await fail(None)
            return answer, calm.name, failing.name, (tmp_path / "r").readlink().name

    assert uvloop.run(leads()) == (b"HELLO\n", "up", "database-relay", "up")


def test_nothing_a_client_says_at_once_is_lost(tmp_path):
    async def answered():
        async with relayed(tmp_path) as (fail, connect):
            await fail(*THROUGH)
            connections = await asyncio.gather(*(connect() for _ in range(CLIENTS)))
            return await asyncio.gather(*(ask(one) for one in connections))

    assert uvloop.run(answered()) == [b"HELLO\n"] * CLIENTS


def test_refusing_closes_what_is_open_and_lets_nobody_in_until_it_ends(tmp_path):
    async def told():
        async with relayed(tmp_path) as (fail, connect):
            await fail(*THROUGH)
            open_before = await connect()
            before = await ask(open_before)
            await fail("refuse")
            during = await ask(open_before)
            with pytest.raises(ConnectionRefusedError):
                await connect()
            await fail(None)
            return before, during, await ask(await connect())

    assert uvloop.run(told()) == (b"HELLO\n", b"", b"HELLO\n")


def test_hanging_holds_every_byte_and_then_passes_it_on(tmp_path):
    async def told():
        async with relayed(tmp_path) as (fail, connect):
            await fail(*THROUGH)
            open_before = await connect()
            await ask(open_before)
            await fail("hang")
            fresh = await connect()
            silent = await ask(open_before, SILENCE), await ask(fresh, SILENCE)
            await fail(None)
            return silent, await open_before[0].readline(), await fresh[0].readline()

    assert uvloop.run(told()) == ((None, None), b"HELLO\n", b"HELLO\n")


def test_resetting_breaks_open_and_new_connections(tmp_path):
    async def told():
        async with relayed(tmp_path) as (fail, connect):
            await fail(*THROUGH)
            open_before = await connect()
            await ask(open_before)
            await fail("reset")
            return await ask(open_before), await ask(await connect())

    assert uvloop.run(told()) == (b"", b"")


def test_slowness_delays_answers_and_keeps_their_order(tmp_path):
    async def told():
        async with relayed(tmp_path) as (fail, connect):
            await fail("slow", seconds=0.2)
            reader, writer = await connect()
            loop = asyncio.get_running_loop()
            began = loop.time()
            for number in range(50):
                writer.write(b"%d\n" % number)
            lines = [int(await reader.readline()) for _ in range(50)]
            return loop.time() - began, lines

    seconds, lines = uvloop.run(told())

    assert seconds > 0.19
    assert lines == list(range(50))
