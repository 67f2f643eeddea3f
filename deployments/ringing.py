"""Has a release looked at soon. The row carries the work; a bell that cannot ring costs seconds."""

from __future__ import annotations

import logging
import threading

from celery import Task
from kombu.exceptions import OperationalError

from aws.ecs import deployments as ecs
from catalog import usage, work
from catalog.tasks import OWNER, run_due_operations
from deployments.models import Release
from deployments.operations.moving import KIND, target_of
from deployments.tasks import refresh_images

log = logging.getLogger(__name__)

WARM_UP_AFTER = 3.0  # seconds


def ring() -> None:
    """Wake a worker; beat would come by within two seconds anyway."""
    _ring(run_due_operations)


def ring_for_images() -> None:
    _ring(refresh_images)


def act_now(release: Release) -> None:
    """Carry the click out here, so that neither a dead broker nor a busy worker delays it.

    If a worker is at this release right now, it has been told to look again.
    """
    if not work.run_now(kind=KIND, target=target_of(release), owner=f"web:{OWNER}"):
        ring()
    usage.flush_if_due()


def warm_up() -> None:
    """Make the ECS clients of this process soon, in the background.

    The first client of a process costs botocore a second of a busy CPU, which must not fall into
    the second in which somebody rolls back, nor into the first page. Nothing is sent.
    """
    soon = threading.Timer(WARM_UP_AFTER, _make_clients)
    soon.daemon = True
    soon.start()


def _make_clients() -> None:
    ecs.changer()
    ecs.reader()


def _ring(task: Task[[], None]) -> None:
    try:
        task.delay()
    except OperationalError as error:
        log.warning("the broker does not answer: %s", error)
