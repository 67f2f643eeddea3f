"""SEARCH by the examples of "CloudWatch search expression syntax"."""

from __future__ import annotations

import pytest

from sandbox.cloudwatch.metric_math.search import found
from sandbox.cloudwatch.metric_math.values import WrongExpression
from sandbox.cloudwatch.metrics import Metric
from tests.sandbox.cloudwatch.asking import answer, math, put, values

CPU = Metric.of("AWS/EC2", "CPUUtilization", InstanceId="i-1")
NETWORK = Metric.of("AWS/EC2", "NetworkPacketsIn", InstanceId="i-1")
COUNT = Metric.of("My Namespace", "CustomCount1")
TRIAL = Metric.of("Work", "Errors", Project="Project2-trial333")
ERRORS = Metric.of("AWS/Lambda", "Errors", FunctionName="ProjectA")
ACCOUNT = [CPU, NETWORK, COUNT, TRIAL, ERRORS]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{AWS/EC2,InstanceId}", [CPU, NETWORK]),
        ('{AWS/EC2, InstanceId} MetricName="CPUUtilization"', [CPU]),
        ("{AWS/EC2}", []),
        ('{"My Namespace"}, "CustomCount1"', [COUNT]),
        ('{"My Namespace"} "customcount1"', []),
        ("count", [COUNT]),
        ("COUNT", [COUNT]),
        ("couNT", []),
        ("customcount", []),
        ("count1", []),
        ("CustomCount", [COUNT]),
        ("Count1", [COUNT]),
        ("countcustom", []),
        ("trial", [TRIAL]),
        ("333", [TRIAL]),
        ("network packets", [NETWORK]),
        ("network AND packets", [NETWORK]),
        ("network/Packets", []),
        ("Network/Packets", [NETWORK]),
        ("network OR MetricName=Errors", [NETWORK, TRIAL, ERRORS]),
        ("(EC2 OR Lambda) AND NOT network", [CPU, ERRORS]),
        ("NOT Namespace=AWS", [COUNT, TRIAL]),
        ('Project="Project2-trial333"', [TRIAL]),
        ('"AWS/EC2" NOT "CPUUtilization"', [NETWORK]),
        ("InstanceId=i-1 MetricName=CPUUtilization", [CPU]),
    ],
)
def test_terms_find_metrics(text, expected):
    assert found(ACCOUNT, text) == expected


@pytest.mark.parametrize("text", ["", "   ", "(EC2", "EC2)", "AND EC2", "NOT", "a" * 1025, "--"])
def test_what_is_no_search_is_refused(text):
    with pytest.raises(WrongExpression):
        found(ACCOUNT, text)


def test_a_search_is_an_array_of_series_like_any_other(cloudwatch):
    for queue, number in (("a", 1.0), ("b", 2.0)):
        put(cloudwatch, 1, number, dimensions=(("Queue", queue),))
    text = """SEARCH('{News,Queue} MetricName="Jobs"', 'Sum', 60)"""

    each = answer(cloudwatch, math(text, Label="[max ${MAX}] ${LABEL}"))["MetricDataResults"]

    assert [(line["Label"], line["Values"]) for line in each] == [
        ("[max 1] a", [1.0]),
        ("[max 2] b", [2.0]),
    ]
    assert values(cloudwatch, math(f"SUM({text})")) == [3.0]
