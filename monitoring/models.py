from __future__ import annotations

from datetime import datetime, timedelta
from typing import ClassVar

from django.db import models
from django.db.models import F, Q

from catalog.models import Service

BETWEEN_READS = timedelta(seconds=60)
BETWEEN_WATCHED_READS = timedelta(seconds=15)
# Two readings in a row that did not happen make the numbers on a page old.
STALE_AFTER = timedelta(minutes=3)


class CollectionQuerySet(models.QuerySet["Collection"]):
    def due(self, at: datetime) -> CollectionQuerySet:
        """Collections of present services that are to be read now, the longest waiting first."""
        return self.filter(due_at__lte=at, service__gone_at=None).order_by("due_at", "pk")

    def awaiting_history(self, at: datetime) -> CollectionQuerySet:
        """Collections whose past has not been read down to its first day, and may be read now."""
        may = Q(backfill_due_at=None) | Q(backfill_due_at__lte=at)
        return self.filter(may, service__gone_at=None).exclude(
            backfilled_to__isnull=False, backfilled_to__lte=F("backfill_floor")
        )


class Collection(models.Model):
    """How far the metrics of one service have been read from CloudWatch, and what went wrong."""

    service = models.OneToOneField(Service, models.CASCADE, related_name="collection")
    due_at = models.DateTimeField(db_index=True)
    watched_until = models.DateTimeField(
        null=True, blank=True, help_text="Read every 15 s until then"
    )
    watermark = models.DateTimeField(
        null=True, blank=True, help_text="Everything before is in the store and settled"
    )
    collected_at = models.DateTimeField(null=True, blank=True)
    failures = models.PositiveSmallIntegerField(default=0, help_text="Since the last success")
    failed_at = models.DateTimeField(null=True, blank=True)
    error = models.TextField(blank=True)
    backfill_floor = models.DateField(help_text="The first UTC day of history wanted")
    backfilled_to = models.DateField(
        null=True, blank=True, help_text="The earliest UTC day read so far; null before the first"
    )

    backfill_due_at = models.DateTimeField(
        null=True, blank=True, help_text="After a day that could not be read: when to try again"
    )
    backfill_error = models.TextField(blank=True)

    objects: ClassVar[models.Manager[Collection]] = CollectionQuerySet.as_manager()

    def __str__(self) -> str:
        return f"metrics of {self.service_id}"

    def is_watched(self, at: datetime) -> bool:
        return self.watched_until is not None and self.watched_until > at

    def is_stale(self, at: datetime) -> bool:
        return self.collected_at is None or at - self.collected_at > STALE_AFTER
