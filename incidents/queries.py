"""Reads that span tables. Rows of `incidents()` carry `commander` and `last_update` besides."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby

from django.db.models import Case, IntegerField, Max, OuterRef, QuerySet, Subquery, Value, When

from catalog.models import ChangeEvent, ChangeKind, User
from incidents import metrics, suspects
from incidents.models import (
    OPEN,
    UPDATES,
    Assignment,
    Incident,
    IncidentQuerySet,
    IncidentRole,
    Status,
    TimelineEntry,
)

MEASURED_OVER = timedelta(days=365)


def incidents() -> IncidentQuerySet:
    """Return all incidents with service, commander's name and time of the last update."""
    commanders = Assignment.objects.filter(
        incident=OuterRef("pk"), role=IncidentRole.COMMANDER, renounced_at=None
    )
    updates = (
        TimelineEntry.objects.filter(incident=OuterRef("pk"), kind__in=UPDATES)
        .order_by()
        .values("incident")
        .annotate(last=Max("recorded_at"))
    )
    return Incident.objects.select_related("service").annotate(
        commander=Subquery(commanders.values("user__username")[:1]),
        last_update=Subquery(updates.values("last")),
    )


def open_major() -> list[Incident]:
    """Return the open SEV1 and SEV2 incidents, worst and oldest first. One query."""
    return list(incidents().open().major().order_by("severity", "impact_started_at"))


def worst_first(rows: IncidentQuerySet) -> IncidentQuerySet:
    """Open ones first, by severity; then the others, newest first."""
    is_open = Case(When(status__in=OPEN, then=Value(0)), default=1, output_field=IntegerField())
    open_severity = Case(When(status__in=OPEN, then="severity"), default=Value(""))
    return rows.order_by(is_open, open_severity, "-impact_started_at", "-pk")


@dataclass(frozen=True, slots=True)
class Durations:
    """What the incidents since `since` took; canceled ones never were any."""

    since: datetime
    mitigate: metrics.Summary
    resolve: metrics.Summary


def durations(rows: IncidentQuerySet, *, at: datetime) -> Durations:
    """Summarise the rows declared in the last 365 days. One query."""
    since = at - MEASURED_OVER
    real = rows.filter(declared_at__gte=since).exclude(status=Status.CANCELED)
    times = [metrics.times(incident) for incident in real]
    return Durations(
        since=since,
        mitigate=metrics.summarise(t.to_mitigate for t in times),
        resolve=metrics.summarise(t.to_resolve for t in times),
    )


@dataclass(frozen=True, slots=True)
class Run:
    """Consecutive entries, newest first, that are shown or folded together."""

    folded: bool
    entries: list[TimelineEntry]


@dataclass(frozen=True, slots=True)
class Timeline:
    """`fingerprint` differs whenever the timeline looks different."""

    pinned: list[TimelineEntry]
    runs: list[Run]
    fingerprint: str


def timeline(incident: Incident) -> Timeline:
    """Return the timeline: pinned entries in order, the rest newest first. One query."""
    entries = list(incident.timeline.select_related("actor", "pin").order_by("-occurred_at", "-id"))
    pinned = [entry for entry in entries if hasattr(entry, "pin")]
    pins = ".".join(str(entry.pin.pk) for entry in pinned)
    others = [entry for entry in entries if not hasattr(entry, "pin")]
    return Timeline(pinned[::-1], _runs(others), f"{len(entries)}-{pins}")


def _runs(entries: Iterable[TimelineEntry]) -> list[Run]:
    runs = groupby(entries, key=lambda entry: entry.is_update)
    return [Run(folded=not is_update, entries=list(run)) for is_update, run in runs]


def current_roles(incident: Incident) -> list[Assignment]:
    """Return who holds which role now, the commander first."""
    held = incident.assignments.filter(renounced_at=None).select_related("user")
    order = list(IncidentRole)
    return sorted(held, key=lambda one: (order.index(IncidentRole(one.role)), one.assumed_at))


def assignable() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("username")


def changes_before(incident: Incident) -> list[suspects.Suspect]:
    """Return the changes of the service in the hours before the onset, nearest first."""
    onset = incident.impact_started_at
    events = ChangeEvent.objects.filter(
        service=incident.service_id, at__range=(onset - suspects.WINDOW, onset)
    ).exclude(kind=ChangeKind.INCIDENT)
    return suspects.before_onset(
        [
            suspects.Change(event.at, event.get_kind_display(), event.title, event.actor, event.url)
            for event in events
        ],
        onset=onset,
    )
