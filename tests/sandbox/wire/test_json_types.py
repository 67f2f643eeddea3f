"""A JSON body has the types of its model, or is refused in the words of AWS's parsers."""

from __future__ import annotations

import botocore.session
import pytest

from sandbox.json_types import mismatch

MODELS = botocore.session.get_session()


def shape(service, operation):
    return MODELS.get_service_model(service).operation_model(operation).input_shape


SERVICES = shape("ecs", "DescribeServices")
METRICS = shape("cloudwatch", "PutMetricData")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ([], "Start of list found where not expected"),
        ("x", "Expected structure"),
        ({"services": "news-api"}, "Expected list"),
        ({"services": {"a": 1}}, "Start of structure or map found where not expected"),
        ({"services": [["a"]]}, "Start of list found where not expected"),
        ({"services": [5]}, "NUMBER_VALUE can not be converted to a String"),
        ({"cluster": True}, "TRUE_VALUE can not be converted to a String"),
        ({"cluster": "\ud800"}, "STRING_VALUE can not be converted to a String"),
    ],
)
def test_what_has_another_type_is_named(body, told):
    assert mismatch(body, SERVICES) == told


@pytest.mark.parametrize(
    ("datum", "told"),
    [
        ({"Value": "1"}, "STRING_VALUE can not be converted to a Double"),
        ({"StorageResolution": 2**31}, "NUMBER_VALUE can not be converted to an Integer"),
        ({"StorageResolution": "NaN"}, "STRING_VALUE can not be converted to an Integer"),
        ({"Values": [1.5, "nan"]}, "STRING_VALUE can not be converted to a Double"),
        ({"Values": [1.5, True]}, "TRUE_VALUE can not be converted to a Double"),
        ({"StorageResolution": float("nan")}, "NUMBER_VALUE can not be converted to an Integer"),
        (
            {"Timestamp": "2026-11-22T00:00:00Z"},
            "STRING_VALUE can not be converted to milliseconds since epoch",
        ),
    ],
)
def test_a_value_deep_inside_is_found(datum, told):
    assert mismatch({"Namespace": "N", "MetricData": [{}, datum]}, METRICS) == told


@pytest.mark.parametrize("written", ["NaN", "Infinity", "-Infinity", 5, 5.5, 1e300])
def test_what_is_not_finite_is_written_as_text(written):
    datum = {"Value": written, "Values": [0.5, written], "Counts": [1, None]}

    assert mismatch({"Namespace": "N", "MetricData": [datum]}, METRICS) is None


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"cluster": None, "services": ["é✓"]},
        {"cluster": "production", "nobody knows": [{"this": 1}]},
    ],
)
def test_null_is_absent_and_unknown_members_are_ignored(body):
    assert mismatch(body, SERVICES) is None
