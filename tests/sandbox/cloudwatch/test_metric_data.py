"""GetMetricData and GetMetricStatistics: what is published can be asked for, page by page."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.cloudwatch.metrics import Metric, aggregate
from sandbox.cloudwatch.service import CloudWatch
from sandbox.cloudwatch.source import minute_of
from sandbox.errors import AwsError
from sandbox.measurements import load_balancer_dimension
from tests.sandbox.cloudwatch.asking import (
    EPOCH,
    NOON,
    NOW,
    answer,
    math,
    minutes,
    put,
    stat,
    statistics,
    values,
)


def test_what_is_put_twice_into_a_minute_adds_up(cloudwatch):
    put(cloudwatch, 1, 2.0, 3.0)
    put(cloudwatch, 1, 5.0)

    assert values(cloudwatch, stat()) == [10.0]
    assert values(cloudwatch, stat(statistic="SampleCount")) == [3.0]
    assert values(cloudwatch, stat(statistic="Maximum")) == [5.0]


def test_values_count_as_often_as_their_counts_say(cloudwatch):
    put(cloudwatch, 1, 2.0, 3.0, Counts=[4.0, 1.0])

    assert values(cloudwatch, stat()) == [11.0]
    assert values(cloudwatch, stat(statistic="p50")) == [pytest.approx(2.0, rel=0.02)]


def test_a_restart_keeps_the_minutes(tmp_path):
    before = CloudWatch(tmp_path, EPOCH, clock=lambda: NOW)
    put(before, 1, 2.0, 40.0)
    before.close()

    after = CloudWatch(tmp_path, EPOCH, clock=lambda: NOW)

    assert values(after, stat()) == [42.0]
    assert values(after, stat(statistic="p99")) == [pytest.approx(40.0, rel=0.02)]
    after.close()


def test_dimensions_match_exactly(cloudwatch):
    put(cloudwatch, 1, 1.0, dimensions=(("Queue", "a"), ("Zone", "1")))

    assert values(cloudwatch, stat(dimensions=(("Queue", "a"),))) == []
    assert values(cloudwatch, stat(dimensions=())) == []
    assert values(cloudwatch, stat(dimensions=(("Zone", "1"), ("Queue", "a")))) == [1.0]


def test_the_start_is_inclusive_and_the_end_exclusive(cloudwatch):
    for minute in range(5):
        put(cloudwatch, minute, float(minute))

    result = answer(cloudwatch, stat(), start=1, end=4)["MetricDataResults"][0]

    assert minutes(result) == [1, 2, 3]


def test_a_start_within_a_minute_is_rounded_down(cloudwatch):
    put(cloudwatch, 1, 7.0)

    result = answer(cloudwatch, stat(), start=1.7, end=4)["MetricDataResults"][0]

    assert minutes(result) == [1]


def test_periods_gather_minutes(cloudwatch):
    for minute in range(10):
        put(cloudwatch, minute, float(minute))

    assert values(cloudwatch, stat(period=300)) == [10.0, 35.0]
    assert values(cloudwatch, stat(period=300, statistic="Average")) == [2.0, 7.0]


def test_newest_comes_first_unless_asked_otherwise(cloudwatch):
    for minute in range(3):
        put(cloudwatch, minute, float(minute))

    assert values(cloudwatch, stat(), ScanBy="TimestampDescending") == [2.0, 1.0, 0.0]


def test_no_data_is_an_empty_list_not_zero(cloudwatch):
    result = answer(cloudwatch, stat(name="Nothing"))["MetricDataResults"][0]

    assert (result["Values"], result["Timestamps"], result["StatusCode"]) == ([], [], "Complete")


def test_another_unit_has_no_data(cloudwatch):
    put(cloudwatch, 1, 1.0, Unit="Seconds")

    assert values(cloudwatch, stat(unit="Bytes")) == []
    assert values(cloudwatch, stat(unit="Seconds")) == [1.0]


REQUESTS = {
    "Namespace": "AWS/ApplicationELB",
    "MetricName": "RequestCount",
    "Dimensions": [{"Name": "LoadBalancer", "Value": load_balancer_dimension("news-production")}],
}


def history(cloudwatch, period, start, end):
    """RequestCount of production between two ages."""
    stat = {"Metric": REQUESTS, "Period": period, "Stat": "Sum"}
    return asyncio.run(
        cloudwatch.get_metric_data(
            MetricDataQueries=[{"Id": "q", "MetricStat": stat}],
            StartTime=NOW - start,
            EndTime=NOW - end,
            ScanBy="TimestampAscending",
        )
    )["MetricDataResults"][0]


@pytest.mark.parametrize(
    ("days_ago", "period", "points"),
    [
        (2, 60, 60),
        (20, 60, 0),
        (20, 300, 13),
        (70, 300, 0),
        (70, 3600, 2),
        (500, 3600, 0),
    ],
)
def test_older_data_are_kept_at_coarser_resolution(cloudwatch, days_ago, period, points):
    start = timedelta(days=days_ago, minutes=2)

    result = history(cloudwatch, period, start, start - timedelta(hours=1))

    assert len(result["Values"]) == points


@pytest.mark.parametrize(("days_ago", "minute"), [(2, 28), (20, 25), (70, 0)])
def test_the_start_is_rounded_down_to_the_resolution_kept(cloudwatch, days_ago, minute):
    start = timedelta(days=days_ago, minutes=1, seconds=30)

    result = history(cloudwatch, 3600, start, start - timedelta(hours=2))

    assert result["Timestamps"][0].minute == minute


def test_one_query_spans_all_resolutions(cloudwatch):
    result = history(cloudwatch, 86400, timedelta(days=100), timedelta(0))

    assert len(result["Values"]) == 100
    assert min(result["Values"]) > 0.5 * max(result["Values"])


def test_history_goes_over_into_what_is_published(cloudwatch):
    published = Metric.parse("AWS/ApplicationELB", "RequestCount", REQUESTS["Dimensions"])
    later = [minute_of(EPOCH) + offset for offset in range(3)]
    cloudwatch.publish({(published, minute): (aggregate([1.0]), "Count") for minute in later})

    result = history(cloudwatch, 60, timedelta(hours=2, minutes=5), timedelta(0))

    assert len(result["Values"]) == 5 + 3
    assert result["Values"][-3:] == [1.0, 1.0, 1.0]


def test_a_window_of_centuries_costs_nothing(cloudwatch):
    put(cloudwatch, 1, 1.0)

    found = asyncio.run(
        cloudwatch.get_metric_data(
            MetricDataQueries=[stat()],
            StartTime=datetime(1, 1, 1, tzinfo=UTC),
            EndTime=datetime(9999, 1, 1, tzinfo=UTC),
        )
    )

    assert found["MetricDataResults"][0]["Values"] == [1.0]


def test_queries_that_return_no_data_serve_expressions_only(cloudwatch):
    put(cloudwatch, 1, 3.0)

    results = answer(cloudwatch, stat(ReturnData=False), math("q * 2"))["MetricDataResults"]

    assert [(result["Id"], result["Values"]) for result in results] == [("e", [6.0])]


def test_labels_default_to_the_metric_name_and_the_expression_id(cloudwatch):
    results = answer(cloudwatch, stat(), math("q"), stat("x", Label="Mine"))["MetricDataResults"]

    assert [result["Label"] for result in results] == ["Jobs", "e", "Mine"]


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 100])
def test_pages_together_are_the_whole(cloudwatch, limit, descending):
    for minute in range(5):
        put(cloudwatch, minute, float(minute))
        put(cloudwatch, minute, float(10 * minute), name="Other")
    queries = [stat("a"), stat("b", name="Nothing"), stat("c", name="Other")]
    order = "TimestampDescending" if descending else "TimestampAscending"
    whole = answer(cloudwatch, *queries, ScanBy=order)["MetricDataResults"]

    collected = {"a": [], "b": [], "c": []}
    token: dict[str, str] = {}
    while token is not None:
        page = answer(cloudwatch, *queries, ScanBy=order, MaxDatapoints=limit, **token)
        assert sum(len(result["Values"]) for result in page["MetricDataResults"]) <= limit
        for result in page["MetricDataResults"]:
            collected[result["Id"]] += result["Values"]
        token = {"NextToken": page["NextToken"]} if "NextToken" in page else None

    assert collected == {result["Id"]: result["Values"] for result in whole}


def test_a_series_that_goes_on_is_partial(cloudwatch):
    for minute in range(5):
        put(cloudwatch, minute, float(minute))

    page = answer(cloudwatch, stat("a"), stat("b"), MaxDatapoints=7)

    codes = {result["Id"]: result["StatusCode"] for result in page["MetricDataResults"]}
    assert codes == {"a": "Complete", "b": "PartialData"}


def test_expressions_get_no_token(cloudwatch):
    for minute in range(5):
        put(cloudwatch, minute, float(minute))

    page = answer(cloudwatch, stat(ReturnData=False), math("q + 1"), MaxDatapoints=2)

    assert "NextToken" not in page
    assert page["MetricDataResults"][0]["StatusCode"] == "PartialData"


def test_a_token_of_another_request_is_refused(cloudwatch):
    for minute in range(5):
        put(cloudwatch, minute, float(minute))
    token = answer(cloudwatch, stat(), MaxDatapoints=2)["NextToken"]

    with pytest.raises(AwsError) as refused:
        answer(cloudwatch, stat(), MaxDatapoints=3, NextToken=token)

    assert refused.value.code == "InvalidNextToken"


def test_more_than_500_queries_are_refused(cloudwatch):
    with pytest.raises(AwsError) as refused:
        answer(cloudwatch, *(stat(f"q{number}") for number in range(501)))

    assert refused.value.code == "ValidationError"
    assert "500" in refused.value.message


@pytest.mark.parametrize(
    "queries",
    [
        [stat("Upper")],
        [stat("same"), stat("same")],
        [{"Id": "neither"}],
        [{**stat("both"), "Expression": "1"}],
        [stat(period=45)],
        [stat(statistic="p200")],
        [],
    ],
)
def test_queries_that_make_no_sense_are_refused(cloudwatch, queries):
    with pytest.raises(AwsError) as refused:
        answer(cloudwatch, *queries)

    assert refused.value.code == "ValidationError"


def test_a_start_that_is_not_before_the_end_is_refused(cloudwatch):
    with pytest.raises(AwsError) as refused:
        answer(cloudwatch, stat(), start=5, end=5)

    assert refused.value.code == "ValidationError"


def test_metric_statistics_give_several_statistics_at_once(cloudwatch):
    put(cloudwatch, 1, 2.0, 4.0, Unit="Seconds")

    (point,) = statistics(cloudwatch, Statistics=["Sum", "Average"])["Datapoints"]

    assert (point["Sum"], point["Average"], point["Unit"]) == (6.0, 3.0, "Seconds")
    assert point["Timestamp"] == NOON + timedelta(minutes=1)
    assert "ExtendedStatistics" not in point


def test_extended_statistics_are_asked_for_alone(cloudwatch):
    put(cloudwatch, 1, 2.0, 4.0)

    (point,) = statistics(cloudwatch, Statistics=[], ExtendedStatistics=["p100", "tc50"])[
        "Datapoints"
    ]

    assert point["ExtendedStatistics"] == {"p100": pytest.approx(4.0), "tc50": 1.0}


def test_services_without_single_values_have_no_percentiles(cloudwatch):
    names = {"ClusterName": "production", "ServiceName": "news-api"}
    metric = Metric.of("AWS/ECS", "CPUUtilization", **names)
    cloudwatch.publish({(metric, minute_of(NOON)): (aggregate([12.0]), "Percent")})

    def read(**changed):
        return statistics(cloudwatch, **{**metric.as_dict(), **changed})["Datapoints"][0]

    assert read(Statistics=["Maximum"])["Maximum"] == 12.0
    assert read(Statistics=[], ExtendedStatistics=["p50"])["ExtendedStatistics"] == {}
    asked = {"Metric": metric.as_dict(), "Period": 60, "Stat": "p50"}
    assert values(cloudwatch, {"Id": "q", "MetricStat": asked}) == []


def test_more_than_1440_datapoints_of_statistics_are_refused(cloudwatch):
    with pytest.raises(AwsError) as refused:
        asyncio.run(
            cloudwatch.get_metric_statistics(
                Namespace="News",
                MetricName="Jobs",
                StartTime=NOW - timedelta(days=2),
                EndTime=NOW,
                Period=60,
                Statistics=["Sum"],
            )
        )

    assert refused.value.code == "InvalidParameterCombination"


def test_metric_statistics_of_another_unit_have_no_data(cloudwatch):
    put(cloudwatch, 1, 2.0, Unit="Seconds")

    assert statistics(cloudwatch, Unit="Bytes")["Datapoints"] == []
    assert len(statistics(cloudwatch, Unit="Seconds")["Datapoints"]) == 1


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda service: statistics(service, Statistics=[]), "MissingParameter"),
        (lambda service: statistics(service, Statistics=["p50"]), "InvalidParameterValue"),
        (
            lambda service: statistics(service, ExtendedStatistics=["p50"]),
            "InvalidParameterCombination",
        ),
        (
            lambda service: statistics(
                service, Statistics=[], ExtendedStatistics=[f"p{number}" for number in range(11)]
            ),
            "InvalidParameterValue",
        ),
        (lambda service: service.list_metrics(RecentlyActive="PT1H"), "InvalidParameterValue"),
        (lambda service: service.list_metrics(NextToken="bm8="), "InvalidParameterValue"),
        (lambda service: answer(service, stat(), MaxDatapoints=100_801), "ValidationError"),
        (lambda service: service.put_metric_data(Namespace="News"), "MissingParameter"),
        (
            lambda service: service.put_metric_data(
                Namespace="News", MetricData=[{"MetricName": "x", "Value": 1.0}] * 1001
            ),
            "InvalidParameterValue",
        ),
        (lambda service: put(service, 1, 1.0, Counts=[0.0]), "InvalidParameterValue"),
    ],
    ids=[
        "no-statistic",
        "percentile-as-statistic",
        "both-kinds-of-statistics",
        "too-many-statistics",
        "other-recency",
        "wrong-token",
        "too-many-datapoints",
        "no-data",
        "too-many-metrics",
        "count-of-zero",
    ],
)
def test_requests_that_make_no_sense_are_refused(cloudwatch, call, code):
    with pytest.raises(AwsError) as refused:
        call(cloudwatch)

    assert refused.value.code == code
