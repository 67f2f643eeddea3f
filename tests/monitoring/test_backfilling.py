"""The past of a service: a day counts as read once CloudWatch has answered all of it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from aws import cloudwatch, errors
from aws.cloudwatch import Status
from catalog.schedule import PartlyDone
from monitoring import operations, timeseries
from monitoring.models import Collection
from monitoring.operations.backfilling import DAYS_A_TICK, PAUSE_AFTER_FAILURE
from tests import make
from tests.aws.stubs import stubbed
from tests.monitoring.clouds import first_minutes

pytestmark = pytest.mark.django_db

AT = make.NOON + timedelta(seconds=20)
TODAY = AT.date()


def days_asked(cloud):
    return [start.date() for _, start, *_ in cloud.asked]


def test_history_is_read_newest_day_first_and_resumes(cloud):
    service = make.service()
    operations.collect(at=AT)
    cloud.asked.clear()

    assert operations.backfill(at=AT) == DAYS_A_TICK
    assert operations.backfill(at=AT) == 7
    assert operations.backfill(at=AT) == 0

    days = [start.date() for _, start, *_ in cloud.asked]
    assert days == [AT.date() - timedelta(days=age) for age in range(15)]
    assert first_minutes(service, make.NOON - timedelta(days=13), 2) == [1.0, 1.0]


def test_a_failed_day_of_history_is_read_again(cloud):
    make.service()
    operations.collect(at=AT)
    operations.backfill(at=AT)
    cloud.error = errors.Unreachable("no answer")
    with pytest.raises(PartlyDone, match="production-news-api: no answer"):
        operations.backfill(at=AT)
    failed = Collection.objects.get().backfill_error
    cloud.error = None
    cloud.asked.clear()

    operations.backfill(at=AT + PAUSE_AFTER_FAILURE)

    assert failed == "no answer"
    assert cloud.asked[0][1].date() == AT.date() - timedelta(days=8)
    assert Collection.objects.get().backfill_error == ""


def test_history_that_is_reopened_while_a_day_is_read_stays_open(cloud, monkeypatch):
    make.service()
    operations.collect(at=AT)
    finished = TODAY - timedelta(days=13)
    Collection.objects.update(backfilled_to=finished)
    answer = cloud.get_metric_data

    def reopening(queries, **window):
        Collection.objects.filter(backfilled_to=finished).update(backfilled_to=None)
        return answer(queries, **window)

    monkeypatch.setattr(cloudwatch, "get_metric_data", reopening)

    operations.backfill(at=AT)

    days = [start.date() for _, start, *_ in cloud.asked[1:]]
    assert days[:2] == [finished - timedelta(days=1), AT.date()]


@pytest.fixture
def collection(db):
    service = make.service()
    return Collection.objects.create(
        service=service, due_at=AT, backfill_floor=TODAY - timedelta(days=3)
    )


@pytest.mark.parametrize("status", [Status.PARTIAL_DATA, Status.INTERNAL_ERROR])
def test_a_day_that_was_answered_in_part_is_read_again(cloud, collection, status):
    cloud.statuses["RequestCount"] = status
    with pytest.raises(PartlyDone, match="3 of 34 series in part"):
        operations.backfill(at=AT)
    collection.refresh_from_db()
    partly = collection.backfilled_to, collection.backfill_error
    cloud.statuses.clear()
    cloud.asked.clear()

    operations.backfill(at=AT + PAUSE_AFTER_FAILURE)

    assert partly == (None, f"{TODAY}: CloudWatch answered 3 of 34 series in part.")
    assert days_asked(cloud) == [TODAY - timedelta(days=age) for age in range(4)]
    collection.refresh_from_db()
    assert collection.backfill_error == ""


def test_what_came_of_a_day_is_shown_until_the_rest_does(cloud, collection):
    cloud.statuses["RequestCount"] = Status.PARTIAL_DATA

    with pytest.raises(PartlyDone):
        operations.backfill(at=AT)

    assert first_minutes(collection.service, AT.replace(hour=0, minute=0, second=0), 2) == [1, 1]


def _points(first, *, status="Complete"):
    return [
        {
            "Id": f"q{number}",
            "Label": "x",
            "Timestamps": [int(first.timestamp())],
            "Values": [5.0],
            "StatusCode": status,
        }
        for number in range(34)
    ]


def test_a_day_whose_pages_break_off_is_read_again(monkeypatch, collection):
    midnight = AT.replace(hour=0, minute=0, second=0)
    with stubbed(monkeypatch, cloudwatch, "cloudwatch") as stub:
        page = {"MetricDataResults": _points(midnight, status="PartialData"), "NextToken": "more"}
        stub.add_response("get_metric_data", page)
        stub.add_client_error("get_metric_data", "ThrottlingException", "Rate exceeded")

        with pytest.raises(PartlyDone, match="Rate exceeded"):
            operations.backfill(at=AT)

    collection.refresh_from_db()
    assert collection.backfilled_to is None
    assert first_minutes(collection.service, midnight, 1) == [None]


def test_partial_data_on_the_last_page_is_no_whole_day(monkeypatch, collection):
    midnight = AT.replace(hour=0, minute=0, second=0)
    with stubbed(monkeypatch, cloudwatch, "cloudwatch") as stub:
        page = {"MetricDataResults": _points(midnight, status="PartialData")}
        stub.add_response("get_metric_data", page)

        with pytest.raises(PartlyDone, match="34 of 34 series in part"):
            operations.backfill(at=AT)

    collection.refresh_from_db()
    assert collection.backfilled_to is None


def _killed_on_call(number, function):
    """The function, whose caller is killed right after its call of this number."""
    calls = iter(range(1, number + 1))

    def call(*arguments, **keywords):
        answer = function(*arguments, **keywords)
        if next(calls) == number:
            raise SystemExit
        return answer

    return call


def test_a_worker_killed_between_the_answer_and_the_store_reads_the_day_again(
    cloud, collection, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(cloudwatch, "get_metric_data", _killed_on_call(2, cloud.get_metric_data))
        with pytest.raises(SystemExit):
            operations.backfill(at=AT)
    cloud.asked.clear()

    operations.backfill(at=AT)

    assert days_asked(cloud) == [TODAY - timedelta(days=age) for age in (1, 2, 3)]


def test_a_worker_killed_between_the_store_and_the_mark_reads_the_day_again(
    cloud, collection, monkeypatch
):
    with monkeypatch.context() as patch:
        patch.setattr(timeseries, "write", _killed_on_call(2, timeseries.write))
        with pytest.raises(SystemExit):
            operations.backfill(at=AT)
    cloud.asked.clear()

    operations.backfill(at=AT)

    yesterday = AT.replace(hour=0, minute=0, second=0) - timedelta(days=1)
    assert days_asked(cloud)[0] == yesterday.date()
    assert first_minutes(collection.service, yesterday, 2) == [1, 1]


def test_a_service_whose_past_cannot_be_read_does_not_keep_the_others_from_theirs(
    cloud, collection, monkeypatch
):
    other = make.service(name="other")
    Collection.objects.create(service=other, due_at=AT, backfill_floor=TODAY - timedelta(days=3))
    answer = cloud.get_metric_data

    def spoiling(queries, **window):
        if ("ServiceName", "news-api") in queries[-1].dimensions:
            raise KeyError("Id")
        return answer(queries, **window)

    monkeypatch.setattr(cloudwatch, "get_metric_data", spoiling)

    with pytest.raises(PartlyDone, match="production-news-api: KeyError: 'Id'"):
        operations.backfill(at=AT)

    other.collection.refresh_from_db()
    assert other.collection.backfilled_to == TODAY - timedelta(days=3)


def test_a_day_that_failed_is_left_alone_for_a_while(cloud, collection):
    cloud.error = errors.Unreachable("no answer")
    with pytest.raises(PartlyDone):
        operations.backfill(at=AT)
    cloud.asked.clear()

    early = operations.backfill(at=AT + PAUSE_AFTER_FAILURE - timedelta(seconds=1))

    assert (early, cloud.asked) == (0, [])


def test_throttling_ends_the_reading_of_the_past_for_now(cloud, collection):
    other = make.service(name="other")
    Collection.objects.create(service=other, due_at=AT, backfill_floor=TODAY)
    cloud.error = errors.Throttled("Rate exceeded")

    with pytest.raises(PartlyDone, match="Rate exceeded"):
        operations.backfill(at=AT)

    assert len(cloud.asked) == 1
