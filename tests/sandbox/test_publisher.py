"""The publisher: samples of the fleet become the minutes that AWS would have published."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sandbox import clock
from sandbox import publisher as publisher_module
from sandbox.alb.metrics import Book
from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.service import CloudWatch
from sandbox.measurements import (
    ServiceSample,
    TargetHealthSample,
    TaskSample,
    load_balancer_dimension,
    target_group_dimension,
)
from sandbox.publisher import Publisher
from tests.sandbox.account import LIMIT

MINUTE = datetime(2026, 11, 22, 12, 30, tzinfo=UTC)
EPOCH = MINUTE - timedelta(minutes=10)
NOW = MINUTE.timestamp()
BALANCER = load_balancer_dimension("news-production")
BLUE = target_group_dimension("news-api-blue")
GREEN = target_group_dimension("news-api-green")
NOTHING = {"run": "", "minutes": [], "active_connections": {}}


@pytest.fixture
def cloudwatch(tmp_path):
    service = CloudWatch(tmp_path, EPOCH, clock=lambda: MINUTE + timedelta(minutes=5))
    yield service
    service.close()


@pytest.fixture
def publisher(cloudwatch):
    return Publisher(cloudwatch)


def task(name="a", cpu_seconds=0.0, rss_mib=100, service="news-api"):
    return TaskSample("production", service, name, 512, 1024, cpu_seconds, rss_mib * 2**20)


def measured(book, since=0):
    return {"run": book.run, "minutes": book.since(since), "active_connections": {BALANCER: 3}}


def answered(book, times, *, group=BLUE, at=NOW, **counts):
    """Let a target group answer with these response times (seconds)."""
    counted = book.at(at, BALANCER, group)
    for seconds in times:
        counted.time(seconds)
    counted.counts.update({"requests": len(times), "bytes": 1000 * len(times), **counts})


def value(cloudwatch, namespace, name, statistic, minute=MINUTE, **dimensions):
    """One statistic of one minute, None where there is no data."""
    pairs = [{"Name": key, "Value": dimension} for key, dimension in dimensions.items()]
    metric = {"Namespace": namespace, "MetricName": name, "Dimensions": pairs}
    stat = {"Metric": metric, "Period": 60, "Stat": statistic}
    found = asyncio.run(
        cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
            StartTime=minute,
            EndTime=minute + timedelta(minutes=1),
        )
    )["MetricDataResults"][0]["Values"]
    return found[0] if found else None


def alb(cloudwatch, name, statistic="Sum", group=BLUE, **options):
    groups = {"TargetGroup": group} if group else {}
    return value(
        cloudwatch,
        "AWS/ApplicationELB",
        name,
        statistic,
        LoadBalancer=BALANCER,
        **groups,
        **options,
    )


def ecs(cloudwatch, name, statistic, service="news-api", **options):
    return value(
        cloudwatch,
        "AWS/ECS",
        name,
        statistic,
        ClusterName="production",
        ServiceName=service,
        **options,
    )


def test_requests_are_counted_by_target_group_and_by_load_balancer(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01] * 9, target_2xx=8, target_5xx=1)
    answered(book, [0.02] * 1, group=GREEN, target_2xx=1)

    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])

    assert alb(cloudwatch, "RequestCount") == 9
    assert alb(cloudwatch, "RequestCount", group=GREEN) == 1
    assert alb(cloudwatch, "RequestCount", group=None) == 10
    assert alb(cloudwatch, "HTTPCode_Target_5XX_Count") == 1
    assert alb(cloudwatch, "HTTPCode_Target_2XX_Count", group=None) == 9
    assert alb(cloudwatch, "ProcessedBytes", group=None) == 10_000


def test_errors_that_did_not_happen_are_missing(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01], target_2xx=1)

    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])

    assert alb(cloudwatch, "HTTPCode_Target_5XX_Count") is None
    assert alb(cloudwatch, "HTTPCode_ELB_5XX_Count", group=None) is None
    assert alb(cloudwatch, "RejectedConnectionCount", group=None) is None


def test_answers_of_the_load_balancer_itself_are_no_requests(cloudwatch, publisher):
    book = Book()
    answered(book, [], group=None, elb_5xx=4, elb_503=4, requests=4)

    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])

    assert alb(cloudwatch, "HTTPCode_ELB_503_Count", group=None) == 4
    assert alb(cloudwatch, "HTTPCode_ELB_5XX_Count", group=None) == 4
    assert alb(cloudwatch, "RequestCount", group=None) is None


def test_response_times_keep_their_distribution(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01] * 98 + [0.4, 0.9])

    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])

    assert alb(cloudwatch, "TargetResponseTime", "p50") == pytest.approx(0.01, rel=0.02)
    assert alb(cloudwatch, "TargetResponseTime", "p99") == pytest.approx(0.4, rel=0.02)
    assert alb(cloudwatch, "TargetResponseTime", "Maximum") == 0.9
    assert alb(cloudwatch, "TargetResponseTime", "TC(:0.3)") == 98
    assert alb(cloudwatch, "TargetResponseTime", "SampleCount", group=None) == 100


def test_a_minute_is_corrected_until_it_has_settled(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01] * 3)
    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])
    answered(book, [0.01] * 4)

    publisher.publish(now=NOW + 65, report=measured(book), tasks=[], health=[])

    assert alb(cloudwatch, "RequestCount") == 7


def test_requests_per_target_are_divided_by_the_healthy_targets(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01] * 10)
    health = [TargetHealthSample(BALANCER, BLUE, healthy=2, unhealthy=1)]

    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=health)

    asked = "AWS/ApplicationELB", "RequestCountPerTarget", "Sum"
    assert value(cloudwatch, *asked, TargetGroup=BLUE) == 5
    assert value(cloudwatch, *asked, TargetGroup=BLUE, LoadBalancer=BALANCER) == 5


def test_connections_are_reported_where_there_are_any(cloudwatch, publisher):
    report = NOTHING | {"active_connections": {BALANCER: 0}}
    publisher.publish(now=NOW + 5, report=report, tasks=[], health=[])
    nobody = alb(cloudwatch, "ActiveConnectionCount", group=None)

    report = NOTHING | {"active_connections": {BALANCER: 3}}
    publisher.publish(now=NOW + 10, report=report, tasks=[], health=[])

    assert nobody is None
    assert alb(cloudwatch, "ActiveConnectionCount", group=None) == 3


def test_host_counts_are_readings_and_only_of_groups_with_targets(cloudwatch, publisher):
    for second, healthy in ((5, 2), (10, 1), (15, 2)):
        health = [
            TargetHealthSample(BALANCER, BLUE, healthy=healthy, unhealthy=2 - healthy),
            TargetHealthSample(BALANCER, GREEN, healthy=0, unhealthy=0),
        ]
        publisher.publish(now=NOW + second, report=NOTHING, tasks=[], health=health)

    assert alb(cloudwatch, "HealthyHostCount", "Minimum") == 1
    assert alb(cloudwatch, "HealthyHostCount", "Maximum") == 2
    assert alb(cloudwatch, "UnHealthyHostCount", "Maximum") == 1
    assert alb(cloudwatch, "HealthyHostCount", "Minimum", group=GREEN) is None


def test_cpu_is_the_share_of_the_reservation_used_since_the_minute_began(cloudwatch, publisher):
    publisher.publish(now=NOW, report=NOTHING, tasks=[task(cpu_seconds=7.0)], health=[])
    publisher.publish(now=NOW + 5, report=NOTHING, tasks=[task(cpu_seconds=7.5)], health=[])

    publisher.publish(now=NOW + 20, report=NOTHING, tasks=[task(cpu_seconds=9.0)], health=[])

    # Two CPU seconds in twenty seconds of half a vCPU.
    assert ecs(cloudwatch, "CPUUtilization", "Average") == pytest.approx(20.0)


def test_the_sample_count_is_the_number_of_running_tasks(cloudwatch, publisher):
    tasks = [task("a"), task("b"), task("c", rss_mib=300), task("x", service="news-ingest")]
    for second in (0, 5, 10, 15):
        publisher.publish(now=NOW + second, report=NOTHING, tasks=tasks, health=[])

    assert ecs(cloudwatch, "CPUUtilization", "SampleCount") == 3
    assert ecs(cloudwatch, "CPUUtilization", "SampleCount", service="news-ingest") == 1
    assert ecs(cloudwatch, "MemoryUtilization", "SampleCount") == 3
    assert ecs(cloudwatch, "MemoryUtilization", "Maximum") == pytest.approx(300 / 1024 * 100)


def test_what_a_task_used_before_it_was_replaced_counts_in_that_minute(cloudwatch, publisher):
    publisher.publish(now=NOW, report=NOTHING, tasks=[task("old")], health=[])
    publisher.publish(now=NOW + 30, report=NOTHING, tasks=[task("old", 15.0)], health=[])
    publisher.publish(now=NOW + 40, report=NOTHING, tasks=[task("new")], health=[])
    publisher.publish(now=NOW + 50, report=NOTHING, tasks=[task("new", 1.0)], health=[])

    publisher.publish(now=NOW + 70, report=NOTHING, tasks=[task("new", 2.0)], health=[])

    def cpu(statistic, minute=MINUTE):
        return ecs(cloudwatch, "CPUUtilization", statistic, minute=minute)

    assert (cpu("Maximum"), cpu("Minimum"), cpu("SampleCount")) == (100.0, 20.0, 2)
    assert cpu("SampleCount", MINUTE + timedelta(minutes=1)) == 1


def test_services_are_counted_once_a_minute(cloudwatch, publisher):
    for second, running in ((5, 4), (50, 2)):
        sample = ServiceSample("production", "news-api", running, 2, 0, deployments=1)
        publisher.publish(now=NOW + second, report=NOTHING, tasks=[], health=[], services=[sample])

    def counted(name, statistic):
        dimensions = {"ClusterName": "production", "ServiceName": "news-api"}
        return value(cloudwatch, "ECS/ContainerInsights", name, statistic, **dimensions)

    assert counted("RunningTaskCount", "Average") == 2
    assert counted("DesiredTaskCount", "Maximum") == 2
    assert counted("PendingTaskCount", "Sum") == 0
    assert counted("DeploymentCount", "SampleCount") == 1


def test_no_running_task_is_no_data(cloudwatch, publisher):
    publisher.publish(now=NOW, report=NOTHING, tasks=[], health=[])

    assert ecs(cloudwatch, "CPUUtilization", "Average") is None


def test_database_and_cache_follow_the_requests_of_minutes_that_are_over(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01] * 900)
    report = measured(book)

    def database(name):
        return value(cloudwatch, "AWS/RDS", name, "Average", DBInstanceIdentifier="news-production")

    publisher.publish(now=NOW + 30, report=report, tasks=[], health=[])
    assert database("CPUUtilization") is None

    publisher.publish(now=NOW + 65, report=report, tasks=[], health=[])
    assert database("CPUUtilization") == pytest.approx(6.0 + 0.9 * 15, rel=0.25)
    assert database("DBLoad") < 1


def test_after_a_restart_the_load_balancer_is_asked_for_what_is_missing(cloudwatch, publisher):
    book = Book()
    answered(book, [0.01])
    publisher.publish(now=NOW + 5, report=measured(book), tasks=[], health=[])

    assert Publisher(cloudwatch).since(NOW + 300) == int(NOW // 60)
    assert Publisher(cloudwatch).since(NOW + 30) == int(NOW // 60) - 2


def test_a_restart_within_a_minute_loses_none_of_its_requests(cloudwatch, publisher):
    before, after = Book(), Book()
    answered(before, [0.01] * 5)
    publisher.publish(now=NOW + 5, report=measured(before), tasks=[task()], health=[])
    restarted = Publisher(cloudwatch)
    answered(after, [0.01] * 2)
    restarted.publish(now=NOW + 30, report=measured(after), tasks=[task()], health=[])
    answered(after, [0.5] * 1)

    restarted.publish(now=NOW + 35, report=measured(after), tasks=[task()], health=[])

    assert alb(cloudwatch, "RequestCount") == 8
    assert alb(cloudwatch, "RequestCount", group=None) == 8
    assert alb(cloudwatch, "TargetResponseTime", "SampleCount") == 8
    assert alb(cloudwatch, "TargetResponseTime", "p99") == pytest.approx(0.5, rel=0.02)
    assert ecs(cloudwatch, "MemoryUtilization", "SampleCount") == 1


def test_a_load_balancer_killed_alone_loses_no_published_request(cloudwatch, publisher):
    before, after = Book(), Book()
    health = [TargetHealthSample(BALANCER, BLUE, 2, 0)]
    answered(before, [0.01] * 5)
    publisher.publish(now=NOW + 65, report=measured(before), tasks=[], health=health)
    publisher.publish(now=NOW + 70, report=NOTHING, tasks=[], health=health)

    answered(after, [0.02] * 3, at=NOW + 75)
    answered(after, [0.02] * 2)
    for second in (75, 80):
        publisher.publish(now=NOW + second, report=measured(after), tasks=[], health=health)

    assert alb(cloudwatch, "RequestCount") == 7
    assert alb(cloudwatch, "RequestCount", minute=MINUTE + timedelta(minutes=1)) == 3
    assert (
        alb(cloudwatch, "HealthyHostCount", "SampleCount", minute=MINUTE + timedelta(minutes=1))
        == 4
    )


def test_nothing_before_the_epoch_is_asked_for(publisher):
    assert publisher.since(EPOCH.timestamp()) == int(EPOCH.timestamp() // 60)


def test_a_load_balancer_that_does_not_answer_does_not_end_the_publisher(
    cloudwatch, monkeypatch, caplog
):
    monkeypatch.setattr(publisher_module, "_SHORTEST_SECONDS", 0.01)
    monkeypatch.setattr(publisher_module, "INTERVAL_SECONDS", 0.01)
    asked = asyncio.Event()

    class Fleet:
        def task_samples(self):
            return [task()]

    async def silent(_since):
        if caplog.records:
            asked.set()
        raise ConnectionRefusedError("not yet")

    async def until_asked_twice():
        running = asyncio.create_task(publisher_module.run(cloudwatch, silent, Fleet(), list, list))
        await asyncio.wait_for(asked.wait(), LIMIT)
        running.cancel()

    asyncio.run(until_asked_twice())

    memory = Metric.of(
        "AWS/ECS", "MemoryUtilization", ClusterName="production", ServiceName="news-api"
    )
    assert cloudwatch.last_minute(memory) is not None


def test_a_load_balancer_that_is_slow_does_not_hold_up_the_tasks_metrics(cloudwatch, monkeypatch):
    monkeypatch.setattr(publisher_module, "_SHORTEST_SECONDS", 0.01)
    monkeypatch.setattr(publisher_module, "INTERVAL_SECONDS", 0.01)
    book, now = Book(), clock.time()
    answered(book, [0.01] * 3, at=now)
    asked, samples = [], []

    async def publish_until_asked_twice():
        sampled, again = asyncio.Event(), asyncio.Event()

        class Fleet:
            def task_samples(self):
                samples.append(task())
                if len(samples) == 3:
                    sampled.set()
                return samples[-1:]

        async def slow(since):
            asked.append(since)
            if len(asked) == 2:
                again.set()
            await sampled.wait()
            return measured(book)

        running = asyncio.create_task(publisher_module.run(cloudwatch, slow, Fleet(), list, list))
        await asyncio.wait_for(again.wait(), LIMIT)
        running.cancel()

    asyncio.run(publish_until_asked_twice())

    requests = Metric.of("AWS/ApplicationELB", "RequestCount", LoadBalancer=BALANCER)
    assert cloudwatch.published(requests, int(now // 60)).total == 3
    assert len(samples) >= 3
