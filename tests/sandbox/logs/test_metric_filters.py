"""Metrics are made of log events: by filters, and of what comes in by group."""

from __future__ import annotations

import json
import time
from contextlib import closing
from dataclasses import replace

import pytest

from sandbox.cloudwatch.metrics import Metric
from sandbox.logs.metric_filters import Filter, Filters
from sandbox.logs.store import EVENT_OVERHEAD
from sandbox.state import State
from tests.sandbox.account import wait_until
from tests.sandbox.contract import checked
from tests.sandbox.logs.asking import NOW, now, put

MINUTE = NOW // 60_000


def test_metric_filters_are_stored_and_tried_out(logs, group):
    change = {"metricNamespace": "News", "metricName": "Slow", "metricValue": "$.ms"}
    checked(
        logs,
        "PutMetricFilter",
        logGroupName=group,
        filterName="slow",
        filterPattern="{ $.ms > 100 }",
        metricTransformations=[change | {"unit": "Milliseconds"}],
    )

    (shown,) = checked(logs, "DescribeMetricFilters", logGroupName=group)["metricFilters"]
    by_metric = logs.describe_metric_filters(metricName="Slow", metricNamespace="News")
    tried = checked(
        logs,
        "TestMetricFilter",
        filterPattern="{ $.ms > 100 }",
        logEventMessages=['{"ms": 5}', '{"ms": 500}'],
    )

    assert shown["filterPattern"] == "{ $.ms > 100 }"
    assert by_metric["metricFilters"] == [shown]
    assert tried["matches"] == [
        {"eventNumber": 2, "eventMessage": '{"ms": 500}', "extractedValues": {"$.ms": "500"}}
    ]
    checked(logs, "DeleteMetricFilter", logGroupName=group, filterName="slow")
    assert logs.describe_metric_filters(logGroupName=group)["metricFilters"] == []


def test_a_metric_filter_publishes_to_cloudwatch(account, logs, group):
    logs.put_metric_filter(
        logGroupName=group,
        filterName="errors",
        filterPattern="{ $.status >= 500 }",
        metricTransformations=[
            {"metricNamespace": "Filtered", "metricName": "Errors", "metricValue": "1"}
        ],
    )
    put(logs, group, *(json.dumps({"status": status}) for status in (200, 500, 503)))

    def counted():
        answer = account.client("cloudwatch").get_metric_statistics(
            Namespace="Filtered",
            MetricName="Errors",
            StartTime=(now() - 600_000) / 1000,
            EndTime=(now() + 60_000) / 1000,
            Period=3600,
            Statistics=["Sum"],
        )
        return sum(point["Sum"] for point in answer["Datapoints"])

    assert wait_until(counted) == 2


def errors(**transformation):
    return Filter(
        group="/ecs/news-api",
        name="errors",
        pattern="{ $.status >= 500 }",
        transformation={
            "metricNamespace": "News",
            "metricName": "Errors",
            "metricValue": "1",
            **transformation,
        },
        created=NOW,
    )


def line(status, **more):
    return json.dumps({"status": status, **more})


def write(ingestion, group, *lines, minute=MINUTE):
    ingestion.write(group, "web/1", [(minute * 60_000, each) for each in lines])
    ingestion.flush()


def test_a_metric_filter_counts_what_matches(ingestion, filters, kept_group, cloudwatch):
    filters.put(errors())

    write(ingestion, kept_group, line(500), line(200), line(503))
    write(ingestion, kept_group, line(500))

    found = cloudwatch.published(Metric.of("News", "Errors"), MINUTE)
    assert (found.count, found.total) == (3, 3)


def test_a_metric_filter_takes_values_and_dimensions_from_the_event(
    ingestion, filters, kept_group, cloudwatch
):
    taken = errors(metricValue="$.ms", dimensions={"Path": "$.path"})
    filters.put(replace(taken, pattern="{ $.status >= 500 && $.ms = * && $.path = * }"))

    write(
        ingestion, kept_group, line(500, ms=12, path="/a"), line(500, ms=30, path="/a"), line(500)
    )

    found = cloudwatch.published(Metric.of("News", "Errors", Path="/a"), MINUTE)
    assert (found.count, found.low, found.high) == (2, 12, 30)


@pytest.mark.parametrize(
    "odd",
    [
        {"ms": 1, "path": "/größe"},
        {"ms": 1, "path": "/" + "a" * 2000},
    ],
    ids=["not-ascii", "long"],
)
def test_values_cloudwatch_does_not_take_leave_the_others_alone(
    ingestion, filters, kept_group, cloudwatch, odd
):
    taken = errors(metricValue="$.ms", dimensions={"Path": "$.path"})
    filters.put(replace(taken, pattern="{ $.status >= 500 && $.ms = * && $.path = * }"))

    write(ingestion, kept_group, line(500, **odd), line(500, ms=12, path="/a"))

    assert cloudwatch.published(Metric.of("News", "Errors", Path="/a"), MINUTE).total == 12


def test_a_minute_with_events_and_no_match_has_the_default_value(
    ingestion, filters, kept_group, cloudwatch
):
    filters.put(errors(defaultValue=0))
    past = MINUTE - 2

    write(ingestion, kept_group, line(200), line(201), minute=past)
    write(ingestion, kept_group, line(500), line(200), minute=past - 1)

    metric = Metric.of("News", "Errors")
    assert cloudwatch.published(metric, past).total == 0
    assert cloudwatch.published(metric, past - 1).total == 1
    assert cloudwatch.published(metric, past - 2) is None


def test_filters_are_there_after_a_restart(tmp_path, filters):
    filters.put(errors())

    with closing(State(tmp_path / "state.sqlite")) as state:
        assert list(Filters(state)) == [errors()]


def test_what_comes_in_is_counted_by_group(ingestion, kept_group, cloudwatch):
    began = int(time.time() // 60)

    write(ingestion, kept_group, "12345", "åä")
    write(ingestion, kept_group, "1")

    by_group = {"LogGroupName": "/ecs/news-api"}
    minutes = range(began, int(time.time() // 60) + 1)
    found = {
        name: sum(
            each.total
            for minute in minutes
            if (each := cloudwatch.published(Metric.of("AWS/Logs", name, **by_group), minute))
        )
        for name in ("IncomingLogEvents", "IncomingBytes")
    }
    assert found == {"IncomingLogEvents": 3, "IncomingBytes": 5 + 4 + 1 + 3 * EVENT_OVERHEAD}
