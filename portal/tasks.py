from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.core.management import call_command
from django.utils import timezone

from catalog import audit, schedule


class ChainBroken(Exception):
    """The audit log was changed behind the portal's back."""


@shared_task
def verify_audit(**_: object) -> None:
    """Verify the whole audit log once an hour."""
    job = "catalog.verify_audit"
    if schedule.claim_slot(job=job, every=timedelta(hours=1), at=timezone.now()):
        with schedule.recorded(job):
            if broken := audit.first_broken():
                raise ChainBroken(f"entry {broken.pk}: {broken}")


@shared_task
def clear_sessions(**_: object) -> None:
    """Delete sessions that have run out, once a day."""
    job = "portal.clear_sessions"
    if schedule.claim_slot(job=job, every=timedelta(days=1), at=timezone.now()):
        with schedule.recorded(job):
            call_command("clearsessions")
