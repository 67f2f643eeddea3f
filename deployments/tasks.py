from __future__ import annotations

from datetime import timedelta

from celery import shared_task
from django.utils import timezone

from catalog import schedule
from deployments import images, watching


@shared_task
def watch_services(**_: object) -> None:
    """Run by beat: deployments every 15 s, images every minute."""
    at = timezone.now()
    if schedule.claim_slot(job="deployments.watch", every=timedelta(seconds=15), at=at):
        with schedule.recorded("deployments.watch"):
            watching.watch(at=at)
    due = schedule.claim_slot(job="deployments.images", every=timedelta(minutes=1), at=at)
    if due or images.are_missing():
        with schedule.recorded("deployments.images"):
            images.refresh(at=at)


@shared_task
def refresh_images(**_: object) -> None:
    """Rung by the button; does nothing unless somebody asked since the last reading."""
    at = timezone.now()
    if images.wanted_now(at=at):
        images.refresh(at=at)
