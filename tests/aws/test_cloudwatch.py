from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from botocore.stub import ANY

from aws import cloudwatch, errors
from aws.cloudwatch import MetricQuery, Status
from tests.aws.stubs import stubbed

START = datetime(2026, 3, 2, 12, tzinfo=UTC)
END = START + timedelta(minutes=3)
FIRST = int(START.timestamp())
DIMENSIONS = (("LoadBalancer", "app/news-production/01"),)
REQUESTS = MetricQuery("AWS/ApplicationELB", "RequestCount", "Sum", DIMENSIONS)
P99 = MetricQuery("AWS/ApplicationELB", "TargetResponseTime", "p99", DIMENSIONS)


@pytest.fixture
def stub(monkeypatch):
    with stubbed(monkeypatch, cloudwatch, "cloudwatch") as stubber:
        yield stubber


def _result(number, points, status="Complete"):
    return {
        "Id": f"q{number}",
        "Label": "x",
        "Timestamps": [FIRST + 60 * minute for minute, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": status,
    }


def _answer(*results, **more):
    return {"MetricDataResults": list(results), **more}


def _get(*queries):
    return cloudwatch.get_metric_data(queries, start=START, end=END, period=60)


def test_a_request_names_each_series_and_asks_for_the_oldest_first(stub):
    expected = {
        "MetricDataQueries": [
            {
                "Id": "q0",
                "MetricStat": {
                    "Metric": {
                        "Namespace": "AWS/ApplicationELB",
                        "MetricName": "RequestCount",
                        "Dimensions": [{"Name": "LoadBalancer", "Value": "app/news-production/01"}],
                    },
                    "Period": 60,
                    "Stat": "Sum",
                },
                "ReturnData": True,
            }
        ],
        "StartTime": START,
        "EndTime": END,
        "ScanBy": "TimestampAscending",
        "MaxDatapoints": 100_800,
    }
    stub.add_response("get_metric_data", _answer(_result(0, [(0, 5.0)])), expected)

    [series] = _get(REQUESTS)

    assert series.timestamps == [FIRST]
    assert series.values == [5.0]
    assert series.status == Status.COMPLETE


def test_pages_are_put_together(stub):
    first = _answer(_result(0, [(0, 1.0)], "PartialData"), _result(1, [], "PartialData"))
    stub.add_response("get_metric_data", first | {"NextToken": "more"})
    second = _answer(_result(0, [(1, 2.0)]))
    stub.add_response("get_metric_data", second, dict.fromkeys(_PARAMETERS, ANY) | _TOKEN)

    requests, latency = _get(REQUESTS, P99)

    assert requests.values == [1.0, 2.0]
    assert requests.status == Status.COMPLETE
    assert latency.values == []
    assert latency.status == Status.COMPLETE


_PARAMETERS = ("MetricDataQueries", "StartTime", "EndTime", "ScanBy", "MaxDatapoints")
_TOKEN = {"NextToken": "more"}


def test_partial_data_without_another_page_stays_partial(stub):
    stub.add_response("get_metric_data", _answer(_result(0, [(0, 1.0)], "PartialData")))

    [series] = _get(REQUESTS)

    assert series.status == Status.PARTIAL_DATA


def test_an_internal_error_concerns_its_series_only(stub):
    answer = _answer(_result(0, [], "InternalError"), _result(1, [(0, 0.2)]))
    stub.add_response("get_metric_data", answer)

    requests, latency = _get(REQUESTS, P99)

    assert requests.status == Status.INTERNAL_ERROR
    assert latency.status == Status.COMPLETE


def test_a_series_that_is_not_answered_is_not_complete(stub):
    stub.add_response("get_metric_data", _answer(_result(0, [(0, 1.0)])))

    _, latency = _get(REQUESTS, P99)

    assert latency.status == Status.INTERNAL_ERROR


def test_more_than_500_series_are_asked_for_in_several_requests(stub):
    for size in (500, 1):
        stub.add_response("get_metric_data", _answer(*[_result(i, []) for i in range(size)]))

    assert len(_get(*[REQUESTS] * 501)) == 501


def test_pages_that_do_not_end_are_given_up(stub):
    for _ in range(3):
        stub.add_response("get_metric_data", _answer(NextToken="again"))

    with pytest.raises(errors.Unreachable, match="do not end"):
        _get(REQUESTS)


def test_throttling_is_named(stub):
    stub.add_client_error("get_metric_data", "Throttling", "Rate exceeded", 400)

    with pytest.raises(errors.Throttled, match="Rate exceeded"):
        _get(REQUESTS)


def test_a_cut_answer_is_not_an_empty_one(stub):
    stub.add_response("get_metric_data", {})

    with pytest.raises(errors.Unreachable, match="cut short"):
        _get(REQUESTS)


def test_a_missing_permission_is_named(stub):
    stub.add_client_error("get_metric_data", "AccessDenied", "no", 403)

    with pytest.raises(errors.Denied) as caught:
        _get(REQUESTS)

    assert caught.value.action == "cloudwatch:GetMetricData"
