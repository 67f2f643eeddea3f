"""The account's past: always the same, consistent with itself and with the releases it shows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.periods import gather
from sandbox.cloudwatch.statistics import parse
from sandbox.history import PRODUCTION, STAGING, History, backing, episodes, releases
from sandbox.history.shape import requests_per_second, requests_per_second_at
from sandbox.history.timeline import minute
from sandbox.measurements import load_balancer_dimension, target_group_dimension
from sandbox.week import busy

EPOCH = datetime(2026, 11, 22, 12, 30, 40, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
BLUE, GREEN = "news-api-blue", "news-api-green"


@pytest.fixture(scope="module")
def history():
    return History(EPOCH)


def alb(name, group=None, load_balancer="news-production"):
    dimensions = {"LoadBalancer": load_balancer_dimension(load_balancer)}
    if group:
        dimensions["TargetGroup"] = target_group_dimension(group)
    return Metric.of("AWS/ApplicationELB", name, **dimensions)


def ecs(name, cluster="production", service="news-api"):
    return Metric.of("AWS/ECS", name, ClusterName=cluster, ServiceName=service)


def read(history, metric, start, end, step=1):
    return history.read(metric, minute(start), minute(end), step)


def total(history, metric, start, end):
    return read(history, metric, start, end).total.sum()


def of_kind(kind):
    return [episode for episode in episodes(EPOCH) if episode.kind == kind]


def test_the_past_is_the_same_every_time(history):
    again = History(EPOCH)

    for metric in (alb("RequestCount"), alb("TargetResponseTime", BLUE), ecs("CPUUtilization")):
        first = read(history, metric, EPOCH - DAY, EPOCH)
        second = read(again, metric, EPOCH - DAY, EPOCH)
        assert np.array_equal(first.total, second.total)
        assert np.array_equal(first.buckets.weight, second.buckets.weight)


def test_a_part_of_the_past_is_a_part_of_the_whole(history):
    whole = read(history, alb("TargetResponseTime", BLUE), EPOCH - DAY, EPOCH)
    part = read(history, alb("TargetResponseTime", BLUE), EPOCH - 3 * HOUR, EPOCH - HOUR)

    inside = np.isin(whole.minute, part.minute)
    assert len(part) == 120
    assert np.array_equal(whole.total[inside], part.total)


def test_the_past_ends_at_the_epoch(history):
    for metric in history.metrics():
        points = read(history, metric, EPOCH - HOUR, EPOCH + HOUR)
        assert (points.minute < minute(EPOCH)).all()


def test_every_metric_has_a_past_of_two_weeks(history):
    for metric in history.metrics():
        points = read(history, metric, EPOCH - 14 * DAY, EPOCH)
        whole = metric.namespace != "AWS/ApplicationELB"
        assert len(points) >= (14 * 1440 - 7 if whole else 1), metric


def test_percentiles_lie_in_their_order_every_minute(history):
    points = read(history, alb("TargetResponseTime", BLUE), EPOCH - DAY, EPOCH)
    periods = gather(points, minute(EPOCH - DAY), 1)

    p50, p90, p99, most = (parse(name)(periods) for name in ("p50", "p90", "p99", "Maximum"))

    assert len(p50) == 1440
    assert (p50 <= p90).all()
    assert (p90 <= p99).all()
    assert (p99 <= most).all()


def test_a_trimmed_count_never_exceeds_the_sample_count(history):
    points = read(history, alb("TargetResponseTime", BLUE), EPOCH - 7 * DAY, EPOCH)
    periods = gather(points, minute(EPOCH - 7 * DAY), 10)

    quick, all_requests = parse("TC(:0.3)")(periods), parse("SampleCount")(periods)

    assert (quick <= all_requests).all()
    assert (quick < 0.95 * all_requests).any()


def test_every_request_has_one_response_time_and_one_status(history):
    start, end = EPOCH - DAY, EPOCH

    requests = total(history, alb("RequestCount", BLUE), start, end)
    timed = read(history, alb("TargetResponseTime", BLUE), start, end).count.sum()
    codes = sum(
        total(history, alb(f"HTTPCode_Target_{code}_Count", BLUE), start, end)
        for code in ("2XX", "3XX", "4XX", "5XX")
    )

    assert requests == timed == codes


def test_the_load_balancer_counts_what_its_target_groups_count(history):
    start = releases(EPOCH)[-2].created_at - HOUR
    end = start + 3 * HOUR

    groups = [total(history, alb("RequestCount", group), start, end) for group in (BLUE, GREEN)]

    assert min(groups) > 0
    assert total(history, alb("RequestCount"), start, end) == sum(groups)
    both = read(history, alb("TargetResponseTime"), start, end)
    assert both.count.sum() == sum(groups)
    assert both.buckets.weight.sum() == sum(groups)


def test_errors_are_missing_where_there_were_none(history):
    errors = read(history, alb("HTTPCode_Target_5XX_Count", BLUE), EPOCH - DAY, EPOCH)

    assert 0 < len(errors) < 1440
    assert (errors.total >= 1).all()


def test_exactly_one_group_has_traffic_outside_of_releases(history):
    quiet = np.ones(12 * 1440, dtype=bool)
    start = EPOCH.replace(hour=0, minute=0, second=0) - 12 * DAY
    for episode in [*of_kind("release"), *of_kind("rollback"), *of_kind("gap")]:
        begin = max(minute(episode.start) - minute(start), 0)
        quiet[begin : max(minute(episode.end) - minute(start), 0)] = False
    served = []
    for group in (BLUE, GREEN):
        has = np.zeros(len(quiet), dtype=int)
        points = read(history, alb("RequestCount", group), start, start + 12 * DAY)
        has[points.minute - minute(start)] = 1
        served.append(has)

    assert (sum(served)[quiet] == 1).all()


def test_the_newest_release_runs_on_blue(history):
    for environment in (PRODUCTION, STAGING):
        newest = [one for one in releases(EPOCH) if one.cluster == environment.cluster]
        newest = [one for one in newest if one.service == "news-api"][-1]
        assert (newest.image_tag, newest.target_group) == ("1.4.0", environment.blue)
        balancer = environment.load_balancer
        metric = alb("RequestCount", environment.blue, balancer)
        assert len(read(history, metric, EPOCH - HOUR, EPOCH)) == 60
        metric = alb("RequestCount", environment.green, balancer)
        assert len(read(history, metric, EPOCH - HOUR, EPOCH)) == 0


def test_a_canary_receives_a_tenth_of_the_requests(history):
    (release,) = [one for one in releases(EPOCH) if one.image_tag == "1.3.4"][1:]
    other = BLUE if release.target_group == GREEN else GREEN
    start = release.created_at + timedelta(minutes=3)
    end = start + timedelta(minutes=10)

    canary = total(history, alb("RequestCount", release.target_group), start, end)
    stable = total(history, alb("RequestCount", other), start, end)

    assert canary / (canary + stable) == pytest.approx(0.1, abs=0.01)
    assert len(read(history, alb("RequestCount", other), end, end + HOUR)) == 0


def test_the_bad_release_failed_its_canary_and_was_rolled_back(history):
    (rollback,) = of_kind("rollback")
    (release,) = [one for one in releases(EPOCH) if one.status == "ROLLBACK_SUCCESSFUL"]
    errors = alb("HTTPCode_Target_5XX_Count", release.target_group)

    failed = total(history, errors, rollback.start, rollback.end)

    requests = total(
        history, alb("RequestCount", release.target_group), rollback.start, rollback.end
    )
    assert failed > 0.05 * requests > 0
    after = read(
        history,
        alb("RequestCount", release.target_group),
        rollback.end,
        rollback.end + HOUR,
    )
    assert len(after) == 0


def test_container_insights_count_the_tasks_of_a_release(history):
    release = of_kind("release")[-2]
    middle = release.start + timedelta(minutes=10)
    names = {"ClusterName": "production", "ServiceName": "news-api"}

    counted = {
        name: read(
            history,
            Metric.of("ECS/ContainerInsights", name, **names),
            middle,
            middle + timedelta(minutes=1),
        ).total.tolist()
        for name in ("RunningTaskCount", "DesiredTaskCount", "PendingTaskCount", "DeploymentCount")
    }

    assert counted == {
        "RunningTaskCount": [4.0],
        "DesiredTaskCount": [2.0],
        "PendingTaskCount": [0.0],
        "DeploymentCount": [2.0],
    }


def test_twice_the_tasks_run_during_a_release(history):
    release = of_kind("release")[-2]
    middle = release.start + timedelta(minutes=10)

    during = read(history, ecs("CPUUtilization"), middle, middle + timedelta(minutes=1))
    before = read(history, ecs("CPUUtilization"), release.start - HOUR, release.start)

    assert during.count.tolist() == [4.0]
    assert set(before.count.tolist()) == {2.0}


def test_the_slow_database_shows_in_the_latency_and_in_rds(history):
    (incident,) = of_kind("slow-database")
    begin, end = incident.start + timedelta(minutes=6), incident.end - timedelta(minutes=6)
    latency = read(history, alb("TargetResponseTime"), begin, end)
    usual = read(history, alb("TargetResponseTime"), begin - DAY, end - DAY)
    load = read(history, Metric.of("AWS/RDS", "DBLoad", DBInstanceIdentifier="news-production"),
                begin, end)  # fmt: skip

    slow, fast = (
        parse("p50")(gather(points, int(points.minute[0]), 60))[0] for points in (latency, usual)
    )

    assert slow > 10 * fast
    assert load.low.min() > 4


def test_the_surge_brings_three_times_the_requests(history):
    (surge,) = of_kind("surge")
    begin, end = surge.start + timedelta(minutes=10), surge.end - timedelta(minutes=10)

    during = total(history, alb("RequestCount"), begin, end)

    before = total(history, alb("RequestCount"), begin - DAY, end - DAY)
    assert during / before == pytest.approx(3.2, abs=0.4)


def test_the_gap_has_no_data_at_all(history):
    (gap,) = of_kind("gap")

    assert gap.end - gap.start == timedelta(minutes=7)
    for metric in history.metrics():
        assert len(read(history, metric, gap.start, gap.end)) == 0


def test_old_data_add_up_about_as_the_minutes_do(history):
    start, end = EPOCH.replace(hour=0, minute=0, second=0) - 6 * DAY, EPOCH - 2 * DAY

    fine = total(history, alb("RequestCount"), start, end)

    for step in (5, 60):
        coarse = read(history, alb("RequestCount"), start, end, step).total.sum()
        assert coarse == pytest.approx(fine, rel=0.05)


def test_455_days_of_hours_are_there(history):
    points = read(history, alb("RequestCount"), EPOCH - 455 * DAY, EPOCH, 60)

    assert len(points) == pytest.approx(455 * 24, abs=1)


def test_readings_of_the_database_follow_the_same_formula_before_and_after(history):
    metric = Metric.of("AWS/RDS", "CPUUtilization", DBInstanceIdentifier="news-production")
    past = read(history, metric, EPOCH - HOUR, EPOCH)
    rate = np.full(60, requests_per_second_at(PRODUCTION, EPOCH))

    later = backing.readings(
        metric,
        np.arange(minute(EPOCH), minute(EPOCH) + 60),
        requests_per_second=rate,
        strain=np.zeros(60),
        epoch=minute(EPOCH),
    )

    assert later.mean() == pytest.approx(past.total.mean(), rel=0.1)


def test_the_traffic_goes_on_in_the_shape_of_the_past():
    for hour in range(0, 7 * 24, 5):
        moment = EPOCH + hour * HOUR
        expected = requests_per_second_at(PRODUCTION, moment)
        assert 15 * busy(moment.timestamp()) == pytest.approx(expected, rel=0.01)


def test_releases_are_in_order_and_over_before_the_epoch():
    found = releases(EPOCH)

    assert found == sorted(found, key=lambda release: release.created_at)
    for cluster, service in {(one.cluster, one.service) for one in found}:
        own = [one for one in found if (one.cluster, one.service) == (cluster, service)]
        revisions = [one.task_definition_revision for one in own]
        assert revisions == list(range(2, 2 + len(own)))
        assert all(one.created_at < one.finished_at < EPOCH for one in own)


def test_no_hour_of_the_week_begins_with_a_step():
    minutes = int(EPOCH.timestamp() // 60) + np.arange(7 * 1440)

    rates = requests_per_second(PRODUCTION, minutes)

    assert np.abs(np.diff(rates) / rates[1:]).max() < 0.005
    assert rates.max() / rates.min() > 3
