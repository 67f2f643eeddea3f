"""The collector against the sandbox's CloudWatch: names, dimensions and shapes must fit."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import numpy as np
import pytest

from aws import cloudwatch
from monitoring import operations, queries, timeseries
from monitoring.resources import layout_for
from sandbox.cloudwatch.service import CloudWatch
from sandbox.measurements import load_balancer_dimension, target_group_dimension
from tests import make
from tests.monitoring.clouds import MINUTE

pytestmark = pytest.mark.django_db

_TG = "arn:aws:elasticloadbalancing:us-east-1:123456789012:"


class Client:
    """The sandbox's CloudWatch, answering as boto3 does; timestamps are seconds since 1970."""

    def __init__(self, account):
        self.account = account

    def get_metric_data(self, **parameters):
        answer = asyncio.run(self.account.get_metric_data(**parameters))
        for result in answer["MetricDataResults"]:
            result["Timestamps"] = [int(moment.timestamp()) for moment in result["Timestamps"]]
        return answer


@pytest.fixture
def account(tmp_path, monkeypatch):
    """An account whose past ends at noon: everything before was computed, nothing came since."""
    account = CloudWatch(tmp_path, make.NOON, clock=lambda: make.NOON)
    monkeypatch.setattr(cloudwatch, "client", lambda: Client(account))
    yield account
    account.close()


@pytest.fixture
def service(account):
    groups = [target_group_dimension(f"news-api-{colour}") for colour in ("blue", "green")]
    return make.service(
        load_balancer=load_balancer_dimension("news-production"),
        target_groups=[_TG + group for group in groups],
        db_instance="news-production",
        cache_cluster="news-production-001",
    )


def test_every_series_that_is_asked_for_exists(service):
    operations.collect(at=make.NOON)
    layout = layout_for(service)

    window = timeseries.read(
        resource_id=service.pk,
        series=layout.series,
        start=make.NOON - timedelta(hours=3),
        end=make.NOON,
    )

    # CloudWatch leaves out counts of what did not happen, and what an idle target group would say.
    silent = {
        series.role
        for series, column in window.positions.items()
        if np.isnan(window.shown[:, column]).all() and not _is_idle(series)
    }
    assert silent <= {
        "elb_5xx",
        "elb_503",
        "rejected",
        "connection_errors",
        "errors_5xx",
        "evictions",
    }


def _is_idle(series):
    return "news-api-green" in dict(series.dimensions).get("TargetGroup", "")


def test_a_past_day_is_stored_as_the_sandbox_tells_it(service, account):
    operations.collect(at=make.NOON)
    operations.backfill(at=make.NOON)
    start = make.NOON - timedelta(days=3)
    requests = layout_for(service).of("lb")["requests"]

    window = timeseries.read(
        resource_id=service.pk, series=[requests], start=start, end=start + 30 * MINUTE
    )

    [told] = cloudwatch.get_metric_data(
        [cloudwatch.MetricQuery(requests.namespace, requests.name, "Sum", requests.dimensions)],
        start=start,
        end=start + 30 * MINUTE,
        period=60,
    )
    assert window.shown[:, 0].tolist() == told.values


def test_target_groups_are_compared_over_real_minutes(service):
    operations.collect(at=make.NOON)

    blue, green = queries.compare_target_groups(
        service=service, start=make.NOON - timedelta(hours=1), end=make.NOON
    )

    assert blue.target_group == target_group_dimension("news-api-blue")
    assert blue.requests > 0
    assert blue.minutes == 60
    assert blue.error_ratio == blue.errors_5xx / blue.requests
    assert 0 < blue.p50 < blue.p90 < blue.p99 <= blue.worst_p99
    assert (green.requests, green.error_ratio, green.p99, green.minutes) == (0, None, None, 0)
