"""Rate limits per caller: the generic cell rate algorithm, atomic in Valkey.

Instead of tokens it stores one time per caller: when the backlog of granted requests will have
drained. The server decides in its own time; this module turns its answer into headers.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from news_api.resp import CacheUnavailable, Valkey

MICRO = 1_000_000

# KEYS: the caller. ARGV: interval between requests and window, both in microseconds.
# Returns whether the request is granted, and the backlog in microseconds after the decision.
GRANT = """
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, window = tonumber(ARGV[1]), tonumber(ARGV[2])
local drained = math.max(tonumber(redis.call('GET', KEYS[1]) or now), now)
local after = drained + interval
if after - now > window then return {0, drained - now} end
redis.call('SET', KEYS[1], string.format('%.0f', after), 'PX', math.ceil((after - now) / 1000))
return {1, after - now}
"""


@dataclass(frozen=True)
class Quota:
    """``requests`` per ``window`` seconds; all of them may come at once."""

    requests: int
    window: int = 60

    @property
    def interval(self) -> int:
        """Microseconds that one request takes to drain, at least one."""
        return max(1, self.window * MICRO // self.requests)


@dataclass(frozen=True)
class Verdict:
    """Whether a request is granted, how many remain, and seconds to a full quota and to a retry."""

    granted: bool
    quota: Quota
    remaining: int
    reset: int
    retry_after: int

    def headers(self) -> dict[str, str]:
        """Return RateLimit-Policy, RateLimit and, when refused, Retry-After."""
        headers = {
            "RateLimit-Policy": f'"default";q={self.quota.requests};w={self.quota.window}',
            "RateLimit": f'"default";r={self.remaining};t={self.reset}',
        }
        return headers if self.granted else {**headers, "Retry-After": str(self.retry_after)}


def judge(quota: Quota, *, granted: bool, backlog: int) -> Verdict:
    """Return the verdict for a ``backlog`` in microseconds."""
    room = quota.window * MICRO - backlog
    missing = max(0, quota.interval - room)
    return Verdict(
        granted=granted,
        quota=quota,
        remaining=max(0, room // quota.interval),
        reset=math.ceil(backlog / MICRO),
        retry_after=0 if granted else max(1, math.ceil(missing / MICRO)),
    )


def spend(server: Valkey, caller: str, quota: Quota) -> Verdict | None:
    """Charge one request to ``caller``; None when Valkey cannot tell, and reads go on."""
    try:
        reply = server.execute(
            "EVAL",
            GRANT,
            "1",
            f"news:limit:{caller}",
            str(quota.interval),
            str(quota.window * MICRO),
        )
    except CacheUnavailable:
        return None
    if not (isinstance(reply, list) and isinstance(reply[0], int) and isinstance(reply[1], int)):
        return None
    return judge(quota, granted=reply[0] == 1, backlog=reply[1])
