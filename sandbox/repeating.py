"""Work that the account does again and again for as long as it lives."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable

from sandbox import clock

log = logging.getLogger("sandbox.repeating")


async def repeat(work: Callable[[], Awaitable[None] | None], what: str, *, every: float) -> None:
    """Do `work`, with pauses of `every` real seconds, until cancelled.

    What fails is logged and tried again after the pause: one failure must not end all alarms,
    metrics or scaling until somebody restarts the sandbox.
    """
    while True:
        try:
            if (going_on := work()) is not None:
                await going_on
        except Exception:
            log.exception("%s failed; it is tried again", what)
        await asyncio.sleep(every)


def paced(seconds: float, at_least: float) -> float:
    """So many seconds of sandbox time in real ones; a fast clock must not keep a core busy."""
    return max(seconds / clock.rate(), at_least)
