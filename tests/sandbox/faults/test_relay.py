"""The relay before database and cache loses nothing when it is calm."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import uvloop

from sandbox.alb.relay import Address, Relay
from sandbox.chaos.shared import Watched

CLIENTS = 100


async def _answers(directory):
    """How many clients that speak as soon as they are connected are answered in a row."""

    async def shout(reader, writer):
        writer.write((await reader.readexactly(5)).upper())
        writer.close()

    server = await asyncio.start_unix_server(shout, str(directory / "up"))
    relay = Relay("database", directory / "r", Address(path=str(directory / "up")), Watched(None))
    running = asyncio.create_task(relay.run())
    while not (directory / "r").exists():
        await asyncio.sleep(0.01)

    async def ask():
        reader, writer = await asyncio.open_unix_connection(str(directory / "r"))
        writer.write(b"hello")
        with suppress(TimeoutError):
            said = await asyncio.wait_for(reader.read(), 5)
            writer.close()
            return said == b"HELLO"
        return False

    answered = 0
    while answered < CLIENTS and await ask():
        answered += 1
    running.cancel()
    relay.close()
    server.close()
    return answered


def test_nothing_a_client_says_at_once_is_lost(tmp_path):
    assert uvloop.run(_answers(tmp_path)) == CLIENTS
