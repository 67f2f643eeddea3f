from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Now

from aws.costexplorer import USD_PER_REQUEST
from catalog.models import Account

LEASE = timedelta(minutes=5)


class Shape(models.TextChoices):
    """Cost Explorer groups by two dimensions at most, so the same money is kept twice."""

    USAGE = "USAGE", "By service and usage type, without credits and refunds"
    RECORD = "RECORD", "By service and record type"


class Granularity(models.TextChoices):
    DAILY = "DAILY", "Daily"
    MONTHLY = "MONTHLY", "Monthly"


def _usd() -> models.DecimalField[Decimal, Decimal]:
    # Cost Explorer answers with ten decimals; two are spare.
    return models.DecimalField(max_digits=24, decimal_places=12)


class CostFact(models.Model):
    """What one kind of usage cost on one UTC day, or in one month: `day` is then its first.

    USAGE facts have a usage type and no record type, RECORD facts the other way round. A month
    has either daily or monthly facts, never both.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="costs")
    shape = models.CharField(max_length=6, choices=Shape)
    granularity = models.CharField(max_length=7, choices=Granularity)
    day = models.DateField()
    service = models.CharField(max_length=200)
    usage_type = models.CharField(max_length=300, blank=True)
    record_type = models.CharField(max_length=100, blank=True)
    unblended = _usd()
    amortized = _usd()
    net_amortized = _usd()
    quantity = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, blank=True, help_text="Null: units are mixed"
    )
    unit = models.CharField(max_length=60, blank=True)
    estimated = models.BooleanField()
    # AWS changed the figure after having called it final.
    restated = models.BooleanField(default=False)
    as_of = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                name="cost_fact_once",
                fields=[
                    "account",
                    "shape",
                    "granularity",
                    "day",
                    "service",
                    "usage_type",
                    "record_type",
                ],
            ),
            models.CheckConstraint(
                name="cost_fact_shape_decides_dimensions",
                condition=Q(shape="USAGE", record_type="") | Q(shape="RECORD", usage_type=""),
            ),
            models.CheckConstraint(
                name="cost_fact_granularity_known",
                condition=Q(granularity="DAILY") | Q(granularity="MONTHLY", day__day=1),
            ),
        ]
        indexes = [models.Index(fields=["shape", "day"])]


class RunStatus(models.TextChoices):
    RUNNING = "RUNNING", "Running"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    FAILED = "FAILED", "Failed"


class IngestRun(models.Model):
    """One attempt to read one window of days from Cost Explorer, and what it was charged.

    `lease_until` is PostgreSQL's time: a run whose worker died is over when it has passed.
    """

    account = models.ForeignKey(Account, models.PROTECT, related_name="cost_runs")
    granularity = models.CharField(max_length=7, choices=Granularity)
    start = models.DateField()
    end = models.DateField(help_text="The first day that was not asked for")
    status = models.CharField(max_length=9, choices=RunStatus, default=RunStatus.RUNNING)
    charged_requests = models.PositiveIntegerField(default=0)
    facts = models.PositiveIntegerField(default=0)
    error = models.TextField(blank=True)
    missing_action = models.CharField(
        max_length=100, blank=True, help_text="The permission AWS found lacking"
    )
    started_at = models.DateTimeField()
    finished_at = models.DateTimeField(null=True, blank=True)
    lease_until = models.DateTimeField(db_default=Now() + LEASE)

    class Meta:
        ordering = ["-started_at", "-id"]
        constraints = [
            models.CheckConstraint(name="ingest_window", condition=Q(start__lt=F("end"))),
            models.CheckConstraint(
                name="ingest_finished_unless_running",
                condition=Q(status="RUNNING", finished_at=None)
                | Q(status__in=["SUCCEEDED", "FAILED"], finished_at__isnull=False),
            ),
            models.UniqueConstraint(
                name="ingest_one_at_a_time", fields=["account"], condition=Q(status="RUNNING")
            ),
        ]
        indexes = [models.Index(fields=["-started_at"])]


def charge(requests: int) -> Decimal:
    """Return what so many charged requests cost, in USD."""
    return requests * USD_PER_REQUEST
