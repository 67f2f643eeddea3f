from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from catalog.schedule import claim_slot, recorded
from monitoring import operations

COLLECT, BACKFILL, COMPACT = "monitoring.collect", "monitoring.backfill", "monitoring.compact"


@shared_task
def collect_metrics(**_: object) -> None:
    """Rung every 15 s: first the newest minutes, then some of the past."""
    at = timezone.now()
    if claim_slot(job=COLLECT, every=timedelta(seconds=15), at=at):
        with recorded(COLLECT):
            operations.collect(at=at)
    if claim_slot(job=BACKFILL, every=timedelta(seconds=15), at=at):
        with recorded(BACKFILL):
            operations.backfill(at=at)


@shared_task
def compact_metrics(**_: object) -> None:
    at = timezone.now()
    if claim_slot(job=COMPACT, every=timedelta(minutes=10), at=at):
        with recorded(COMPACT):
            operations.compact(at=at)
