"""Reasons read as CloudWatch's own: each sentence here is one that somebody received from AWS."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.alarms.evaluation import Rule, Treatment, breaches, evaluate
from sandbox.alarms.reasons import MAX_DATA, Datapoint, Watched, data, explain, number, stamp


def reason(last, values, comparison, threshold, *, needed=None, period=60, treatment="missing"):
    """The reason for values of consecutive periods, oldest first; the last one began at `last`."""
    points = _points(last, values, period)
    outcome, watched = _outcome(points, comparison, threshold, needed, period, treatment, values)
    return explain(outcome, points, watched)


def _points(last, values, period=60):
    end = datetime.strptime(last, "%d/%m/%y %H:%M:%S").replace(tzinfo=UTC)
    count = len(values)
    return [
        Datapoint((end - timedelta(seconds=period * (count - 1 - i))).timestamp(), value, 5.0)
        for i, value in enumerate(values)
    ]


def _outcome(points, comparison, threshold, needed, period, treatment, values):
    periods = max(len(values) - 2, 1)
    rule = Rule(periods, needed or periods, Treatment(treatment))
    verdicts = [breaches(point.value, comparison, threshold) for point in points]
    watched = Watched(
        rule, comparison, threshold, period, statistic="Average", out_of=needed is not None
    )
    return evaluate(verdicts, rule), watched


MISSING = None


@pytest.mark.parametrize(
    ("text", "arguments"),
    [
        (
            (
                "Threshold Crossed: 1 out of the last 1 datapoints [99.636612021858 "
                "(08/09/18 19:10:00)] was greater than or equal to the threshold (10.0) "
                "(minimum 1 datapoint for OK -> ALARM transition)."
            ),
            {
                "last": "08/09/18 19:10:00",
                "values": [0.0, 0.0, 99.636612021858],
                "comparison": "GreaterThanOrEqualToThreshold",
                "threshold": 10.0,
                "needed": 1,
            },
        ),
        (
            (
                "Threshold Crossed: 2 out of the last 2 datapoints [63.0 (11/12/24 06:04:00), "
                "66.0 (11/12/24 05:59:00)] were greater than the threshold (50.0) "
                "(minimum 2 datapoints for OK -> ALARM transition)."
            ),
            {
                "last": "11/12/24 06:04:00",
                "values": [0.0, 0.0, 66.0, 63.0],
                "comparison": "GreaterThanThreshold",
                "threshold": 50.0,
                "needed": 2,
                "period": 300,
            },
        ),
        (
            (
                "Threshold Crossed: 1 out of the last 50 datapoints [48.0 (04/12/24 00:34:00)] was "
                "not greater than the threshold (50.0) (minimum 1 datapoint for ALARM -> OK "
                "transition)."
            ),
            {
                "last": "04/12/24 00:34:00",
                "values": [60.0] * 51 + [48.0],
                "comparison": "GreaterThanThreshold",
                "threshold": 50.0,
                "needed": 50,
            },
        ),
        (
            (
                "Threshold Crossed: 5 out of the last 5 datapoints were greater than the threshold "
                "(400000.0). The most recent datapoints which crossed the threshold: "
                "[624630.0 (21/05/20 18:31:00), 1223375.0 (21/05/20 18:26:00), "
                "1054630.0 (21/05/20 18:21:00), 1893750.0 (21/05/20 18:16:00), "
                "2126585.0 (21/05/20 18:11:00)] (minimum 5 datapoints for OK -> ALARM transition)."
            ),
            {
                "last": "21/05/20 18:31:00",
                "values": [0.0, 0.0, 2126585.0, 1893750.0, 1054630.0, 1223375.0, 624630.0],
                "comparison": "GreaterThanThreshold",
                "threshold": 400000.0,
                "needed": 5,
                "period": 300,
            },
        ),
        (
            (
                "Threshold Crossed: 5 datapoints were greater than the threshold (10.0). The most "
                "recent datapoints which crossed the threshold: [27.5 (08/08/17 20:09:00), "
                "27.5 (08/08/17 20:08:00), 27.5 (08/08/17 20:07:00), 27.5 (08/08/17 20:06:00), "
                "27.5 (08/08/17 20:05:00)]."
            ),
            {
                "last": "08/08/17 20:09:00",
                "values": [0.0, 0.0] + [27.5] * 5,
                "comparison": "GreaterThanThreshold",
                "threshold": 10.0,
            },
        ),
        (
            (
                "Threshold Crossed: 1 datapoint [1.50755950592E10 (12/09/19 09:49:00)] was not "
                "less than the threshold (5.0)."
            ),
            {
                "last": "12/09/19 09:49:00",
                "values": [0.0, 0.0, 15075595059.2],
                "comparison": "LessThanThreshold",
                "threshold": 5.0,
                "period": 300,
            },
        ),
        (
            (
                "Threshold Crossed: 1 datapoint [0.0 (03/08/26 11:42:00)] was not greater than or "
                "equal to the threshold (1.0) and 1 missing datapoint was treated as [Breaching]."
            ),
            {
                "last": "03/08/26 11:44:00",
                "values": [MISSING, 0.0, MISSING, MISSING],
                "comparison": "GreaterThanOrEqualToThreshold",
                "threshold": 1.0,
                "treatment": "breaching",
            },
        ),
        (
            (
                "Threshold Crossed: no datapoints were received for 1 period and 1 missing "
                "datapoint was treated as [NonBreaching]."
            ),
            {
                "last": "01/01/26 00:00:00",
                "values": [MISSING] * 3,
                "comparison": "GreaterThanThreshold",
                "threshold": 0.0,
                "treatment": "notBreaching",
            },
        ),
        (
            (
                "Threshold Crossed: 1 datapoint was received for 3 periods and 2 missing "
                "datapoints were treated as [Breaching]."
            ),
            {
                "last": "05/09/26 20:47:00",
                "values": [MISSING, MISSING, MISSING, 0.0, MISSING],
                "comparison": "GreaterThanThreshold",
                "threshold": 0.0,
                "needed": 2,
                "treatment": "breaching",
            },
        ),
        (
            "Insufficient Data: 5 datapoints were unknown.",
            {
                "last": "04/08/23 12:30:00",
                "values": [MISSING] * 7,
                "comparison": "GreaterThanThreshold",
                "threshold": 5.0,
            },
        ),
        (
            "Insufficient Data: 1 datapoint was unknown.",
            {
                "last": "26/10/24 18:37:00",
                "values": [MISSING] * 3,
                "comparison": "GreaterThanThreshold",
                "threshold": 1.0,
            },
        ),
    ],
)
def test_the_reason_is_worded_as_cloudwatch_words_it(text, arguments):
    assert reason(**arguments) == text


def test_reason_data_hold_the_evaluated_points():
    values = [30.0, 30.0, 41.0, 33.8, 32.6]
    points = _points("03/07/25 08:29:00", values, 300)
    outcome, watched = _outcome(points, "GreaterThanThreshold", 31.0, 3, 300, "missing", values)

    found = json.loads(data(outcome, points, watched, datetime(2025, 7, 3, 8, 34, 6, tzinfo=UTC)))

    assert found == {
        "version": "1.0",
        "queryDate": "2025-07-03T08:34:06.000+0000",
        "startDate": "2025-07-03T08:19:00.000+0000",
        "statistic": "Average",
        "period": 300,
        "recentDatapoints": [41.0, 33.8, 32.6],
        "threshold": 31.0,
        "evaluatedDatapoints": [
            {"timestamp": "2025-07-03T08:29:00.000+0000", "sampleCount": 5.0, "value": 32.6},
            {"timestamp": "2025-07-03T08:24:00.000+0000", "sampleCount": 5.0, "value": 33.8},
            {"timestamp": "2025-07-03T08:19:00.000+0000", "sampleCount": 5.0, "value": 41.0},
        ],
    }


def test_reason_data_without_points_have_no_start():
    points = _points("26/10/24 18:37:00", [MISSING] * 3)
    outcome, watched = _outcome(
        points, "GreaterThanThreshold", 1.0, None, 60, "missing", [MISSING] * 3
    )

    found = json.loads(data(outcome, points, watched, datetime(2024, 10, 26, 18, 38, tzinfo=UTC)))

    assert "startDate" not in found
    assert found["recentDatapoints"] == []
    assert found["evaluatedDatapoints"] == [{"timestamp": "2024-10-26T18:37:00.000+0000"}]


def test_reason_data_of_a_whole_day_still_fit():
    values = [1 / 3] * 1442
    points = _points("26/10/24 18:37:00", values)
    outcome, watched = _outcome(points, "GreaterThanThreshold", 0.0, None, 60, "missing", values)

    text = data(outcome, points, watched, datetime(2024, 10, 26, 18, 38, tzinfo=UTC))

    assert len(text) <= MAX_DATA
    assert json.loads(text)["recentDatapoints"][-1] == 1 / 3


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0.0"),
        (3.0, "3.0"),
        (9999999.0, "9999999.0"),
        (1e7, "1.0E7"),
        (0.001, "0.001"),
        (0.00025, "2.5E-4"),
        (-15075595059.2, "-1.50755950592E10"),
    ],
)
def test_numbers_are_written_as_java_writes_them(value, text):
    assert number(value) == text


def test_moments_are_written_with_milliseconds_and_offset():
    assert stamp(datetime(2024, 12, 6, 5, 36, 35, 649_999, tzinfo=UTC)) == (
        "2024-12-06T05:36:35.649+0000"
    )
