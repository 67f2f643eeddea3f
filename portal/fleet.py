"""Every service as one row, worst first: what the overview shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from catalog.models import Account, Service
from costs.queries import month_to_date
from deployments.models import DecisionPoint, Release
from deployments.queries import waiting_decisions
from incidents.models import Incident
from monitoring import sparklines, timeseries
from monitoring.blocks import Floats
from monitoring.golden import State
from monitoring.models import Collection
from monitoring.vitals import Vitals, vitals
from ui import formats

_WORST_FIRST = {State.DEGRADED: 0, State.NO_DATA: 1, State.HEALTHY: 2}


@dataclass(frozen=True, slots=True)
class Figure:
    """A number as text, empty if there is none, and its last hour."""

    text: str
    hour: Floats | None
    signal: str

    @property
    def line(self) -> str:
        """The last hour as a sparkline; drawn only when the page really is."""
        return "" if self.hour is None else sparklines.svg(self.hour, self.signal)


@dataclass(frozen=True, slots=True)
class Row:
    service: Service
    vitals: Vitals
    state: State
    reason: str
    latency: Figure
    traffic: Figure
    errors: Figure
    saturation: Figure
    tasks: str
    image: str
    is_stale: bool
    measured_at: datetime | None
    collected_at: datetime | None
    release: Release | None
    decision: DecisionPoint | None
    incidents: list[Incident]


@dataclass(frozen=True, slots=True)
class Fleet:
    """`collected_at` is the oldest reading among the services that are read at all.

    `month_to_date` is in USD, None while no costs of this month have arrived.
    """

    rows: list[Row]
    accounts: list[Account]
    states: dict[str, int]
    releases: int
    decisions: int
    incidents: int
    month_to_date: Decimal | None
    collected_at: datetime | None

    @property
    def facts(self) -> str:
        """Everything that can be seen of the fleet, to tell whether it changed."""
        return repr([(row.service.pk, *_seen(row)) for row in self.rows]) + repr(
            (self.accounts, self.states, self.releases, self.decisions, self.month_to_date)
        )


def _seen(row: Row) -> tuple[object, ...]:
    release = (row.release.pk, row.release.status, row.release.target_weight) if row.release else ()
    incidents = [(one.pk, one.severity, one.status) for one in row.incidents]
    decided = row.decision.pk if row.decision else None
    texts = (row.service.title, row.reason, row.tasks, row.image, row.is_stale, row.collected_at)
    return (row.state, row.measured_at, texts, release, decided, incidents)


@dataclass(frozen=True, slots=True)
class _Around:
    """What the other parts of the portal know of the services, by service."""

    now: Mapping[int, timeseries.Now]
    releases: Mapping[int, Release]
    decisions: Mapping[int, DecisionPoint]
    incidents: Mapping[int, list[Incident]]


def fleet(*, at: datetime) -> Fleet:
    """Return all services that ECS lists, worst first."""
    services = list(Service.objects.present().select_related("collection"))
    around = _around()
    rows = sorted((_row(one, around, at) for one in services), key=_rank)
    read = [row.collected_at for row in rows if row.collected_at]
    return Fleet(
        rows=rows,
        accounts=[] if services else list(Account.objects.order_by("account_id")),
        states=dict(Counter(row.state.value for row in rows)),
        releases=len(around.releases),
        decisions=len(around.decisions),
        incidents=sum(map(len, around.incidents.values())),
        month_to_date=month_to_date(at).total,
        collected_at=min(read, default=None),
    )


def _around() -> _Around:
    incidents: dict[int, list[Incident]] = {}
    for incident in Incident.objects.open().order_by("severity"):
        incidents.setdefault(incident.service_id, []).append(incident)
    return _Around(
        now=timeseries.newest(),
        releases={one.service_id: one for one in Release.objects.in_flight()},
        decisions={one.release.service_id: one for one in waiting_decisions()},
        incidents=incidents,
    )


def _rank(row: Row) -> tuple[object, ...]:
    urgent = min((one.severity for one in row.incidents), default="~")
    return (_WORST_FIRST[row.state], urgent, row.service.tier, row.service.slug)


def _row(service: Service, around: _Around, at: datetime) -> Row:
    now = around.now.get(service.pk)
    found = vitals(service, now, at=at)
    collection: Collection | None = getattr(service, "collection", None)
    release = around.releases.get(service.pk)
    return Row(
        service=service,
        vitals=found,
        state=found.verdict.state,
        reason=found.verdict.reason,
        latency=_figure(found.p99, formats.milliseconds, found.hour("p99"), "latency"),
        traffic=_figure(found.rate, formats.rate, found.hour("rate"), "traffic"),
        errors=_figure(found.errors, formats.percentage, found.hour("errors"), "errors"),
        saturation=_figure(found.cpu, formats.percentage, found.hour("cpu"), "saturation"),
        tasks=f"{service.running_count}/{service.desired_count}",
        # ECS names the new task definition at once; the old version serves until it is over.
        image=release.previous_version if release else service.image_tag,
        is_stale=collection is None or collection.is_stale(at),
        measured_at=now.changed_at if now else None,
        collected_at=collection.collected_at if collection else None,
        release=release,
        decision=around.decisions.get(service.pk),
        incidents=around.incidents.get(service.pk, []),
    )


def _figure(
    value: float | None, formatted: Callable[[float], str], hour: Floats | None, signal: str
) -> Figure:
    return Figure("" if value is None else formatted(value), hour, signal)
