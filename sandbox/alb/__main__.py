"""`python -m sandbox.alb --control SOCKET`: opens the ports it is told to by its routing."""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from functools import partial
from pathlib import Path

from aiohttp import web

from sandbox.alb.access_log import AccessLog
from sandbox.alb.control import application
from sandbox.alb.listener import Listener
from sandbox.alb.metrics import Book
from sandbox.alb.ports import Ports
from sandbox.alb.relay import Address, Relay
from sandbox.alb.routing import Router
from sandbox.alb.trouble import Trouble
from sandbox.chaos.shared import NAME, Watched
from sandbox.processes import die_with_parent
from sandbox.repeating import repeat


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.alb", description=__doc__)
    parser.add_argument("--control", required=True, type=Path, help="path of the Unix socket")
    parser.add_argument("--host", default="127.0.0.1")
    relay = "one JSON object: name, link, and path or host and port"
    parser.add_argument("--relay", action="append", default=[], type=json.loads, help=relay)
    parser.add_argument("--log", type=Path, default=None, help="access log file")
    return parser.parse_args()


def _relays(arguments: argparse.Namespace, watched: Watched) -> list[Relay]:
    return [
        Relay(plan.pop("name"), Path(plan.pop("link")), Address(**plan), watched)
        for plan in arguments.relay
    ]


async def _serve(arguments: argparse.Namespace) -> None:
    router, book, log = Router(), Book(), AccessLog(arguments.log)
    watched = Watched(arguments.control.with_name(NAME))
    trouble = Trouble(watched)
    ports = Ports(
        router,
        arguments.host,
        lambda name, port: Listener(name, port, router, book, log, trouble),
    )
    relays = _relays(arguments, watched)
    for relay in relays:
        await relay.open()
    runner = web.AppRunner(application(router, book, ports), access_log=None)
    await runner.setup()
    # Under its own name it appears when it listens, not a moment before.
    unnamed = arguments.control.with_suffix(".new")
    await web.UnixSite(runner, str(unnamed)).start()
    unnamed.replace(arguments.control)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    jobs = [asyncio.create_task(relay.run()) for relay in relays]
    flush = partial(asyncio.to_thread, log.flush)
    # On a full disk lines are lost, but not those of later.
    jobs.append(asyncio.create_task(repeat(flush, "writing the access log", every=1.0)))
    await stop.wait()
    for job in jobs:
        job.cancel()
    for relay in relays:
        relay.close()
    ports.close()
    log.flush()


def main() -> None:
    """Serve until SIGTERM. uvloop more than doubles the throughput where it can be imported."""
    arguments = _arguments()
    die_with_parent()
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve(arguments))
    else:
        uvloop.run(_serve(arguments))


if __name__ == "__main__":
    main()
