"""Periodic jobs that a second beat, or a restarted one, cannot run twice.

A slot counts as taken only by a clock that roughly agrees with ours: after a clock that ran ahead
has been set right, or a job got a longer period, it runs again at once instead of never.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta

from django.db.models import Q
from django.db.models.functions import Now

from catalog.models import JobRun

NAMED = 10
LONGEST_ERROR = 2000  # characters


def claim_slot(*, job: str, every: timedelta, at: datetime) -> bool:
    """Take the period that `at` falls into. False if it has been taken already."""
    slot = int(at.timestamp() // every.total_seconds())
    _, created = JobRun.objects.get_or_create(job=job, defaults={"slot": slot, "started_at": at})
    free = Q(slot__lt=slot) | Q(started_at__lt=at - every) | Q(started_at__gt=at + every)
    return created or bool(
        JobRun.objects.filter(free, job=job).update(slot=slot, started_at=at, finished_at=None)
    )


class PartlyDone(Exception):
    """Some of a job failed, and the rest of it was done all the same.

    :param failures: what failed and why, a sentence each; as many are named as a person reads.
    """

    def __init__(self, failures: Sequence[str]) -> None:
        named = "; ".join(failures[:NAMED])
        more = len(failures) - NAMED
        super().__init__(f"{named}; and {more} more" if more > 0 else named)


@contextmanager
def recorded(job: str) -> Iterator[None]:
    """Write down how the job ended; a failure is recorded and raised, but not `PartlyDone`."""
    try:
        yield
    except PartlyDone as error:
        _failed(job, str(error))
    except Exception as error:
        _failed(job, f"{type(error).__name__}: {error}")
        raise
    else:
        JobRun.objects.filter(job=job).update(finished_at=Now(), succeeded_at=Now(), error="")


def _failed(job: str, error: str) -> None:
    JobRun.objects.filter(job=job).update(
        finished_at=Now(), error=error.replace("\0", "")[:LONGEST_ERROR]
    )
