from __future__ import annotations

from datetime import timedelta

import pytest

from aws import errors
from catalog.models import JobRun
from monitoring import tasks
from monitoring.models import Collection
from tests import make

pytestmark = pytest.mark.django_db

AT = make.NOON + timedelta(seconds=20)


@pytest.fixture(autouse=True)
def noon(time_machine):
    time_machine.move_to(AT, tick=False)


def test_a_second_beat_reads_nothing(cloud):
    make.service()
    tasks.collect_metrics()
    asked = len(cloud.asked)

    tasks.collect_metrics()

    assert len(cloud.asked) == asked
    assert JobRun.objects.get(job=tasks.COLLECT).succeeded_at is not None


def test_newest_minutes_come_before_history(cloud):
    make.service()

    tasks.collect_metrics()

    assert cloud.asked[0][2] == make.NOON + timedelta(minutes=1)
    assert cloud.asked[1][1] == make.NOON.replace(hour=0)


def test_a_failure_of_the_backfill_is_written_down(cloud):
    make.service()
    cloud.error = errors.Unreachable("no answer")

    tasks.collect_metrics()

    assert "no answer" in JobRun.objects.get(job=tasks.BACKFILL).error
    assert "no answer" in Collection.objects.get().error


def test_compaction_runs_once_in_ten_minutes(cloud, time_machine):
    tasks.compact_metrics()
    first = JobRun.objects.get(job=tasks.COMPACT).started_at
    time_machine.move_to(AT + timedelta(minutes=5), tick=False)

    tasks.compact_metrics()

    assert JobRun.objects.get(job=tasks.COMPACT).started_at == first
