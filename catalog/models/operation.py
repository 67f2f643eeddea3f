"""Work that changes AWS, as rows: the row is the queue, Celery only rings the bell."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now


class OperationState(models.TextChoices):
    OPEN = "OPEN", "Open"
    DONE = "DONE", "Done"
    PARKED = "PARKED", "Parked: failed too often, needs a person"


class Operation(models.Model):
    """A thing that must be made true in AWS, and when to look at it next.

    All times are PostgreSQL's own, never a worker's clock. `lease_token` fences: it grows with
    each claim, and a worker that lost its lease changes nothing any more.
    """

    kind = models.CharField(max_length=60)
    target = models.CharField(max_length=120)
    idempotency_key = models.CharField(max_length=200, unique=True)
    state = models.CharField(max_length=8, choices=OperationState, default=OperationState.OPEN)
    version = models.PositiveIntegerField(default=0)
    due_at = models.DateTimeField(db_default=Now())
    lease_owner = models.CharField(max_length=100, blank=True)
    lease_token = models.PositiveIntegerField(default=0)
    lease_until = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveIntegerField(default=0, help_text="In a row")
    last_error = models.TextField(blank=True)
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                name="operation_finished_unless_open",
                condition=Q(state="OPEN", finished_at=None)
                | Q(state__in=["DONE", "PARKED"], finished_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="operation_one_open_per_target",
                fields=["kind", "target"],
                condition=Q(state="OPEN"),
            ),
        ]
        indexes = [models.Index(fields=["due_at"], name="operation_due", condition=Q(state="OPEN"))]

    def __str__(self) -> str:
        return f"{self.kind} {self.target} ({self.state})"


class EffectState(models.TextChoices):
    INTENDED = "INTENDED", "Intended: sent or about to be sent, outcome not known"
    DONE = "DONE", "Done"
    REFUSED = "REFUSED", "Refused by AWS"


class Effect(models.Model):
    """One call that changes AWS, written down before it is made.

    `key` names the effect within its operation, so that it happens at most once.
    """

    operation = models.ForeignKey(Operation, models.CASCADE, related_name="effects")
    key = models.CharField(max_length=200)
    request = models.JSONField(default=dict)
    state = models.CharField(max_length=10, choices=EffectState, default=EffectState.INTENDED)
    attempts = models.PositiveIntegerField(default=0)
    intended_at = models.DateTimeField(db_default=Now())
    finished_at = models.DateTimeField(null=True, blank=True)
    answer = models.JSONField(default=dict)
    error = models.TextField(blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(name="effect_once_per_operation", fields=["operation", "key"])
        ]

    def __str__(self) -> str:
        return f"{self.key} ({self.state})"
