"""Reads that span tables: the evidence of a release, the inbox, the list."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db.models import Case, IntegerField, Q, QuerySet, Value, When

from catalog.models import Service
from deployments import evidence
from deployments.models import IN_FLIGHT, DecisionPoint, DecisionState, Release
from monitoring.queries import TargetGroupSignals, compare_target_groups

MINUTE = timedelta(minutes=1)
SHORT_MINUTE = 30.0  # seconds; only an endpoint for trying things out is faster
PAUSES_JUDGED = 5


@dataclass(frozen=True, slots=True)
class FleetColumn:
    """One column of the comparison. Latencies in seconds, the error ratio from 0 to 1."""

    role: str
    version: str
    target_group: str
    requests: int | None = None
    errors: int | None = None
    error_ratio: float | None = None
    p50: float | None = None
    p90: float | None = None
    p99: float | None = None
    minutes: int = 0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    def as_fleet(self) -> evidence.Fleet:
        return evidence.Fleet(self.requests, self.errors, self.p50, self.p90, self.p99)


def compared(release: Release, at: datetime) -> list[FleetColumn]:
    """Return both fleets over the same whole minutes since the new one took traffic.

    Empty before that, and for services without two target groups.
    """
    if not (release.traffic_since and release.source_target_group and release.target_target_group):
        return []
    start, end = window(release, at)
    found = {
        signals.target_group: signals
        for signals in compare_target_groups(service=release.service, start=start, end=end)
    }
    return [
        _column("before", release.previous_name, release.source_target_group, found),
        _column("new", release.version, release.target_target_group, found),
    ]


def window(release: Release, at: datetime) -> tuple[datetime, datetime]:
    """Return the minutes compared: from the first user traffic to now, or to the end."""
    start = (release.traffic_since or at).astimezone(UTC).replace(second=0, microsecond=0)
    until = release.rollback_requested_at or release.finished_at or at
    return start, max(until, start + MINUTE)


def _column(
    role: str, version: str, group: str, found: dict[str, TargetGroupSignals]
) -> FleetColumn:
    signals = found.get(group.rpartition(":")[2])
    if signals is None or not signals.minutes:
        return FleetColumn(role, version, group)
    return FleetColumn(
        role=role,
        version=version,
        target_group=group,
        requests=signals.requests,
        errors=signals.errors_5xx,
        error_ratio=signals.error_ratio,
        p50=signals.p50,
        p90=signals.p90,
        p99=signals.p99,
        minutes=signals.minutes,
    )


def judged(columns: list[FleetColumn]) -> evidence.Verdict | None:
    """Return the verdict on the new fleet, or None if there is nothing to compare."""
    if len(columns) != 2:
        return None
    old, new = columns
    return evidence.judge(old=old.as_fleet(), new=new.as_fleet())


def speaks_for(decision: DecisionPoint, verdict: evidence.Verdict | None) -> bool:
    """Whether the evidence lets the pause go on; if not, whoever approves must say why."""
    # Before the first traffic there is nothing to see; after it, no evidence is no pass.
    return verdict.passed if verdict else not decision.weight


def listed(*, service_slug: str = "") -> QuerySet[Release]:
    """Return releases, those in flight first, then the newest."""
    in_flight_first = Case(
        When(status__in=sorted(IN_FLIGHT), then=Value(0)),
        default=Value(1),
        output_field=IntegerField(),
    )
    wanted = Q(service__slug=service_slug) if service_slug else Q()
    return (
        Release.objects.filter(wanted)
        .select_related("service", "requested_by")
        .order_by(in_flight_first, "-requested_at", "-id")
    )


def waiting_decisions() -> QuerySet[DecisionPoint]:
    """Return what waits for a person, the first to expire first."""
    return (
        DecisionPoint.objects.filter(state=DecisionState.OPEN)
        .select_related("release__service", "release__requested_by")
        .order_by("expires_at", "opened_at")
    )


def seconds_per_minute(service: Service) -> float | None:
    """Return how long ECS's deployment minute takes, judged by the expiry it gave to pauses.

    60 on AWS; an endpoint for trying things out may be faster. None if no pause of the service
    has told.
    """
    told = DecisionPoint.objects.filter(release__service=service).exclude(expires_at=None)
    newest = told.select_related("release").order_by("-opened_at")[:PAUSES_JUDGED]
    given = [seconds for decision in newest if (seconds := _seconds_given(decision))]
    if not given:
        return None
    # A pause that was seen late looks shorter than it is; that makes nobody's minute shorter.
    return 60.0 if max(given) > SHORT_MINUTE else max(given)


def _seconds_given(decision: DecisionPoint) -> float | None:
    """Return what one minute of the pause took, or None if that cannot be said."""
    hooks = decision.release.configuration.get("lifecycleHooks") or []
    minutes = [hook.get("timeoutConfiguration", {}).get("timeoutInMinutes") for hook in hooks]
    asked = next((number for number in minutes if number), None)
    if asked is None or decision.expires_at is None or decision.expires_at <= decision.opened_at:
        return None
    return (decision.expires_at - decision.opened_at).total_seconds() / float(asked)
