"""What other parts of the account ask of CloudWatch Logs."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Sequence
from typing import Any

from sandbox import clock
from sandbox.logs.groups import milliseconds
from sandbox.logs.ingestion import Ingestion
from sandbox.logs.store import Group, Store
from sandbox.repeating import paced, repeat

# Of sandbox time, but never more often than twice a real second.
FLUSH_SECONDS = 5.0
_SHORTEST = 0.5
_EXPIRE_EVERY = 12
_FLOOD_STEP = 0.5


class Logs:
    """The account's logs. `write` may be called from any thread, `flood` on the event loop."""

    def __init__(
        self,
        store: Store,
        ingestion: Ingestion,
        spawn: Callable[[Coroutine[Any, Any, Any]], None],
    ) -> None:
        self._store = store
        self._ingestion = ingestion
        self._spawn = spawn
        self._rounds = 0

    def write(self, group: str, stream: str, events: Sequence[tuple[float, str]]) -> None:
        """Add (seconds since 1970, message) pairs; group and stream are created when missing."""
        found = self._open(group, stream)
        pairs = [(int(at * 1000), message) for at, message in events]
        self._ingestion.write(found, stream, pairs)

    def _open(self, group: str, stream: str) -> Group:
        found = self._store.group(group) or self._store.create_group(group, milliseconds())
        self._store.create_stream(found, stream, milliseconds())
        return found

    def flood(self, group: str, lines_per_second: float, seconds: float) -> Callable[[], None]:
        """Begin to write so many lines a second of sandbox time, for so many seconds of it.

        Calling what it returns ends the flood before its time.
        """
        over = asyncio.Event()
        self._spawn(self._flood(group, lines_per_second, seconds, clock.time(), over))
        return over.set

    async def _flood(
        self,
        group: str,
        lines_per_second: float,
        seconds: float,
        begin: float,
        over: asyncio.Event,
    ) -> None:
        stream, written = f"flood/{milliseconds()}", 0
        while written < lines_per_second * seconds:
            last = over.is_set()
            elapsed = min(clock.time() - begin, seconds)
            due = range(written, int(lines_per_second * elapsed))
            events = [(begin + n / lines_per_second, _line(n)) for n in due]
            await asyncio.to_thread(self.write, group, stream, events)
            written += len(due)
            if last or elapsed >= seconds:
                return
            await asyncio.sleep(_FLOOD_STEP)

    async def keep(self) -> None:
        """Publish metrics and let old events expire, until cancelled."""
        await repeat(self._keep_once, "keeping logs", every=paced(FLUSH_SECONDS, _SHORTEST))

    async def _keep_once(self) -> None:
        self._rounds += 1
        await asyncio.to_thread(self._ingestion.flush)
        if self._rounds % _EXPIRE_EVERY == 0:
            await asyncio.to_thread(self._store.expire, milliseconds())


def _line(number: int) -> str:
    line = {"level": "ERROR", "logger": "news_api.pool", "attempt": number}
    return json.dumps(line | {"message": "connection pool exhausted, retrying"})
