"""The news the News API reads: RSS feeds that are a function of time, the same for everybody."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from xml.sax.saxutils import escape

from aiohttp import web

from sandbox import clock

SOURCES = {
    "harbour-post": ("The Harbour Post", 11),
    "field-report": ("Field Report", 17),
    "signal-daily": ("Signal Daily", 7),
    "northern-ledger": ("Northern Ledger", 23),
}
ITEMS = 40
_WHO = (
    "City council", "Port authority", "Central bank", "Research team", "Rail operator",
    "Health ministry", "Local cooperative", "Space agency", "Weather service", "Energy regulator",
)  # fmt: skip
_DID = (
    "approves", "delays", "reviews", "publishes", "expands", "questions", "tests", "restores",
    "funds", "withdraws",
)  # fmt: skip
_WHAT = (
    "a new ferry route", "the annual budget", "rules for short rentals", "a cleaner battery",
    "its storm forecast", "the night train", "open data on hospitals", "a moon lander",
    "the fishing quota", "tolls on the bridge", "a coastal wind farm", "the school timetable",
)  # fmt: skip


def catalogue(base_url: str) -> list[dict[str, str]]:
    """NEWS_SOURCES for a sandbox whose gateway is at `base_url`."""
    return [
        {"name": name, "kind": "rss", "url": f"{base_url}/_feeds/{name}.xml", "language": "en"}
        for name in SOURCES
    ]


def feed(name: str, at: datetime) -> str:
    """The RSS document of source `name` as of `at` (UTC). Raises KeyError for unknown names."""
    title, _ = SOURCES[name]
    items = "".join(_items(name, at))
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel>'
        f"<title>{escape(title)}</title><link>https://{name}.example/</link>"
        f"<description>{escape(title)}, every day.</description>{items}</channel></rss>"
    )


def _items(name: str, at: datetime) -> Iterator[str]:
    """The newest articles: one every few minutes, each fixed by its number."""
    every = SOURCES[name][1] * 60
    newest = int(at.timestamp()) // every
    for number in range(newest, newest - ITEMS, -1):
        published = datetime.fromtimestamp(number * every, UTC)
        dice = random.Random(f"{name}/{number}")
        headline = f"{dice.choice(_WHO)} {dice.choice(_DID)} {dice.choice(_WHAT)}"
        since = published - timedelta(days=dice.randrange(2, 40))
        summary = (
            f"{headline}. The decision follows talks that began on {since:%d %B}; "
            f"{dice.randrange(3, 90)} comments were received."
        )
        link = f"https://{name}.example/{published:%Y/%m/%d}/{number}"
        yield (
            f"<item><title>{escape(headline)}</title><link>{link}</link><guid>{link}</guid>"
            f"<pubDate>{format_datetime(published)}</pubDate>"
            f"<description>{escape(summary)}</description></item>"
        )


async def handle(request: web.Request) -> web.Response:
    """GET /_feeds/<source>.xml."""
    name = request.match_info["name"]
    if name not in SOURCES:
        raise web.HTTPNotFound
    text = feed(name, clock.now())
    return web.Response(text=text, content_type="application/rss+xml")
