"""What makes AWS calls fail on demand, and the count of calls by operation.

The gateway asks `Switches.before` about every request, before it does anything, and
`Switch.spoil` about the answer of one that was let through.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sandbox import refusals
from sandbox.errors import AwsError
from sandbox.refusals import Arrival
from sandbox.wire import Answer

REFUSING = ("error", "throttle", "server-error", "deny", "expired", "unknown", "window")
SPOILING = ("late-apply", "corrupt")
KINDS = (*REFUSING, *SPOILING, "hang", "drop")
# Calls of the sandbox's own scenarios are never hit: who stages an incident must not fall to it.
EXEMPT_KEY = "SANDBOXSCENARIO"


class ConnectionDropped(Exception):
    """The caller's connection must be closed without a byte; nothing was applied."""


@dataclass
class Switch:
    """One fault of AWS's API in force.

    `kind` is one of KINDS. `operation` is an operation's name, `service.Operation`, `service.*`
    or `*`, with botocore's service names. `share` is the share of calls it hits (0 to 1),
    `remaining` how many more it hits (None: any number), `access_key` the only caller it hits
    (None: all). `detail` is the error's code, `explicit` for an explicit deny, or `html` for the
    answer of a proxy.
    """

    kind: str
    operation: str = "*"
    share: float = 1.0
    remaining: int | None = None
    access_key: str | None = None
    detail: str = ""
    message: str = ""
    status: int = 400
    seconds: float = 0.0
    hit: int = 0

    def hits(self, arrival: Arrival, dice: random.Random) -> bool:
        """Decide whether this call is hit; a switch with a count wears out."""
        if self.remaining == 0 or not self._concerns(arrival) or dice.random() >= self.share:
            return False
        self.hit += 1
        if self.remaining is not None:
            self.remaining -= 1
        return True

    def _concerns(self, arrival: Arrival) -> bool:
        if self.access_key not in (None, arrival.access_key):
            return False
        service, _, name = self.operation.rpartition(".")
        if service not in ("", arrival.service) or name not in ("*", arrival.operation):
            return False
        return self.kind != "window" or refusals.out_of_window(arrival)

    def spoil(self, answer: Answer) -> Answer | None:
        """What the caller gets instead of the answer; None: a closed connection."""
        if self.kind == "late-apply":
            return None
        if self.detail == "html":
            body = b"<html><body><h1>502 Bad Gateway</h1></body></html>"
            return Answer(502, body, {"Content-Type": "text/html"})
        return Answer(answer.status, answer.body[: len(answer.body) // 2], answer.headers)


@dataclass
class Switches:
    """All switches in force and how often each operation was called since the start.

    `dice` decides which calls a switch with a share below 1 hits; scenarios seed it.
    """

    faults: list[Switch] = field(default_factory=list)
    calls: Counter[str] = field(default_factory=Counter)
    dice: random.Random = field(default_factory=random.Random)

    async def before(self, arrival: Arrival) -> Switch | None:
        """Count the call, then fail or stall it. Returns a switch that spoils the answer.

        Raises AwsError in AWS's words for the protocol, or ConnectionDropped.
        """
        if arrival.access_key == EXEMPT_KEY:
            return None
        self.calls[arrival.operation] += 1
        switch = next((s for s in self.faults if s.hits(arrival, self.dice)), None)
        if switch is None or switch.kind in SPOILING:
            return switch
        if switch.kind == "drop":
            raise ConnectionDropped
        if switch.kind == "hang":
            await asyncio.sleep(switch.seconds)
            return None
        raise _refusal(switch, arrival)


_REFUSALS: Mapping[str, Callable[[Arrival], AwsError]] = {
    "throttle": refusals.throttled,
    "expired": refusals.expired_credentials,
    "unknown": refusals.unknown_credentials,
    "window": refusals.out_of_time,
}


def _refusal(switch: Switch, arrival: Arrival) -> AwsError:
    if switch.kind in _REFUSALS:
        return _REFUSALS[switch.kind](arrival)
    if switch.kind == "deny":
        return refusals.denied(arrival, explicit=switch.detail == "explicit")
    if switch.kind == "server-error":
        return refusals.server_error(switch.status)
    return AwsError(switch.detail, switch.message, switch.status)
