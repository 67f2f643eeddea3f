"""The state that data points put an alarm in, by AWS's own tables and by what must always hold."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from sandbox.alarms.evaluation import (
    EXTRA_POINTS,
    Rule,
    State,
    Treatment,
    breaches,
    evaluate,
    too_few_samples,
)

TABLE = json.loads(Path(__file__).with_name("missing_data.json").read_text())
CASES = [(case, treatment) for case in TABLE["cases"] for treatment in map(str, Treatment)]
KINDS = {"0": False, "X": True, "-": None}


def points_of(text):
    return [KINDS[sign] for sign in text.split()]


@st.composite
def rules(draw, treatment=None):
    periods = draw(st.integers(1, 8))
    kind = treatment or draw(st.sampled_from(Treatment))
    return Rule(periods, draw(st.integers(1, periods)), kind)


@st.composite
def situations(draw, kinds=(True, False, None), treatment=None):
    """A rule, and as many points as it retrieves."""
    rule = draw(rules(treatment))
    size = rule.range
    return rule, draw(st.lists(st.sampled_from(kinds), min_size=size, max_size=size))


@pytest.mark.parametrize(
    ("case", "treatment"),
    CASES,
    ids=[f"{c['points']}/{c['datapoints_to_alarm']}/{t}" for c, t in CASES],
)
def test_missing_data_are_treated_as_in_aws_truth_table(case, treatment):
    rule = Rule(case["evaluation_periods"], case["datapoints_to_alarm"], Treatment(treatment))

    outcome = evaluate(points_of(case["points"]), rule)

    assert (outcome.state or "RETAIN") == case[treatment]
    assert outcome.filled == case["fill"]


def test_the_table_has_forty_verdicts():
    assert len(CASES) == 40


@pytest.mark.parametrize("points", ["- - - - X", "- - - X -"])
def test_a_breach_that_may_pass_does_not_ring_prematurely(points):
    outcome = evaluate(points_of(points), Rule(3, 3))

    assert outcome.state is State.INSUFFICIENT_DATA


def test_the_oldest_breach_rings_once_it_is_as_old_as_the_points_needed():
    assert evaluate(points_of("- X - - -"), Rule(3, 3)).state is State.ALARM


def test_points_beyond_the_evaluation_range_are_forgotten():
    assert evaluate(points_of("0 0 0 - - - - -"), Rule(3, 3)).state is State.INSUFFICIENT_DATA


@pytest.mark.parametrize(
    ("comparison", "below", "equal", "above"),
    [
        ("GreaterThanThreshold", False, False, True),
        ("GreaterThanOrEqualToThreshold", False, True, True),
        ("LessThanThreshold", True, False, False),
        ("LessThanOrEqualToThreshold", True, True, False),
    ],
)
def test_values_are_compared_with_the_threshold(comparison, below, equal, above):
    found = [breaches(value, comparison, 5.0) for value in (4.9, 5.0, 5.1)]

    assert found == [below, equal, above]


@given(situations())
def test_an_alarm_never_rings_for_fewer_points_than_it_needs(situation):
    rule, points = situation

    outcome = evaluate(points, rule)

    breaching = sum(points[position] is True for position in outcome.real)
    if outcome.state is State.ALARM:
        assert breaching + outcome.filled >= rule.needed
        assert breaching >= rule.needed or rule.treatment is not Treatment.NOT_BREACHING


@given(situations(), st.data())
def test_one_more_breach_never_ends_an_alarm(situation, data):
    rule, points = situation
    fine = [position for position, point in enumerate(points) if point is False]
    assume(fine and evaluate(points, rule).state is State.ALARM)

    points[data.draw(st.sampled_from(fine))] = True

    assert evaluate(points, rule).state is State.ALARM


@given(situations(kinds=(True, False)), st.randoms())
def test_complete_data_are_counted_in_any_order(situation, dice):
    rule, points = situation
    newest = points[EXTRA_POINTS:]
    shuffled = dice.sample(newest, len(newest))

    assert evaluate(points[:EXTRA_POINTS] + shuffled, rule) == evaluate(points, rule)
    assert (evaluate(points, rule).state is State.ALARM) == (sum(newest) >= rule.needed)


@given(situations())
def test_enough_real_points_make_the_treatment_irrelevant(situation):
    rule, points = situation
    assume(sum(point is not None for point in points) >= rule.periods)

    states = {evaluate(points, Rule(rule.periods, rule.needed, each)).state for each in Treatment}

    assert len(states) == 1


@given(rules(Treatment.IGNORE))
def test_ignoring_missing_data_keeps_the_state_without_any(rule):
    assert evaluate([None] * rule.range, rule).state is None


@given(situations(treatment=Treatment.MISSING))
def test_one_good_point_is_enough_data(situation):
    rule, points = situation
    assume(False in points[-rule.range :])

    assert evaluate(points, rule).state in {State.OK, State.ALARM}
    assert evaluate([None] * rule.range, rule).state is State.INSUFFICIENT_DATA


@given(situations())
def test_every_treatment_lies_between_the_kindest_and_the_harshest(situation):
    rule, points = situation
    rank = {State.OK: 0, State.INSUFFICIENT_DATA: 1, None: 1, State.ALARM: 2}

    def state(treatment):
        return rank[evaluate(points, Rule(rule.periods, rule.needed, treatment)).state]

    kindest, harshest = state(Treatment.NOT_BREACHING), state(Treatment.BREACHING)
    assert all(kindest <= state(each) <= harshest for each in Treatment)


@given(situations())
def test_as_few_missing_points_as_possible_are_filled_in(situation):
    rule, points = situation
    real = sum(point is not None for point in points)

    outcome = evaluate(points, rule)

    assert outcome.filled == max(rule.periods - real, 0)
    assert list(outcome.real) == sorted(outcome.real, reverse=True)


@pytest.mark.parametrize(
    ("statistic", "samples", "few"),
    [
        ("p99", 999, True),
        ("p99", 1001, False),
        ("p50", 19, True),
        ("p50", 20, False),
        ("p10", 99, True),
        ("p10", 101, False),
        ("Average", 1, False),
        ("tm99", 1, False),
        ("p100", 1, False),
    ],
)
def test_a_percentile_needs_samples_beyond_it(statistic, samples, few):
    assert too_few_samples(statistic, samples) is few
