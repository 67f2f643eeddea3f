"""The store: what it keeps at which resolution, in memory and in its file."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sandbox.cloudwatch import store as store_module
from sandbox.cloudwatch.metrics import Metric, aggregate
from sandbox.cloudwatch.periods import gather
from sandbox.cloudwatch.service import CloudWatch
from sandbox.cloudwatch.source import minute_of
from sandbox.cloudwatch.statistics import parse
from sandbox.cloudwatch.store import Store
from tests.sandbox.cloudwatch.asking import NOW

JOBS = Metric.of("News", "Jobs")
OTHER = Metric.of("News", "Other")
START = 29_000_040


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "metrics.sqlite")
    yield store
    store.close()


def fill(store, minutes, metric=JOBS):
    """One value a minute: the minutes since START."""
    store.add({(metric, m): (aggregate([float(m - START)]), "Count") for m in minutes})


def test_blocks_that_left_the_memory_are_read_again(store, monkeypatch):
    monkeypatch.setattr(store_module, "_BYTES_IN_MEMORY", 1)
    fill(store, range(START, START + 600))
    fill(store, range(START, START + 600), OTHER)

    for metric in (JOBS, OTHER, JOBS):
        points = store.read(metric, START + 50, START + 530)
        assert points.total.tolist() == [float(minute) for minute in range(50, 530)]
        assert parse("p50")(gather(points, START + 50, 480)) == pytest.approx(289.0, rel=0.02)


def test_what_was_read_is_read_anew_after_a_write(store):
    fill(store, range(START, START + 600))
    store.read(JOBS, START, START + 600)

    fill(store, [START + 300, START + 700])

    points = store.read(JOBS, START, START + 800)
    assert len(points) == 601
    assert points.total[300] == 600.0


def test_minutes_become_longer_rows_with_the_same_values(store):
    fill(store, range(START, START + 600))
    before = store.read(JOBS, START, START + 600)

    store.roll_up(5, START + 300)

    after = store.read(JOBS, START, START + 600)
    assert len(before) == 600
    assert len(after) == 60 + 300
    assert after.total.sum() == before.total.sum()
    assert after.count.sum() == before.count.sum()
    for statistic in ("p50", "p99", "TM(10%:90%)"):
        fine, coarse = (parse(statistic)(gather(rows, START, 600)) for rows in (before, after))
        assert coarse == pytest.approx(fine)
    assert (after.low[1], after.high[1]) == (5.0, 9.0)


def test_rolling_up_again_changes_nothing_and_goes_on_where_it_stopped(store):
    fill(store, range(START, START + 600))
    store.roll_up(5, START + 300)
    first = store.read(JOBS, START, START + 600)

    store.roll_up(5, START + 300)
    again = store.read(JOBS, START, START + 600)
    store.roll_up(5, START + 600)

    assert again.total.tolist() == first.total.tolist()
    assert len(store.read(JOBS, START, START + 600)) == 120


def test_rolled_up_rows_survive_a_restart(tmp_path):
    before = Store(tmp_path / "metrics.sqlite")
    fill(before, range(START, START + 60))
    before.roll_up(60, START + 60)
    before.close()

    after = Store(tmp_path / "metrics.sqlite")

    assert after.read(JOBS, START, START + 60).total.tolist() == [sum(range(60))]
    after.close()


def test_what_is_too_old_is_gone_with_its_metric(store):
    fill(store, [START, START + 100])
    fill(store, [START], OTHER)

    store.forget(START + 50)

    assert store.metrics() == {JOBS: START + 100}
    assert store.read(JOBS, START, START + 200).minute.tolist() == [START + 100]


def resolution(service, days_ago, period):
    """How many points of the hour so many days ago can be read."""
    begin = (NOW - timedelta(days=days_ago)).replace(minute=0)
    stat = {"Metric": JOBS.as_dict(), "Period": period, "Stat": "Sum"}
    answer = service.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
        StartTime=begin,
        EndTime=begin + timedelta(hours=1),
    )
    return len(asyncio.run(answer)["MetricDataResults"][0]["Values"])


def test_measured_minutes_are_kept_as_cloudwatch_keeps_them(tmp_path):
    service = CloudWatch(tmp_path, NOW - timedelta(days=500), clock=lambda: NOW)
    for days in (2, 14, 16, 62, 64, 454, 456):
        first = minute_of((NOW - timedelta(days=days)).replace(minute=0))
        service.publish(
            {(JOBS, first + minute): (aggregate([1.0]), "Count") for minute in range(60)}
        )

    service.roll_up()

    read = {
        days: [resolution(service, days, period) for period in (60, 300, 3600)]
        for days in (2, 14, 16, 62, 64, 454, 456)
    }
    assert read == {
        2: [60, 12, 1],
        14: [60, 12, 1],
        16: [0, 12, 1],
        62: [0, 12, 1],
        64: [0, 0, 1],
        454: [0, 0, 1],
        456: [0, 0, 0],
    }
    service.close()


def test_metrics_silent_for_two_weeks_are_not_listed_but_readable(tmp_path):
    service = CloudWatch(tmp_path, NOW - timedelta(days=30), clock=lambda: NOW)
    old = minute_of(NOW - timedelta(days=14, minutes=2))
    service.publish({(OTHER, old): (aggregate([1.0]), "Count")})
    service.publish({(JOBS, old + 5): (aggregate([1.0]), "Count")})

    listed = service.list_metrics(Namespace="News")["Metrics"]

    assert [metric["MetricName"] for metric in listed] == ["Jobs"]
    stat = {"Metric": OTHER.as_dict(), "Period": 60, "Stat": "Sum"}
    answer = service.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
        StartTime=NOW - timedelta(days=14, hours=1),
        EndTime=NOW,
    )
    assert asyncio.run(answer)["MetricDataResults"][0]["Values"] == [1.0]
    service.close()
