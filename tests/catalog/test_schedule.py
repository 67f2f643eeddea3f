"""Which of many bells a periodic job hears."""

from __future__ import annotations

from datetime import timedelta

import pytest

from catalog import schedule
from tests.make import NOON

pytestmark = pytest.mark.django_db

QUARTER = timedelta(seconds=15)


def claimed(after: timedelta = timedelta(0), every: timedelta = QUARTER) -> bool:
    return schedule.claim_slot(job="test", every=every, at=NOON + after)


def test_a_slot_is_taken_once_however_many_beats_ring():
    first, second = claimed(), claimed(after=timedelta(seconds=14))

    assert (first, second) == (True, False)


def test_the_next_slot_is_free():
    claimed()

    assert claimed(after=QUARTER)


def test_a_late_bell_of_an_older_slot_is_not_heard():
    claimed(after=QUARTER)

    assert not claimed(after=timedelta(seconds=14))


def test_a_clock_that_ran_an_hour_ahead_stops_nothing_once_it_is_set_right():
    claimed(after=timedelta(hours=1))

    assert claimed()


def test_a_job_that_is_to_run_less_often_still_runs():
    claimed(every=QUARTER)

    late = claimed(after=timedelta(minutes=11), every=timedelta(minutes=10))

    assert late


def test_how_a_run_failed_is_kept_and_raised():
    claimed()

    with pytest.raises(ValueError, match="broken"), schedule.recorded("test"):
        raise ValueError("broken\0")

    assert schedule.JobRun.objects.get().error == "ValueError: broken"


def test_a_run_that_did_most_of_its_work_fails_without_a_fuss():
    claimed()

    with schedule.recorded("test"):
        raise schedule.PartlyDone(["blue: no answer", "green: denied"])

    job = schedule.JobRun.objects.get()
    assert job.error == "blue: no answer; green: denied"
    assert (job.succeeded_at, job.finished_at is None) == (None, False)


def test_of_many_failures_some_are_named_and_the_others_counted():
    failures = [f"service-{number}: no" for number in range(schedule.NAMED + 3)]

    assert str(schedule.PartlyDone(failures)).endswith("service-9: no; and 3 more")
