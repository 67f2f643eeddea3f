"""The golden signals, as arithmetic on minutes: arrays in, arrays and words out.

Missing is three different things. CloudWatch leaves error counts out when there are none, so they
are zero where requests were counted in the same minute; a latency without requests does not
exist; and a service that reports no CPU is not running or not being measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from monitoring.blocks import Floats

# CloudWatch corrects the newest minutes for a while; states do not depend on them.
PROVISIONAL_MINUTES = 3
JUDGED_MINUTES = 5
BREACHING_MINUTES = 3
# Fewer requests than this in the judged minutes say nothing about an error ratio.
ENOUGH_REQUESTS = 20
# Burning the error budget this many times too fast is an incident in the making.
BURN_RATE = 10


class Missing(StrEnum):
    """What a minute without a value means."""

    ZERO = "zero"
    NULL = "null"
    ALARM = "alarm"


_ZERO = {"errors_5xx", "errors_4xx", "connection_errors", "elb_5xx", "elb_503", "rejected"}
_ALARM = {"cpu", "memory", "running", "healthy"}


def missing(role: str) -> Missing:
    """Return what it means that a series of this role has no value."""
    if role in _ZERO:
        return Missing.ZERO
    return Missing.ALARM if role in _ALARM else Missing.NULL


def zero_filled(values: Floats, requests: Floats) -> Floats:
    """Return zero for minutes without a value in which requests were counted."""
    return np.where(np.isnan(values) & ~np.isnan(requests), np.float32(0), values)


def per_second(requests_a_minute: Floats) -> Floats:
    return requests_a_minute / np.float32(60)


def percent(part: Floats, whole: Floats) -> Floats:
    """Return 100 x part / whole; without a whole there is no ratio."""
    answer = np.full(len(whole), np.nan, dtype=np.float32)
    np.divide(100 * part, whole, out=answer, where=whole > 0)
    return answer


def error_percent(columns: Mapping[str, Floats]) -> Floats:
    """Return 5xx answers of targets and load balancer in percent of all requests.

    RequestCount leaves out the requests for which no target could be chosen (503). A target
    group's columns have no `elb_*` roles.
    """
    requests = columns["requests"]
    filled = {
        role: zero_filled(columns[role], requests)
        for role in ("errors_5xx", "elb_5xx", "elb_503")
        if role in columns
    }
    nothing = np.zeros_like(requests)
    failed = filled["errors_5xx"] + filled.get("elb_5xx", nothing)
    return percent(failed, requests + filled.get("elb_503", nothing))


def client_error_percent(columns: Mapping[str, Floats]) -> Floats:
    """Return 4xx answers of targets in percent of all requests."""
    requests = columns["requests"]
    return percent(zero_filled(columns["errors_4xx"], requests), requests)


def hit_percent(hits: Floats, misses: Floats) -> Floats:
    return percent(zero_filled(hits, misses), zero_filled(hits, misses) + zero_filled(misses, hits))


@dataclass(frozen=True, slots=True)
class Objectives:
    """Where a service counts as degraded: seconds and percent."""

    latency: float = 1.0
    errors: float = 1.0
    cpu: float = 85.0
    memory: float = 90.0

    @classmethod
    def of(cls, *, latency_ms: int | None, availability: float | None) -> Objectives:
        """Objectives of a service: p99 latency in milliseconds, availability in percent."""
        defaults = cls()
        return cls(
            latency=latency_ms / 1000 if latency_ms else defaults.latency,
            errors=(100 - availability) * BURN_RATE if availability else defaults.errors,
        )


# The columns of `metric_now`, in their order.
GOLDEN = ("p99", "rate", "errors", "cpu", "memory", "running", "requests")


class State(StrEnum):
    """In words, worst first."""

    DEGRADED = "degraded"
    NO_DATA = "no data"
    HEALTHY = "healthy"


@dataclass(frozen=True, slots=True)
class Verdict:
    state: State
    reason: str


def judge(
    recent: Mapping[str, Floats],
    *,
    objectives: Objectives,
    desired: int,
    running: int,
    takes_requests: bool = True,
) -> Verdict:
    """Judge the last settled minutes of the golden signals.

    :param recent: for each name of `GOLDEN` the judged minutes, oldest first.
    :param desired: tasks wanted, as ECS says; `running` those there are.
    :param takes_requests: whether a load balancer sends it any.
    """
    if all(np.isnan(values).all() for values in recent.values()):
        if desired == 0:
            return Verdict(State.HEALTHY, "scaled to zero")
        return Verdict(State.NO_DATA, "CloudWatch has no metrics of the last minutes")
    found = [
        _errors(recent, objectives),
        _latency(recent["p99"], objectives.latency),
        f"{running} of {desired} tasks running" if running < desired else "",
        _saturated("CPU", recent["cpu"], objectives.cpu),
        _saturated("memory", recent["memory"], objectives.memory),
    ]
    reasons = [reason for reason in found if reason]
    if reasons:
        return Verdict(State.DEGRADED, "; ".join(reasons))
    idle = takes_requests and not _any(recent["requests"])
    return Verdict(State.HEALTHY, "no requests" if idle else "")


def _errors(recent: Mapping[str, Floats], objectives: Objectives) -> str:
    requests = np.nan_to_num(recent["requests"])
    if requests.sum() < ENOUGH_REQUESTS:
        return ""
    share = float((np.nan_to_num(recent["errors"]) * requests).sum() / requests.sum())
    if share <= objectives.errors:
        return ""
    return f"errors {share:.2g} %, more than {objectives.errors:.2g} %"


def _latency(p99: Floats, limit: float) -> str:
    breaching = p99[p99 > limit]
    if len(breaching) < BREACHING_MINUTES:
        return ""
    return f"p99 {1000 * float(breaching[-1]):.0f} ms, slower than {1000 * limit:.0f} ms"


def _saturated(name: str, values: Floats, limit: float) -> str:
    breaching = values[values > limit]
    if len(breaching) < BREACHING_MINUTES:
        return ""
    return f"{name} {float(breaching[-1]):.0f} %, above {limit:.0f} %"


def _any(values: Floats) -> bool:
    return bool(np.nansum(values) > 0)


def judged(golden: Floats) -> dict[str, Floats]:
    """Cut the settled minutes that a verdict looks at out of [minutes][signals]."""
    settled = golden[: len(golden) - PROVISIONAL_MINUTES][-JUDGED_MINUTES:]
    return dict(zip(GOLDEN, settled.T, strict=True))


def latest(values: Floats) -> float | None:
    """Return the newest value of some minutes, or None."""
    known = values[~np.isnan(values)]
    return float(known[-1]) if len(known) else None
