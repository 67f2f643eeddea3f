from __future__ import annotations

from celery import shared_task
from django.utils import timezone

from costs import operations


@shared_task
def ingest_costs(**_: object) -> None:
    """Rung every 300 s; reads what is due, which on most days is one window."""
    while operations.ingest(at=timezone.now()):
        pass
