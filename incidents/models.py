from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now
from django.urls import reverse

from catalog.models import Service
from catalog.models.append_only import append_only


class Severity(models.TextChoices):
    """How bad it is. The measurable criteria are in `incidents.severity`."""

    SEV1 = "SEV1", "SEV1 Critical"
    SEV2 = "SEV2", "SEV2 Major"
    SEV3 = "SEV3", "SEV3 Minor"
    SEV4 = "SEV4", "SEV4 Low"
    SEV5 = "SEV5", "SEV5 Informational"


class Status(models.TextChoices):
    INVESTIGATING = "INVESTIGATING", "Investigating"
    IDENTIFIED = "IDENTIFIED", "Identified"
    MITIGATED = "MITIGATED", "Mitigated"
    RESOLVED = "RESOLVED", "Resolved"
    CLOSED = "CLOSED", "Closed"
    CANCELED = "CANCELED", "Canceled"


TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.INVESTIGATING: frozenset(
        {Status.IDENTIFIED, Status.MITIGATED, Status.RESOLVED, Status.CANCELED}
    ),
    Status.IDENTIFIED: frozenset({Status.MITIGATED, Status.RESOLVED, Status.CANCELED}),
    Status.MITIGATED: frozenset({Status.RESOLVED, Status.INVESTIGATING}),
    Status.RESOLVED: frozenset({Status.CLOSED, Status.INVESTIGATING}),
    Status.CLOSED: frozenset({Status.INVESTIGATING}),
    Status.CANCELED: frozenset(),
}
OPEN = (Status.INVESTIGATING, Status.IDENTIFIED, Status.MITIGATED)
ENDED = (Status.CLOSED, Status.CANCELED)
MAJOR = (Severity.SEV1, Severity.SEV2)
MILESTONES = {
    "impact_started_at": "Impact started",
    "detected_at": "Detected",
    "declared_at": "Declared",
    "acknowledged_at": "Acknowledged",
    "identified_at": "Cause identified",
    "mitigated_at": "Mitigated",
    "resolved_at": "Resolved",
    "closed_at": "Closed",
}


def _not_before(earlier: str, *later: str) -> Q:
    """Each of the `later` milestones is unset or not before `earlier`, where that is set."""
    condition = Q()
    for name in later:
        condition &= Q(**{name: None}) | Q(**{earlier: None}) | Q(**{f"{name}__gte": F(earlier)})
    return condition


class IncidentQuerySet(models.QuerySet["Incident"]):
    def open(self) -> IncidentQuerySet:
        """Incidents that still need somebody: not yet resolved."""
        return self.filter(status__in=OPEN)

    def major(self) -> IncidentQuerySet:
        return self.filter(severity__in=MAJOR)


class Incident(models.Model):
    """Something that hurts users, from its first effect to its review.

    `version` grows with every change of the row: a form that was rendered before a change
    carries an older one and is refused.
    """

    title = models.CharField(max_length=200)
    service = models.ForeignKey(Service, models.PROTECT, related_name="incidents")
    severity = models.CharField(max_length=4, choices=Severity)
    status = models.CharField(max_length=13, choices=Status, default=Status.INVESTIGATING)
    version = models.PositiveIntegerField(default=1)
    # Made when the empty form is rendered, so that sending it twice files one incident.
    filing_key = models.UUIDField(unique=True)

    impact_started_at = models.DateTimeField()
    detected_at = models.DateTimeField(null=True, blank=True)
    declared_at = models.DateTimeField()
    acknowledged_at = models.DateTimeField(null=True, blank=True)
    identified_at = models.DateTimeField(null=True, blank=True)
    mitigated_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True, help_text="Closed or canceled")

    objects = IncidentQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="incident_severity_known", condition=Q(severity__in=Severity.values)
            ),
            models.CheckConstraint(
                name="incident_status_known", condition=Q(status__in=Status.values)
            ),
            models.CheckConstraint(
                name="incident_impact_starts_first",
                condition=_not_before("impact_started_at", *list(MILESTONES)[1:]),
            ),
            models.CheckConstraint(
                name="incident_mitigated_then_resolved_then_closed",
                condition=_not_before("mitigated_at", "resolved_at", "closed_at")
                & _not_before("resolved_at", "closed_at"),
            ),
            models.CheckConstraint(
                name="incident_mitigated_has_its_time",
                condition=~Q(status__in=["MITIGATED", "RESOLVED", "CLOSED"])
                | Q(mitigated_at__isnull=False),
            ),
            models.CheckConstraint(
                name="incident_resolved_has_its_time",
                condition=Q(status__in=["RESOLVED", "CLOSED"], resolved_at__isnull=False)
                | Q(status__in=["INVESTIGATING", "IDENTIFIED", "MITIGATED", "CANCELED"])
                & Q(resolved_at=None),
            ),
            models.CheckConstraint(
                name="incident_ended_has_its_time",
                condition=Q(status__in=["CLOSED", "CANCELED"], closed_at__isnull=False)
                | Q(closed_at=None) & ~Q(status__in=["CLOSED", "CANCELED"]),
            ),
        ]
        indexes = [
            models.Index(fields=["status", "severity", "-impact_started_at"]),
            models.Index(fields=["-declared_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.reference} {self.title}"

    def get_absolute_url(self) -> str:
        return reverse("incidents:detail", args=[self.pk])

    @property
    def reference(self) -> str:
        return f"INC-{self.pk}"

    @property
    def is_open(self) -> bool:
        return self.status in OPEN

    @property
    def over_at(self) -> datetime | None:
        """When users stopped being affected, or when it turned out that they never were."""
        return self.mitigated_at or self.closed_at


class IncidentRole(models.TextChoices):
    """The Incident Command System's roles."""

    COMMANDER = "COMMANDER", "Incident Commander"
    COMMUNICATIONS = "COMMUNICATIONS", "Communications Lead"
    OPERATIONS = "OPERATIONS", "Operations Lead"
    SCRIBE = "SCRIBE", "Scribe"
    EXPERT = "EXPERT", "Subject-Matter Expert"
    OBSERVER = "OBSERVER", "Observer"


class EntryKind(models.TextChoices):
    FILED = "FILED", "Filed"
    NOTE = "NOTE", "Update"
    SEVERITY = "SEVERITY", "Severity"
    STATUS = "STATUS", "Status"
    ROLE = "ROLE", "Role"
    MILESTONE = "MILESTONE", "Milestone"


# What tells people outside how it goes; the rest is book-keeping and folded.
UPDATES = (EntryKind.FILED, EntryKind.NOTE, EntryKind.SEVERITY, EntryKind.STATUS)


@dataclass(frozen=True, slots=True)
class ChangedValue:
    """One value that changed, in words; empty stands for none."""

    name: str
    old: str
    new: str


def _words(name: str) -> str:
    roles: dict[str, str] = dict(IncidentRole.choices)
    return MILESTONES.get(name) or roles.get(name) or name.capitalize()


def _value(name: str, value: str) -> str:
    if name in MILESTONES and value:
        return f"{datetime.fromisoformat(value):%Y-%m-%d %H:%M:%S} UTC"
    return value


class TimelineEntry(models.Model):
    """One thing that happened. Never changed: a correction is a new entry."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="timeline")
    kind = models.CharField(max_length=9, choices=EntryKind)
    occurred_at = models.DateTimeField()
    recorded_at = models.DateTimeField(db_default=Now())
    actor = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    text = models.TextField(blank=True)
    payload = models.JSONField(default=dict, help_text="What changed: names, old and new values")
    version = models.PositiveIntegerField(help_text="The incident's version after this")
    key = models.UUIDField(
        null=True, blank=True, help_text="Of the form that wrote it: sent twice, it is one entry"
    )

    class Meta:
        verbose_name_plural = "timeline entries"
        ordering = ["occurred_at", "id"]
        constraints = [
            models.CheckConstraint(
                name="timeline_kind_known", condition=Q(kind__in=EntryKind.values)
            ),
            models.UniqueConstraint(name="timeline_key_once", fields=["incident", "key"]),
        ]
        triggers = append_only("the timeline")

    @property
    def is_update(self) -> bool:
        return self.kind in UPDATES

    @property
    def changes(self) -> list[ChangedValue]:
        """What changed, in words for a person; empty for an update that changed nothing."""
        return [
            ChangedValue(
                _words(c["name"]), _value(c["name"], c["old"]), _value(c["name"], c["new"])
            )
            for c in self.payload.get("changes", [])
        ]

    @property
    def sentence(self) -> str:
        """The entry in one line of plain text, such as `Status: Identified → Mitigated`."""
        lines = [f"{c.name}: {c.old or 'none'} → {c.new or 'none'}" for c in self.changes]
        return "; ".join(lines) or f"{self.get_kind_display()}: {self.text[:80]}"


class Pin(models.Model):
    """Keeps an entry at the top of the timeline; the entry itself never changes."""

    entry = models.OneToOneField(TimelineEntry, models.PROTECT, related_name="pin")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField()


# Held by one person at a time: assigning one hands it over.
SINGLE = (
    IncidentRole.COMMANDER,
    IncidentRole.COMMUNICATIONS,
    IncidentRole.OPERATIONS,
    IncidentRole.SCRIBE,
)


class Assignment(models.Model):
    """Who held which role from when until when."""

    incident = models.ForeignKey(Incident, models.PROTECT, related_name="assignments")
    role = models.CharField(max_length=14, choices=IncidentRole)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    assumed_at = models.DateTimeField()
    renounced_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="assignment_role_known", condition=Q(role__in=IncidentRole.values)
            ),
            models.CheckConstraint(
                name="assignment_assumed_then_renounced",
                condition=_not_before("assumed_at", "renounced_at"),
            ),
            models.UniqueConstraint(
                name="assignment_one_current_holder",
                fields=["incident", "role"],
                condition=Q(
                    renounced_at=None,
                    role__in=["COMMANDER", "COMMUNICATIONS", "OPERATIONS", "SCRIBE"],
                ),
            ),
            models.UniqueConstraint(
                name="assignment_once_per_person",
                fields=["incident", "role", "user"],
                condition=Q(renounced_at=None),
            ),
        ]
