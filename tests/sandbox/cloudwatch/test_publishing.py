"""PutMetricData and ListMetrics: what callers publish, what is refused, what is listed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.errors import AwsError
from tests.sandbox.cloudwatch.asking import NOON, NOW, put, stat, values


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0] * 151}, "InvalidParameterValue"),
        ({"Value": float("nan")}, "InvalidParameterValue"),
        ({"Value": 2.0**361}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": NOW - timedelta(days=15)}, "InvalidParameterValue"),
        ({"Value": 1.0, "Timestamp": NOW + timedelta(hours=3)}, "InvalidParameterValue"),
        (
            {"StatisticValues": {"SampleCount": 0, "Sum": 0, "Minimum": 0, "Maximum": 0}},
            "InvalidParameterValue",
        ),
    ],
)
def test_data_that_make_no_sense_are_refused(cloudwatch, datum, code):
    with pytest.raises(AwsError) as refused:
        put(cloudwatch, 1, **datum)

    assert refused.value.code == code


def test_nobody_publishes_into_an_aws_namespace(cloudwatch):
    with pytest.raises(AwsError) as refused:
        cloudwatch.put_metric_data(
            Namespace="AWS/ECS", MetricData=[{"MetricName": "CPUUtilization", "Value": 1.0}]
        )

    assert refused.value.code == "InvalidParameterValue"


def test_metrics_are_listed_by_namespace_name_and_dimension(cloudwatch):
    put(cloudwatch, 1, 1.0, dimensions=(("Queue", "a"), ("Zone", "1")))
    put(cloudwatch, 1, 1.0, dimensions=(("Queue", "b"),))

    def listed(**filters):
        return len(cloudwatch.list_metrics(Namespace="News", **filters)["Metrics"])

    assert listed() == 2
    assert listed(MetricName="Jobs") == 2
    assert listed(MetricName="jobs") == 0
    assert listed(Dimensions=[{"Name": "Queue"}]) == 2
    assert listed(Dimensions=[{"Name": "Queue", "Value": "b"}]) == 1
    assert listed(Dimensions=[{"Name": "Zone", "Value": "2"}]) == 0


def test_metrics_are_listed_500_a_page(cloudwatch):
    for number in range(501):
        put(cloudwatch, 1, 1.0, name=f"Jobs{number}")

    first = cloudwatch.list_metrics(Namespace="News")
    second = cloudwatch.list_metrics(Namespace="News", NextToken=first["NextToken"])

    assert (len(first["Metrics"]), len(second["Metrics"])) == (500, 1)
    assert "NextToken" not in second


def test_only_metrics_of_the_last_three_hours_are_recently_active(cloudwatch):
    put(cloudwatch, -600, 1.0, name="Old")
    put(cloudwatch, 1, 1.0, name="New")

    recent = cloudwatch.list_metrics(Namespace="News", RecentlyActive="PT3H")["Metrics"]

    assert [metric["MetricName"] for metric in recent] == ["New"]


def test_data_of_entities_are_data(cloudwatch):
    cloudwatch.put_metric_data(
        Namespace="News",
        EntityMetricData=[
            {
                "MetricData": [
                    {
                        "MetricName": "Jobs",
                        "Dimensions": [{"Name": "Queue", "Value": "a"}],
                        "Timestamp": NOON + timedelta(minutes=1),
                        "Value": 4.0,
                    }
                ]
            }
        ],
    )

    assert values(cloudwatch, stat()) == [4.0]
