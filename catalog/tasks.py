from __future__ import annotations

import os
import socket
from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from catalog import discovery, schedule, work

OWNER = f"{socket.gethostname()}:{os.getpid()}"


@shared_task
def run_due_operations(**_: object) -> None:
    """Run by beat every two seconds and nudged by views; does what is due, whoever rang."""
    work.run_due(owner=OWNER)


@shared_task
def discover_services(**_: object) -> None:
    at = timezone.now()
    if schedule.claim_slot(job="catalog.discover", every=timedelta(seconds=30), at=at):
        with schedule.recorded("catalog.discover"):
            discovery.discover(at=at)
