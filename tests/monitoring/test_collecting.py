from __future__ import annotations

from datetime import timedelta

import pytest

from aws import cloudwatch, errors
from aws.cloudwatch import MetricSeries, Status
from catalog import usage
from catalog.models import AwsUsage
from monitoring import operations, timeseries
from monitoring.models import Collection
from tests import make
from tests.monitoring.clouds import MINUTE, first_minutes

pytestmark = pytest.mark.django_db

AT = make.NOON + timedelta(seconds=20)
SECOND = timedelta(seconds=1)


def test_a_new_service_is_read_at_once_and_again_a_minute_later(cloud):
    service = make.service()

    assert operations.collect(at=AT) == 1
    assert operations.collect(at=AT + 15 * SECOND) == 0
    assert operations.collect(at=AT + 60 * SECOND) == 1

    assert first_minutes(service, make.NOON - MINUTE, 2) == [1.0, 1.0]


def test_a_watched_service_is_read_every_15_seconds_until_then(cloud, time_machine):
    service = make.service()
    time_machine.move_to(AT, tick=False)
    operations.watch_closely(service=service, until=AT + 40 * SECOND)

    read = [operations.collect(at=AT + step * 15 * SECOND) for step in range(9)]

    assert read == [1, 1, 1, 1, 0, 0, 0, 1, 0]


def test_watching_until_an_earlier_time_changes_nothing(time_machine):
    service = make.service()
    time_machine.move_to(AT, tick=False)
    operations.watch_closely(service=service, until=AT + 60 * SECOND)
    operations.watch_closely(service=service, until=AT + 30 * SECOND)

    assert Collection.objects.get().watched_until == AT + 60 * SECOND


def test_the_running_minute_is_read_and_corrected_later(cloud):
    service = make.service()
    cloud.put("RequestCount", make.NOON, 3)
    operations.collect(at=AT)
    before = first_minutes(service, make.NOON, 1)

    cloud.put("RequestCount", make.NOON, 11)
    operations.collect(at=AT + 60 * SECOND)

    assert before == [3.0]
    assert first_minutes(service, make.NOON, 1) == [11.0]


def test_a_reading_begins_a_quarter_of_an_hour_before_what_is_settled(cloud):
    make.service()
    operations.collect(at=AT)
    operations.collect(at=AT + 60 * SECOND)

    _, start, end, period = cloud.asked[-1]
    assert start == make.NOON - 25 * MINUTE
    assert end == make.NOON + 2 * MINUTE
    assert period == 60


@pytest.mark.parametrize("status", [Status.PARTIAL_DATA, Status.INTERNAL_ERROR])
def test_an_unfinished_answer_keeps_the_watermark(cloud, status):
    service = make.service()
    operations.collect(at=AT)
    settled = Collection.objects.get().watermark
    cloud.statuses["RequestCount"] = status

    operations.collect(at=AT + 60 * SECOND)

    collection = Collection.objects.get()
    assert settled == make.NOON - 10 * MINUTE
    assert collection.watermark == settled
    assert "3 of 34 series in part" in collection.error
    assert first_minutes(service, make.NOON, 1) == [1.0]


def test_throttling_keeps_the_watermark_and_pauses(cloud):
    make.service()
    operations.collect(at=AT)
    settled = Collection.objects.get().watermark
    cloud.error = errors.Throttled("cloudwatch:GetMetricData: Rate exceeded")

    operations.collect(at=AT + 60 * SECOND)

    collection = Collection.objects.get()
    assert collection.watermark == settled
    assert collection.failures == 1
    assert "Rate exceeded" in collection.error
    pause = collection.due_at - AT - 60 * SECOND
    assert timedelta(0) <= pause <= timedelta(seconds=30)


def test_after_throttling_no_further_request_is_made_in_that_tick(cloud):
    for number in range(20):
        make.service(name=f"service-{number}")
    cloud.error = errors.Throttled("Rate exceeded")

    operations.collect(at=AT)

    assert len(cloud.asked) == 1


def test_a_failed_request_does_not_keep_other_services_from_being_read(cloud):
    for number in range(20):
        make.service(name=f"service-{number}")
    cloud.error = errors.Unreachable("no answer")

    operations.collect(at=AT)

    assert len(cloud.asked) == 2
    assert Collection.objects.filter(failures=1).count() == 20


def test_success_clears_the_error(cloud):
    make.service()
    cloud.error = errors.Unreachable("no answer")
    operations.collect(at=AT)
    cloud.error = None

    operations.collect(at=AT + 60 * SECOND)

    collection = Collection.objects.get()
    assert (collection.error, collection.failures) == ("", 0)


def test_a_request_holds_whole_services_and_at_most_500_series(cloud):
    for number in range(20):
        make.service(name=f"service-{number}")

    assert operations.collect(at=AT) == 20

    sizes = [len(queries) for queries, *_ in cloud.asked]
    assert sizes == [14 * 34, 6 * 34]


def test_every_metric_asked_for_is_counted_as_usage(cloud):
    make.service()
    usage.flush()
    AwsUsage.objects.all().delete()

    operations.collect(at=AT)
    usage.flush()

    assert AwsUsage.objects.get(operation="GetMetricData").metrics == 34


def test_a_service_that_is_gone_is_not_read(cloud):
    make.service(gone_at=AT)

    assert operations.collect(at=AT) == 0


def test_a_database_and_a_cache_are_read_with_their_service(cloud):
    make.service(db_instance="news-production", cache_cluster="news-production-001")

    operations.collect(at=AT)

    [queries, *_] = cloud.asked[0]
    dimensions = {query.namespace: dict(query.dimensions) for query in queries}
    assert dimensions["AWS/RDS"] == {"DBInstanceIdentifier": "news-production"}
    assert dimensions["AWS/ElastiCache"] == {
        "CacheClusterId": "news-production-001",
        "CacheNodeId": "0001",
    }


def test_the_overview_gets_the_last_hour_of_complete_minutes(cloud):
    service = make.service()

    operations.collect(at=AT)

    now = timeseries.newest(service.pk)[service.pk]
    assert now.start == make.NOON - 60 * MINUTE
    assert now.golden.shape[0] == 60


def test_after_a_long_silence_the_newest_minutes_come_first_and_history_reopens(cloud):
    make.service()
    operations.collect(at=AT)
    Collection.objects.update(backfilled_to=AT.date() - timedelta(days=14))
    later = AT + timedelta(days=2)

    operations.collect(at=later)

    _, start, *_ = cloud.asked[-1]
    collection = Collection.objects.get()
    assert start == make.NOON + timedelta(days=2) - timedelta(hours=3)
    assert collection.backfilled_to is None
    assert collection.backfill_floor == AT.date()


def test_a_reading_leaves_alone_what_the_backfill_reached_meanwhile(cloud, monkeypatch):
    make.service()
    operations.collect(at=AT)
    reached = AT.date() - timedelta(days=3)
    answer = cloud.get_metric_data

    def meanwhile(queries, **window):
        Collection.objects.update(backfilled_to=reached)
        return answer(queries, **window)

    monkeypatch.setattr(cloudwatch, "get_metric_data", meanwhile)

    operations.collect(at=AT + 60 * SECOND)

    assert Collection.objects.get().backfilled_to == reached


def test_weeks_of_failures_are_still_counted(cloud):
    make.service()
    operations.collect(at=AT)
    Collection.objects.update(failures=32_767, due_at=AT)
    cloud.error = errors.Unreachable("no answer")

    operations.collect(at=AT)

    assert Collection.objects.get().error == "no answer"


def test_compaction_closes_yesterday_only_once(cloud):
    make.service()
    operations.collect(at=AT)
    for _ in range(2):
        operations.backfill(at=AT)

    # Yesterday and the day before are held as hours; older days went straight into their row.
    assert operations.compact(at=AT) == 2
    assert operations.compact(at=AT) == 0


def _spoiled(queries):
    return any(("ServiceName", "service-0") in query.dimensions for query in queries)


def _garbled(answers):
    raise errors.Garbled("cloudwatch:GetMetricData: the answer was cut short, Id is missing.")


def _of_words(answers):
    return [MetricSeries(answer.timestamps, ["many"] * len(answer.values)) for answer in answers]


@pytest.mark.parametrize("spoil", [_garbled, _of_words])
def test_a_service_that_spoils_the_answer_of_all_fails_alone(cloud, monkeypatch, spoil):
    for number in range(16):
        make.service(name=f"service-{number}")
    answer = cloud.get_metric_data

    def spoiling(queries, **window):
        answers = answer(queries, **window)
        return spoil(answers) if _spoiled(queries) else answers

    monkeypatch.setattr(cloudwatch, "get_metric_data", spoiling)

    assert operations.collect(at=AT) == 15

    failed = Collection.objects.exclude(error="").get()
    assert failed.service.name == "service-0"
    assert (failed.failures, failed.collected_at) == (1, None)
    # Two requests for all, and one for each of those that were asked together with it.
    assert len(cloud.asked) == 2 + 14


def test_throttling_ends_the_reading_of_each_alone(cloud, monkeypatch):
    for number in range(3):
        make.service(name=f"service-{number}")
    throttled = errors.Throttled("cloudwatch:GetMetricData: Rate exceeded")
    refusals = iter([errors.Garbled("no Id"), throttled])
    asked = []

    def refuse(queries, **window):
        asked.append(len(queries))
        raise next(refusals)

    monkeypatch.setattr(cloudwatch, "get_metric_data", refuse)

    assert operations.collect(at=AT) == 0

    assert asked == [3 * 34, 34]
    assert Collection.objects.get(failures=1).error == str(throttled)
