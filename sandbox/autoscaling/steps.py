"""Step scaling: which step an alarm's breach falls into, and the capacity it makes.

Source: Application Auto Scaling user guide, "How step scaling works".
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.autoscaling.errors import invalid
from sandbox.autoscaling.tracking import Wanted

MAX_STEPS = 20

Configuration = Mapping[str, Any]


def wanted(configuration: Configuration, *, metric: float, threshold: float) -> Wanted | None:
    """What the policy asks for at this metric value; None when no step covers it."""
    step = step_for(configuration["StepAdjustments"], metric - threshold)
    if step is None:
        return None
    adjustment = int(step["ScalingAdjustment"])
    magnitude = int(configuration.get("MinAdjustmentMagnitude", 0))
    kind = str(configuration["AdjustmentType"])
    return lambda base: max(0, adjusted(kind, base, adjustment, magnitude))


def adjusted(kind: str, base: int, adjustment: int, magnitude: int = 0) -> int:
    """The capacity after an adjustment of `base`.

    A percentage is cut to a whole number, but is at least 1 (or MinAdjustmentMagnitude).
    """
    if kind == "ExactCapacity":
        return adjustment
    if kind == "ChangeInCapacity":
        return base + adjustment
    change = base * adjustment / 100
    size = max(math.floor(abs(change)), 1 if change else 0, magnitude if adjustment else 0)
    return base + int(math.copysign(size, adjustment))


def step_for(steps: Sequence[Mapping[str, Any]], breach: float) -> Mapping[str, Any] | None:
    """The step whose bounds hold `breach` (metric - threshold).

    Above the threshold the lower bound belongs to the step, below it the upper bound.
    """
    for step in steps:
        lower, upper = _bounds(step)
        if (lower <= breach < upper) if breach >= 0 else (lower < breach <= upper):
            return step
    # At the threshold itself the steps of an alarm that looks downwards end.
    return next((step for step in steps if breach == 0 == _bounds(step)[1]), None)


def _bounds(step: Mapping[str, Any]) -> tuple[float, float]:
    lower = step.get("MetricIntervalLowerBound")
    upper = step.get("MetricIntervalUpperBound")
    return (
        -math.inf if lower is None else float(lower),
        math.inf if upper is None else float(upper),
    )


def check(configuration: Configuration) -> None:
    """Raise ValidationException unless the steps cover their side without overlap or gap."""
    steps = configuration.get("StepAdjustments", [])
    if not configuration.get("AdjustmentType") or not steps:
        raise invalid("AdjustmentType and StepAdjustments are required for step scaling policies")
    if len(steps) > MAX_STEPS:
        raise invalid(f"At most {MAX_STEPS} step adjustments can be specified")
    told = ("MetricIntervalLowerBound", "MetricIntervalUpperBound")
    if not all(math.isfinite(step[name]) for step in steps for name in told if name in step):
        raise invalid("The bounds of a StepAdjustment must be finite")
    bounds = sorted(_bounds(step) for step in steps)
    _check_each(bounds)
    for (_, upper), (lower, _) in itertools.pairwise(bounds):
        if lower < upper:
            raise invalid("StepAdjustment intervals can't overlap")
        if lower > upper:
            raise invalid("StepAdjustment intervals can't have gaps between them")
    _check_ends(bounds)
    _check_adjustments(configuration)


def _check_each(bounds: Sequence[tuple[float, float]]) -> None:
    for lower, upper in bounds:
        if math.isinf(lower) and math.isinf(upper):
            raise invalid("At least one of the bounds of a StepAdjustment must be specified")
        if lower >= upper:
            raise invalid("StepAdjustment lower bound must be less than its upper bound")


def _check_ends(bounds: Sequence[tuple[float, float]]) -> None:
    lowest, highest = bounds[0][0], bounds[-1][1]
    if lowest < 0 and not math.isinf(lowest):
        raise invalid(
            "There must be a StepAdjustment with an unspecified lower bound when one "
            "StepAdjustment has a negative lower bound"
        )
    if highest > 0 and not math.isinf(highest):
        raise invalid(
            "There must be a StepAdjustment with an unspecified upper bound when one "
            "StepAdjustment has a positive upper bound"
        )


def _check_adjustments(configuration: Configuration) -> None:
    kind = configuration["AdjustmentType"]
    negative = any(step["ScalingAdjustment"] < 0 for step in configuration["StepAdjustments"])
    if kind == "ExactCapacity" and negative:
        raise invalid("ScalingAdjustment must not be negative for ExactCapacity")
    if "MinAdjustmentMagnitude" in configuration and kind != "PercentChangeInCapacity":
        raise invalid("MinAdjustmentMagnitude is only valid for PercentChangeInCapacity")
