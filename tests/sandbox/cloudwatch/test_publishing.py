"""PutMetricData and ListMetrics: what callers publish, what is refused, what is listed."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.cloudwatch.publishing import UNITS
from sandbox.errors import AwsError
from tests.sandbox.cloudwatch.asking import NOON, NOW, put, stat, values
from tests.sandbox.contract import MODELS

FIRST = "MetricData.member.1"


@pytest.mark.parametrize(
    ("datum", "code"),
    [
        ({}, "MissingParameter"),
        ({"Value": 1.0, "Values": [1.0]}, "InvalidParameterCombination"),
        ({"Values": [1.0, 2.0], "Counts": [1.0]}, "InvalidParameterValue"),
        ({"Values": []}, "MissingParameter"),
        ({"Value": 1.0, "Unit": "Fortnights"}, "InvalidParameterValue"),
        ({"Value": 1.0, "StorageResolution": 5}, "InvalidParameterValue"),
        ({"Value": 1.0, "dimensions": [("Queue", "a"), ("Queue", "b")]}, "InvalidParameterValue"),
        (
            {"Value": 1.0, "dimensions": [(f"D{n}", "a") for n in range(31)]},
            "InvalidParameterValue",
        ),
        ({"Value": 1.0, "dimensions": [(":Queue", "a")]}, "InvalidParameterValue"),
        ({"Value": 1.0, "dimensions": [("Queue", "a" * 1025)]}, "InvalidParameterValue"),
        ({"Value": 1.0, "name": "x" * 256}, "InvalidParameterValue"),
        (
            {"StatisticValues": {"SampleCount": 2, "Sum": 3, "Minimum": 2, "Maximum": 1}},
            "InvalidParameterValue",
        ),
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


@pytest.mark.parametrize(
    ("datum", "message"),
    [
        (
            {"Value": float("nan")},
            f"The value NaN for parameter {FIRST}.Value is invalid.",
        ),
        ({}, f"The parameter {FIRST}.Value is required."),
        (
            {"Value": 1.0, "Timestamp": NOW - timedelta(days=15)},
            f"The parameter {FIRST}.Timestamp must specify a time within the past two weeks.",
        ),
    ],
)
def test_a_refusal_names_the_datum_in_cloudwatchs_words(cloudwatch, datum, message):
    with pytest.raises(AwsError) as refused:
        put(cloudwatch, 1, **datum)

    assert refused.value.message == message


def test_nothing_of_a_wrong_request_is_published(cloudwatch):
    data = [{"MetricName": "Jobs", "Value": 1.0}, {"MetricName": "Jobs", "Value": 2.0**400}]

    with pytest.raises(AwsError, match=r"member\.2"):
        cloudwatch.put_metric_data(Namespace="News", MetricData=data)

    assert cloudwatch.list_metrics(Namespace="News")["Metrics"] == []


@pytest.mark.parametrize("namespace", [":News", "", "N" * 256])
def test_other_namespaces_are_refused(cloudwatch, namespace):
    with pytest.raises(AwsError, match="Namespace is invalid"):
        cloudwatch.put_metric_data(
            Namespace=namespace, MetricData=[{"MetricName": "Jobs", "Value": 1.0}]
        )


def test_moments_at_both_ends_of_what_is_accepted_are_kept(cloudwatch):
    edges = (NOW - timedelta(days=14), NOW + timedelta(hours=2))

    for moment in edges:
        put(cloudwatch, 1, Value=1.0, Timestamp=moment)

    minutes = [(moment - NOON).total_seconds() / 60 for moment in edges]
    for minute in minutes:
        assert values(cloudwatch, stat(), start=minute, end=minute + 1) == [1.0]


def test_the_units_are_those_of_the_model():
    model = MODELS.get_service_model("cloudwatch")

    assert set(model.shape_for("StandardUnit").enum) == UNITS
