"""How a service is, from its row in the catalog and its last hour: one rule for every page."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from catalog.models import Service
from monitoring import golden
from monitoring.blocks import Floats
from monitoring.golden import Objectives, State, Verdict
from monitoring.timeseries import MINUTES, Now

# A last hour that ended longer ago says nothing about now.
TOO_OLD = timedelta(minutes=10)
# The numbers of one that ended longer ago are still shown, but nobody is called healthy by them.
TOO_OLD_FOR_HEALTHY = timedelta(minutes=4)


@dataclass(frozen=True, slots=True)
class Vitals:
    """The newest settled golden signals: seconds, requests a second, percent, percent, percent.

    `golden` is the last hour, [60][signals], or None; `settled_at` is the end of the newest
    minute that the values are of.
    """

    verdict: Verdict
    p99: float | None = None
    rate: float | None = None
    errors: float | None = None
    cpu: float | None = None
    memory: float | None = None
    golden: Floats | None = None
    settled_at: datetime | None = None

    def hour(self, signal: str) -> Floats | None:
        """The last hour of one of `golden.GOLDEN`."""
        return None if self.golden is None else self.golden[:, golden.GOLDEN.index(signal)]


def objectives_of(service: Service) -> Objectives:
    availability = service.availability_objective
    return Objectives.of(
        latency_ms=service.latency_objective_ms,
        availability=None if availability is None else float(availability),
    )


def vitals(service: Service, now: Now | None, *, at: datetime) -> Vitals:
    """Return the state of the service and its newest numbers."""
    if now is None:
        return Vitals(Verdict(State.NO_DATA, "CloudWatch has not been read yet"))
    end = now.start + timedelta(minutes=MINUTES)
    unread = Verdict(State.NO_DATA, f"CloudWatch was last read at {end:%Y-%m-%d %H:%M} UTC")
    if at - end > TOO_OLD:
        return Vitals(unread, golden=now.golden, settled_at=end)
    recent = golden.judged(now.golden)
    verdict = golden.judge(
        recent,
        objectives=objectives_of(service),
        desired=service.desired_count,
        running=service.running_count,
        takes_requests=service.has_load_balancer,
    )
    if verdict.state == State.HEALTHY and at - end > TOO_OLD_FOR_HEALTHY:
        verdict = unread
    newest = {name: golden.latest(recent[name]) for name in ("p99", "rate", "errors", "cpu")}
    return Vitals(
        verdict,
        **newest,
        memory=golden.latest(recent["memory"]),
        golden=now.golden,
        settled_at=end - timedelta(minutes=golden.PROVISIONAL_MINUTES),
    )
