"""Dynamic labels by the table of "Using dynamic labels"."""

from __future__ import annotations

import pytest

from sandbox.errors import AwsError
from tests.sandbox.cloudwatch.asking import answer, math, put, stat


@pytest.fixture
def jobs(cloudwatch):
    for minute, number in enumerate((5.0, 1.0, 9.0, 3.0)):
        put(cloudwatch, minute, number)
    return cloudwatch


def label(cloudwatch, text, *queries, **parameters):
    asked = queries or [stat(Label=text)]
    return answer(cloudwatch, *asked, **parameters)["MetricDataResults"][-1]["Label"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain", "plain"),
        ("[avg: ${AVG}] ${LABEL}", "[avg: 4.5] Jobs"),
        ("${MIN}/${MAX}/${SUM}", "1/9/18"),
        ("${FIRST} ${LAST} ${DATAPOINT_COUNT}", "5 3 4"),
        ("${FIRST_LAST_RANGE} ${MIN_MAX_RANGE}", "-2 8"),
        ("${MAX_TIME}", "2026-11-22T12:02:00+00:00"),
        ("${MIN_TIME_RELATIVE}", "29m"),
        ("${FIRST_TIME} ${LAST_TIME}", "2026-11-22T12:00:00+00:00 2026-11-22T12:03:00+00:00"),
        ("${FIRST_LAST_TIME_RANGE} ${MIN_MAX_TIME_RANGE}", "3m 1m"),
        ("${LAST_TIME_RELATIVE} ${FIRST_TIME_RELATIVE}", "27m 30m"),
        ("${PROP('Dim.Queue')} ${PROP('Dim.Zone')}", "a --"),
        ("${PROP('MetricName')} ${PROP('Namespace')}", "Jobs News"),
        ("${PROP('Stat')} ${PROP('Period')}", "Sum 60"),
        ("${PROP('Region')} ${PROP('AccountId')}", "us-east-1 123456789012"),
    ],
)
def test_dynamic_parts_are_written_out(jobs, text, expected):
    assert label(jobs, text) == expected


def test_times_are_in_the_time_zone_asked_for(jobs):
    shown = label(jobs, "${MAX_TIME}", LabelOptions={"Timezone": "-0130"})

    assert shown == "2026-11-22T10:32:00-01:30"


def test_values_that_do_not_exist_are_dashes(cloudwatch):
    assert label(cloudwatch, "${MAX} ${LABEL}") == "-- Jobs"


def test_expressions_have_values_but_no_properties(jobs):
    queries = [stat(ReturnData=False), math("q * 2", Label="${SUM} ${PROP('MetricName')}")]

    assert label(jobs, None, *queries) == "36 --"


@pytest.mark.parametrize(
    "text",
    ["${MEDIAN}", "${LABEL} ${LABEL}", "${MIN}${MAX}${AVG}${SUM}${LAST}${FIRST}", "${PROP(Stat)}"],
)
def test_labels_that_make_no_sense_are_refused(jobs, text):
    with pytest.raises(AwsError) as refused:
        label(jobs, text)

    assert refused.value.code == "ValidationError"


@pytest.mark.parametrize("zone", ["UTC", "0130", "+1530", "+0199"])
def test_other_time_zones_are_refused(jobs, zone):
    with pytest.raises(AwsError) as refused:
        label(jobs, "x", LabelOptions={"Timezone": zone})

    assert refused.value.code == "ValidationError"
