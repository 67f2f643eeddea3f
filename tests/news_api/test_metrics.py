from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from news_api import metrics
from news_api.metrics import Aggregator, Reporter, documents

DIMENSIONS = {"Service": "news-api", "Environment": "test", "Version": "1.4.0"}


def check_embedded_metric(document: dict[str, Any]) -> None:
    """Assert what CloudWatch's specification of the format demands."""
    metadata = document["_aws"]
    assert isinstance(metadata["Timestamp"], int)
    assert metadata["Timestamp"] > 10**12, "milliseconds since the epoch"
    for directive in metadata["CloudWatchMetrics"]:
        assert set(directive) == {"Namespace", "Dimensions", "Metrics"}
        assert 1 <= len(directive["Metrics"]) <= 100
        for dimension_set in directive["Dimensions"]:
            assert len(dimension_set) <= 30
            assert all(isinstance(document[name], str) for name in dimension_set)
        for metric in directive["Metrics"]:
            assert metric["Unit"] in {"Count", "Milliseconds"}
            check_values(document[metric["Name"]])
    assert len(json.dumps(document)) < 256 * 1024


def check_values(target: object) -> None:
    values = target if isinstance(target, list) else [target]
    assert 1 <= len(values) <= 100
    assert all(isinstance(value, int | float) for value in values)


def make_documents(aggregator: Aggregator) -> list[dict[str, Any]]:
    return documents(*aggregator.drain(), dimensions=DIMENSIONS, at=1_795_000_000.5)


def test_a_minute_becomes_one_valid_line() -> None:
    aggregator = Aggregator()
    aggregator.count(Requests=2, Errors=0)
    aggregator.observe(12.34567)
    aggregator.observe(5.0)

    (document,) = make_documents(aggregator)

    check_embedded_metric(document)
    assert document["Requests"] == 2
    assert document["Errors"] == 0
    assert document["Latency"] == [12.346, 5.0]
    assert document["_aws"]["Timestamp"] == 1_795_000_000_500


def test_many_latencies_are_spread_over_lines_of_a_hundred() -> None:
    aggregator = Aggregator()
    aggregator.count(Requests=250)
    for number in range(250):
        aggregator.observe(number)

    lines = make_documents(aggregator)

    for line in lines:
        check_embedded_metric(line)
    assert [value for line in lines for value in line["Latency"]] == list(range(250))
    assert ["Requests" in line for line in lines] == [True, False, False]


def test_a_very_busy_minute_keeps_an_even_sample() -> None:
    aggregator = Aggregator()
    for number in range(20_000):
        aggregator.observe(number)

    _, kept = aggregator.drain()

    assert len(kept) == metrics.MAX_SAMPLES
    # The mean of 500 of 20 000 numbers has a standard error of 258: this is twelve of them.
    assert abs(sum(kept) / len(kept) - 10_000) < 3100


def test_an_idle_minute_reports_zero_and_not_nothing(caplog: pytest.LogCaptureFixture) -> None:
    reporter = Reporter(Aggregator(), DIMENSIONS, always=("Requests", "Errors"))
    logger = logging.getLogger("news_api.emf")
    logger.addHandler(caplog.handler)

    with caplog.at_level(logging.INFO, logger="news_api.emf"):
        reporter.flush()
    logger.removeHandler(caplog.handler)

    document = json.loads(caplog.records[-1].message)
    check_embedded_metric(document)
    assert (document["Requests"], document["Errors"]) == (0, 0)


def test_draining_starts_again_at_zero() -> None:
    aggregator = Aggregator()
    aggregator.count(Requests=1)
    aggregator.observe(1.0)

    aggregator.drain()

    assert aggregator.drain() == ({}, [])
