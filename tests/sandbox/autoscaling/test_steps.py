"""Step scaling as its guide describes it."""

from __future__ import annotations

import pytest

from sandbox.autoscaling import steps
from sandbox.errors import AwsError


def step(lower, upper, adjustment):
    bounds = {"MetricIntervalLowerBound": lower, "MetricIntervalUpperBound": upper}
    return {k: v for k, v in bounds.items() if v is not None} | {"ScalingAdjustment": adjustment}


OUT = [step(0, 10, 0), step(10, 20, 10), step(20, None, 30)]
IN = [step(-10, 0, 0), step(-20, -10, -10), step(None, -20, -30)]


def percent(adjustments, **more):
    kind = {"AdjustmentType": "PercentChangeInCapacity", "StepAdjustments": adjustments}
    return kind | more


@pytest.mark.parametrize(
    ("configuration", "metric", "base", "expected"),
    [
        (percent(OUT), 59, 10, 10),
        (percent(OUT), 60, 10, 11),
        (percent(OUT), 70, 11, 14),
        (percent(IN), 41, 14, 14),
        (percent(IN), 40, 14, 13),
        (percent(IN), 30, 13, 10),
        (percent(IN), 50, 13, 13),
    ],
)
def test_the_guides_example_scales_as_the_guide_says(configuration, metric, base, expected):
    assert steps.wanted(configuration, metric=metric, threshold=50)(base) == expected


@pytest.mark.parametrize(
    ("kind", "base", "adjustment", "magnitude", "expected"),
    [
        ("ChangeInCapacity", 3, 5, 0, 8),
        ("ChangeInCapacity", 3, -5, 0, -2),
        ("ExactCapacity", 3, 5, 0, 5),
        ("PercentChangeInCapacity", 10, 127, 0, 22),
        ("PercentChangeInCapacity", 1, 67, 0, 2),
        ("PercentChangeInCapacity", 1, -58, 0, 0),
        ("PercentChangeInCapacity", 10, -66, 0, 4),
        ("PercentChangeInCapacity", 4, 25, 2, 6),
        ("PercentChangeInCapacity", 10, 0, 2, 10),
    ],
)
def test_adjustments_are_rounded_as_documented(kind, base, adjustment, magnitude, expected):
    assert steps.adjusted(kind, base, adjustment, magnitude) == expected


def test_no_step_below_the_threshold_asks_for_nothing():
    assert steps.wanted(percent(OUT), metric=40, threshold=50) is None


def test_capacity_never_becomes_negative():
    change = {"AdjustmentType": "ChangeInCapacity", "StepAdjustments": [step(None, 0, -5)]}

    assert steps.wanted(change, metric=1, threshold=50)(3) == 0


@pytest.mark.parametrize(
    ("configuration", "message"),
    [
        (percent([]), "are required"),
        (percent([step(0, 20, 1), step(10, None, 2)]), "overlap"),
        (percent([step(float("nan"), None, 1)]), "finite"),
        (percent([step(float("-inf"), 0, 1)]), "finite"),
        (percent([step(0, 10, 1), step(20, None, 2)]), "gaps"),
        (percent([step(None, None, 1)]), "At least one"),
        (percent([step(20, 10, 1)]), "less than"),
        (percent([step(0, 10, 1)]), "unspecified upper"),
        (percent([step(-10, 0, -1)]), "unspecified lower"),
        (percent([step(n, n + 1, 1) for n in range(21)]), "At most 20"),
        ({"AdjustmentType": "ExactCapacity", "StepAdjustments": [step(0, None, -1)]}, "negative"),
        (
            percent([step(0, None, 1)], MinAdjustmentMagnitude=2)
            | {"AdjustmentType": "ChangeInCapacity"},
            "MinAdjustmentMagnitude",
        ),
    ],
)
def test_steps_that_make_no_sense_are_refused(configuration, message):
    with pytest.raises(AwsError, match=message) as refused:
        steps.check(configuration)

    assert refused.value.code == "ValidationException"


@pytest.mark.parametrize("adjustments", [OUT, IN])
def test_the_guides_steps_are_accepted(adjustments):
    steps.check(percent(adjustments))
