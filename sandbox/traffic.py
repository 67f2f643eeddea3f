"""Readers of the news: a small process that sends requests to both load balancers.

`python -m sandbox.traffic --production URL --staging URL --rate 15`. The parent adjusts it with
JSON lines on standard input (`{"rate": 30}`); when that ends, so does the process.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import math
import random
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from urllib.parse import quote

import aiohttp
import uvloop

from sandbox import clock
from sandbox.processes import die_with_parent
from sandbox.week import busy

CONNECTIONS = 128
# Seconds until a reader gives up: waiting for a connection, and then for the answer.
PATIENCE = 10.0
REDRAWN = 1.0
LEARN_EVERY = 0.1
MAX_PAGE = 65536
STAGING_RATE = 1.0
MAX_RATE = 2000.0
_WORDS = ("ferry", "budget", "battery", "storm", "train", "hospital", "moon", "quota", "wind")
_SOURCES = ("harbour-post", "field-report", "signal-daily", "northern-ledger")

_MIX = {
    "newest": 40,
    "search": 15,
    "source": 10,
    "next_page": 7,
    "article": 18,
    "sources": 8.5,
    "dead_link": 1.5,
}


class Reader:
    """What people look at: mostly lists, some articles of those lists, now and then a dead link."""

    def __init__(self, dice: random.Random) -> None:
        self._dice = dice
        self._articles: list[str] = []
        self._next_pages: list[str] = []

    def path(self) -> str:
        """The next path to ask for."""
        kinds, weights = zip(*_MIX.items(), strict=True)
        return str(getattr(self, f"_{self._dice.choices(kinds, weights)[0]}")())

    def _newest(self) -> str:
        return "/v1/articles"

    def _search(self) -> str:
        return f"/v1/articles?q={quote(self._dice.choice(_WORDS))}"

    def _source(self) -> str:
        return f"/v1/articles?source={self._dice.choice(_SOURCES)}"

    def _next_page(self) -> str:
        return self._dice.choice(self._next_pages or ["/v1/articles"])

    def _article(self) -> str:
        known = [f"/v1/articles/{quote(article)}" for article in self._articles]
        return self._dice.choice(known or ["/v1/articles"])

    def _sources(self) -> str:
        return "/v1/sources"

    def _dead_link(self) -> str:
        return f"/v1/articles/{self._dice.randrange(10**12, 10**13)}"

    def learn(self, path: str, page: object) -> None:
        """Remember articles and the next page of the list at `path`: a cursor fits its own list."""
        if not isinstance(page, dict):
            return
        known = [str(item["id"]) for item in page.get("items", [])]
        self._articles = (known + self._articles)[:50]
        cursor = page.get("next_cursor")
        if isinstance(cursor, str):
            wanted = path.partition("&cursor=")[0]
            self._next_pages = [f"{wanted}&cursor={quote(cursor)}", *self._next_pages][:10]


@dataclass
class Tally:
    """What became of the requests: `failed` were answered 5xx or not at all, or given up."""

    sent: int = 0
    answered: int = 0
    failed: int = 0
    gave_up: int = 0


class Load:
    """Requests at a rate to one base URL, over at most CONNECTIONS kept-alive connections.

    Readers do not know how busy the service is (an open loop): when answers are slow, requests
    wait for a connection rather than not being made, and whoever waits too long gives up.
    """

    def __init__(self, url: str, rate: float, *, shaped: bool) -> None:
        self.rate = rate
        self.tally = Tally()
        self._url = url
        self._shaped = shaped
        self._reader = Reader(random.Random())
        self._running: set[asyncio.Task[None]] = set()
        self._learn_at = 0.0

    async def run(self) -> None:
        """Send until cancelled; what is on its way then is dropped and counts as nothing."""
        # Not one time-out for both: a reader who waited long for a connection would leave as soon
        # as the service begins to work for it, and a busy service would work for nobody.
        timeout = aiohttp.ClientTimeout(connect=PATIENCE, sock_read=PATIENCE)
        connector = aiohttp.TCPConnector(limit=CONNECTIONS, keepalive_timeout=50)
        async with aiohttp.ClientSession(timeout=timeout, connector=connector) as session:
            try:
                async for _ in self._arrivals():
                    task = asyncio.create_task(self._request(session))
                    self._running.add(task)
                    task.add_done_callback(self._running.discard)
            finally:
                # Before the session closes their connections, which would look like failures.
                await self._drop_running()

    async def _drop_running(self) -> None:
        running = list(self._running)
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)

    async def _arrivals(self) -> AsyncIterator[None]:
        """Poisson arrivals, as from people who do not know each other.

        They are due at times of their own, so that a late one does not delay those after it. A
        pause is drawn anew after a second, which changes nothing about it but the rate.
        """
        loop = asyncio.get_running_loop()
        due = loop.time()
        while True:
            rate = self._rate_now()
            pause = random.expovariate(rate) if rate > 0 else math.inf
            due = max(due + min(pause, REDRAWN), loop.time() - REDRAWN)
            await asyncio.sleep(due - loop.time())
            if pause <= REDRAWN:
                yield

    def _rate_now(self) -> float:
        return self.rate * (busy(clock.time()) if self._shaped else 1.0)

    async def _request(self, session: aiohttp.ClientSession) -> None:
        path = self._reader.path()
        self.tally.sent += 1
        try:
            async with session.get(self._url + path) as response:
                body = await response.read()
                self.tally.answered += 1
                self.tally.failed += response.status >= 500
                if response.status == 200 and path.startswith("/v1/articles?"):
                    self._learn(path, body)
        except (aiohttp.ClientError, TimeoutError) as error:
            # A failed request is what the load balancer counts; the reader just goes on.
            self.tally.failed += 1
            self.tally.gave_up += isinstance(error, TimeoutError)

    def _learn(self, path: str, body: bytes) -> None:
        """Look at a page now and then: reading every one would cost more than the requests."""
        now = asyncio.get_running_loop().time()
        if now < self._learn_at or len(body) > MAX_PAGE:
            return
        self._learn_at = now + LEARN_EVERY
        with contextlib.suppress(ValueError):
            self._reader.learn(path, json.loads(body))


async def _commands(load: Load) -> None:
    reader = asyncio.StreamReader()
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        load.rate = min(max(float(json.loads(line)["rate"]), 0.0), MAX_RATE)


async def _serve(arguments: argparse.Namespace) -> None:
    production = Load(arguments.production, arguments.rate, shaped=True)
    staging = Load(arguments.staging, min(STAGING_RATE, arguments.rate), shaped=False)
    loads = [asyncio.create_task(load.run()) for load in (production, staging)]
    await _commands(production)
    for load in loads:
        load.cancel()


def main() -> None:
    """Run until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m sandbox.traffic", description=__doc__)
    parser.add_argument("--production", required=True)
    parser.add_argument("--staging", required=True)
    parser.add_argument("--rate", type=float, default=15.0, help="requests a second, on average")
    die_with_parent()
    uvloop.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
