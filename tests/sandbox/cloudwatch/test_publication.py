"""The newest minutes: when they are first seen, and how they settle."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloudwatch.metrics import Metric, aggregate
from sandbox.cloudwatch.points import NO_BUCKETS, Points
from sandbox.cloudwatch.publication import Publication
from sandbox.cloudwatch.service import CloudWatch

BEGAN = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
MINUTE = int(BEGAN.timestamp() // 60)
BALANCER = {"LoadBalancer": "app/news-production/1"}
REQUESTS = Metric.of("AWS/ApplicationELB", "RequestCount", **BALANCER)
BYTES = Metric.of("AWS/ApplicationELB", "ProcessedBytes", **BALANCER)
HOSTS = Metric.of("AWS/ApplicationELB", "HealthyHostCount", **BALANCER)
LATENCY = Metric.of("AWS/ApplicationELB", "TargetResponseTime", **BALANCER)
CPU = Metric.of("AWS/ECS", "CPUUtilization", ClusterName="c", ServiceName="s")
DATABASE = Metric.of("AWS/RDS", "CPUUtilization", DBInstanceIdentifier="d")
OWN = Metric.of("News", "Jobs")


def row(count, total=None):
    number = np.array([float(count)])
    whole = number if total is None else np.array([float(total)])
    return Points(np.array([MINUTE]), number, whole, whole / number, whole / number, NO_BUCKETS)


def seen(metric, points, second, publication=None):
    """The sum of a minute's values so many seconds after it began, None before it is seen."""
    publication = publication or Publication()
    found = publication.visible(metric, points, BEGAN + timedelta(seconds=second))
    return found.total[0] if len(found) else None


def test_a_minute_of_requests_is_seen_in_part_and_settles_within_minutes():
    points = row(1000)

    history = [seen(REQUESTS, points, second) for second in (30, 64, 66, 100, 140, 200, 240, 600)]

    assert history[:2] == [None, None]
    assert 500 <= history[2] <= 620
    assert history[2] < history[3] < history[4] < 1000
    assert history[4] >= 950
    assert history[6:] == [1000, 1000]


@pytest.mark.parametrize(
    ("metric", "second"), [(HOSTS, 65), (CPU, 90), (DATABASE, 120), (OWN, 0)], ids=str
)
def test_readings_come_whole_when_they_come(metric, second):
    points = row(1, 42)

    assert seen(metric, points, second) == 42
    if second:
        assert seen(metric, points, second - 1) is None


def test_sums_that_are_one_value_a_minute_grow():
    first, later = (seen(BYTES, row(1, 9000), second) for second in (66, 300))

    assert 4500 < first < 6000
    assert later == 9000


def test_a_single_request_comes_whole_with_the_node_that_served_it():
    minutes = MINUTE - np.arange(1000)[::-1]
    ones = np.ones(1000)
    points = Points(minutes, ones, ones, ones, ones, NO_BUCKETS)
    publication = Publication(factor=1e6)

    # So stretched, every one of these minutes is between its first and its second report.
    found = publication.visible(REQUESTS, points, BEGAN + timedelta(seconds=60 + 10e6))

    assert 0.5 < len(found) / 1000 < 0.65
    assert set(found.total) == {1.0}


@given(st.integers(1, 10_000), st.lists(st.integers(0, 400), min_size=2, max_size=6))
def test_what_is_seen_never_shrinks(count, seconds):
    found = [seen(REQUESTS, row(count), second) or 0 for second in sorted(seconds)]

    assert found == sorted(found)
    assert all(value == int(value) <= count for value in found)


def test_without_delays_a_minute_is_seen_while_it_is_measured():
    assert seen(REQUESTS, row(10), 20, Publication(factor=0)) == 10


def test_an_extra_delay_holds_back_everything():
    publication = Publication(delay=600.0)

    assert seen(OWN, row(1, 7), 600, publication) is None
    assert seen(OWN, row(1, 7), 661, publication) == 7
    assert seen(REQUESTS, row(100), 650, publication) is None
    assert 50 <= seen(REQUESTS, row(100), 666, publication) < 65


@pytest.fixture
def account(tmp_path):
    """An account that began an hour ago, and a clock that the test moves."""
    now = [BEGAN]
    service = CloudWatch(tmp_path, BEGAN - timedelta(hours=1), clock=lambda: now[0])
    yield service, now
    service.close()


def asked(service, metric, statistic):
    stat = {"Metric": metric.as_dict(), "Period": 60, "Stat": statistic}
    answer = service.get_metric_data(
        MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
        StartTime=BEGAN,
        EndTime=BEGAN + timedelta(minutes=1),
    )
    return asyncio.run(answer)["MetricDataResults"][0]["Values"]


def test_a_minute_seen_early_is_corrected_later(account):
    service, now = account
    times = [0.01] * 90 + [0.5] * 10
    service.publish({(LATENCY, MINUTE): (aggregate(times), "Seconds")})

    now[0] = BEGAN + timedelta(seconds=70)
    early = asked(service, LATENCY, "SampleCount")
    p50 = asked(service, LATENCY, "p50")
    now[0] = BEGAN + timedelta(minutes=5)

    assert 50 <= early[0] < 65
    assert p50 == [pytest.approx(0.01, rel=0.02)]
    assert asked(service, LATENCY, "SampleCount") == [100.0]


def test_a_delay_that_ends_shows_what_it_held_back(account):
    service, now = account
    service.publish({(CPU, MINUTE): (aggregate([12.0]), "Percent")})
    now[0] = BEGAN + timedelta(minutes=5)

    service.publication_delay = 900.0
    during = asked(service, CPU, "Average")
    service.publication_delay = 0.0

    assert during == []
    assert asked(service, CPU, "Average") == [12.0]


@given(
    minute=st.integers(MINUTE, MINUTE + 10_000),
    second=st.integers(60, 300),
    requests=st.integers(1, 500),
    share=st.floats(0, 1),
)
def test_no_part_is_ever_more_than_the_whole(minute, second, requests, share):
    errors = Metric.of("AWS/ApplicationELB", "HTTPCode_Target_5XX_Count", **BALANCER)
    now = datetime.fromtimestamp(minute * 60 + second, UTC)

    def visible(metric, number):
        count = np.array([float(number)])
        ones = np.ones(1)
        points = Points(np.array([minute]), count, count, ones, ones, NO_BUCKETS)
        return Publication().visible(metric, points, now).total.sum()

    some = max(1, int(requests * share))
    assert visible(errors, some) <= visible(REQUESTS, requests)
    assert visible(errors, requests) == visible(REQUESTS, requests)
