"""Answers kept in Valkey, so that a popular query costs the database one read, not thousands.

Of many requests that miss at once, one computes and the others wait for its answer; an answer
past its freshness is served stale while one request renews it. Without Valkey every request
computes for itself: slower, but right.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

from django.db import InterfaceError, OperationalError

from news_api import settings
from news_api.resp import CacheUnavailable, Valkey

Outcome = Literal["hit", "stale", "miss", "shared", "bypass"]
Compute = Callable[[], bytes]

# The lock outlives the longest query, and nobody waits longer than it may take.
WAIT_SECONDS = settings.STATEMENT_TIMEOUT_MS / 1000 + 0.5
LOCK_MILLISECONDS = settings.STATEMENT_TIMEOUT_MS + 1000
POLL_SECONDS = 0.02

# Delete the lock only if it is still ours: it may have expired and belong to another request.
RELEASE = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end"


@cache
def valkey() -> Valkey | None:
    """Return this process's client, or None where no cache is configured."""
    return Valkey(settings.NEWS_REDIS_URL) if settings.NEWS_REDIS_URL else None


@dataclass(frozen=True)
class Kept:
    """A stored answer and whether it is still fresh."""

    body: bytes
    fresh: bool


def answer(query: str, compute: Compute) -> tuple[bytes, Outcome]:
    """Return the bytes for ``query``, from the cache or from ``compute``, and how they came."""
    server = valkey()
    if server is None or not settings.NEWS_CACHE_FRESH_SECONDS:
        return compute(), "bypass"
    try:
        flight = _Flight(server, query)
        return flight.land(compute)
    except CacheUnavailable:
        return compute(), "bypass"


class _Flight:
    """One request on its way to the answer of one query."""

    def __init__(self, server: Valkey, query: str) -> None:
        # Each version keeps its own answers: a canary must not be judged by those of the old.
        digest = hashlib.sha256(f"{settings.APP_VERSION} {query}".encode()).hexdigest()[:40]
        self._server = server
        self._page = f"news:page:{digest}"
        self._lock = f"news:lock:{digest}"
        self._token = secrets.token_hex(8)

    def land(self, compute: Compute) -> tuple[bytes, Outcome]:
        deadline = time.monotonic() + WAIT_SECONDS
        kept = self._read()
        first_look = True
        while True:
            if kept is not None and kept.fresh:
                return kept.body, "hit" if first_look else "shared"
            if self._take_lock():
                # Look again: the last holder may have finished between our look and our lock.
                return self._renew(compute, self._read())
            if kept is not None:
                return kept.body, "stale"
            if time.monotonic() > deadline:
                return compute(), "bypass"
            time.sleep(POLL_SECONDS)
            kept, first_look = self._read(), False

    def _renew(self, compute: Compute, kept: Kept | None) -> tuple[bytes, Outcome]:
        """Compute as the only one. An old answer is better than none while the database is away."""
        if kept is not None and kept.fresh:
            self._try_release()
            return kept.body, "shared"
        try:
            body = compute()
        except (OperationalError, InterfaceError):
            self._try_release()
            if kept is None:
                raise
            return kept.body, "stale"
        self._try_keep(body)
        return body, "miss"

    def _read(self) -> Kept | None:
        stored = self._server.execute("GET", self._page)
        if not isinstance(stored, bytes):
            return None
        fresh_until, _, body = stored.partition(b":")
        return Kept(body, fresh=time.time() * 1000 < int(fresh_until))

    def _take_lock(self) -> bool:
        lifetime = str(LOCK_MILLISECONDS)
        return self._server.execute("SET", self._lock, self._token, "NX", "PX", lifetime) == b"OK"

    def _try_keep(self, body: bytes) -> None:
        # The answer is already known: losing the cache now must not compute it twice.
        try:
            self._keep(body)
        except CacheUnavailable:
            return
        self._try_release()

    def _keep(self, body: bytes) -> None:
        fresh_until = int((time.time() + settings.NEWS_CACHE_FRESH_SECONDS) * 1000)
        lifetime = settings.NEWS_CACHE_FRESH_SECONDS + settings.NEWS_CACHE_STALE_SECONDS
        value = b"%d:%s" % (fresh_until, body)
        self._server.execute("SET", self._page, value, "PX", str(lifetime * 1000))

    def _try_release(self) -> None:
        try:
            self._server.execute("EVAL", RELEASE, "1", self._lock, self._token)
        except CacheUnavailable:
            return  # the lock expires by itself
