"""What state an alarm's data points put it in: M of N, and the four treatments of missing data.

Source: CloudWatch user guide, "Configuring how CloudWatch alarms treat missing data", with both of
its tables and the section "Avoiding premature transitions to alarm state". Pure: no clock, no data.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

# CloudWatch retrieves more points than EvaluationPeriods in case some are missing: the guide's
# example 5 for 3; an alarm of one 15-minute period was seen to keep its last point for 45 minutes.
EXTRA_POINTS = 2


class State(StrEnum):
    """The three states of an alarm."""

    OK = "OK"
    ALARM = "ALARM"
    INSUFFICIENT_DATA = "INSUFFICIENT_DATA"


class Treatment(StrEnum):
    """TreatMissingData."""

    MISSING = "missing"
    IGNORE = "ignore"
    BREACHING = "breaching"
    NOT_BREACHING = "notBreaching"


COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanOrEqualToThreshold": operator.ge,
    "GreaterThanThreshold": operator.gt,
    "LessThanThreshold": operator.lt,
    "LessThanOrEqualToThreshold": operator.le,
}


@dataclass(frozen=True)
class Rule:
    """`needed` breaching points (M) of `periods` (N) put the alarm into ALARM."""

    periods: int
    needed: int
    treatment: Treatment = Treatment.MISSING

    @property
    def range(self) -> int:
        """How many of the newest points are retrieved."""
        return self.periods + EXTRA_POINTS


@dataclass(frozen=True)
class Outcome:
    """The verdict. `state` is None where the current one is kept.

    `real` are the positions of the evaluated points, newest first; `filled` says how many missing
    points were evaluated beside them.
    """

    state: State | None
    real: tuple[int, ...]
    filled: int


def breaches(value: float | None, comparison: str, threshold: float) -> bool | None:
    """Whether a value breaches the threshold; None for a missing value."""
    return None if value is None else COMPARISONS[comparison](value, threshold)


def evaluate(points: Sequence[bool | None], rule: Rule) -> Outcome:
    """The outcome of the newest `rule.range` points, oldest first; None is a missing point."""
    newest = list(enumerate(points))[::-1][: rule.range]
    real = tuple(position for position, breach in newest if breach is not None)[: rule.periods]
    filled = rule.periods - len(real)
    breaching = sum(points[position] is True for position in real)
    if filled == 0 or breaching >= rule.needed:
        return Outcome(_by_count(breaching, rule), real, filled)
    return Outcome(_with_missing(points, rule, real, breaching), real, filled)


def _by_count(breaching: int, rule: Rule) -> State:
    return State.ALARM if breaching >= rule.needed else State.OK


def _with_missing(
    points: Sequence[bool | None], rule: Rule, real: tuple[int, ...], breaching: int
) -> State | None:
    """The state when points have to be filled in and the real ones do not suffice for ALARM."""
    if rule.treatment is Treatment.BREACHING:
        return _by_count(breaching + rule.periods - len(real), rule)
    if rule.treatment is Treatment.NOT_BREACHING or breaching < len(real):
        return State.OK
    if rule.treatment is Treatment.IGNORE:
        return None
    # Every real point breaches, and they are too few. The oldest decides: see "premature
    # transitions". An alarm that may still turn out well has not enough data.
    old_enough = bool(real) and len(points) - real[-1] >= rule.needed
    return State.ALARM if old_enough else State.INSUFFICIENT_DATA


def too_few_samples(statistic: str, samples: float) -> bool:
    """Whether a percentile such as `p99` stands on too few samples to mean anything.

    Fewer than 10/(1-p) for p from 0.5, fewer than 10/p below: "Percentile-based alarms and low
    data samples". False for any other statistic, and for p0 and p100, which have no such number.
    """
    try:
        share = float(statistic.removeprefix("p")) / 100
    except ValueError:
        return False
    tail = 1 - share if share >= 0.5 else share
    return statistic.startswith("p") and 0 < tail < 1 and samples < 10 / tail
