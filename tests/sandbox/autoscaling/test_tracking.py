"""What a policy asks for, and what it gets."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.autoscaling import tracking
from sandbox.autoscaling.tracking import Capacity, Cooldown, Decision, tracked

NONE = Cooldown()
metrics = st.floats(0, 400, allow_nan=False)
targets = st.floats(1, 100, allow_nan=False)


@st.composite
def capacities(draw):
    minimum = draw(st.integers(0, 10))
    maximum = draw(st.integers(minimum, 40))
    return Capacity(
        running=draw(st.integers(0, 50)),
        desired=draw(st.integers(0, 50)),
        minimum=minimum,
        maximum=maximum,
    )


def capacity(running, *, desired=None, minimum=2, maximum=10):
    return Capacity(running, running if desired is None else desired, minimum, maximum)


@pytest.mark.parametrize(
    ("running", "metric", "target", "expected"),
    [(2, 100, 60, 4), (4, 100, 60, 7), (7, 100, 60, 10), (2, 61, 60, 3), (2, 100, 70, 3)],
)
def test_capacity_grows_in_proportion_to_the_metric(running, metric, target, expected):
    decision = tracking.scale_out(tracked(metric, target), capacity(running), NONE, 0)

    assert decision == Decision(expected)


def test_growth_starts_from_what_runs_not_from_what_is_desired():
    wish = tracked(100, 60)

    decision = tracking.scale_out(wish, capacity(2, desired=4), NONE, 0)

    assert decision == Decision(not_scaled=tracking.AT_DESIRED)


def test_nothing_grows_beyond_the_maximum():
    wish = tracked(100, 60)

    near, at = (tracking.scale_out(wish, capacity(n), NONE, 0) for n in (9, 10))

    assert near == Decision(10)
    assert at == Decision(not_scaled=tracking.AT_MAXIMUM)


def test_a_count_set_below_the_minimum_is_raised_to_it_by_a_scale_out_only():
    low = capacity(1, desired=1, minimum=3)

    out = tracking.scale_out(tracked(61, 60), low, NONE, 0)
    inward = tracking.scale_in(tracked(1, 60), low, NONE, 0)

    assert out == Decision(3)
    assert inward == Decision(not_scaled=tracking.AT_MINIMUM)


def test_a_count_set_above_the_maximum_is_lowered_to_it_by_a_scale_in_only():
    high = capacity(12, maximum=10)

    out = tracking.scale_out(tracked(100, 60), high, NONE, 0)
    inward = tracking.scale_in(tracked(53, 60), high, NONE, 0)

    assert out == Decision(not_scaled=tracking.AT_MAXIMUM)
    assert inward == Decision(10)


def test_in_a_cooldown_only_a_larger_scale_out_is_done():
    cooldown = tracking.after_scale_out(NONE, 2, at=1000, seconds=300)
    grown = capacity(4)

    same = tracking.scale_out(tracked(100, 60), grown, cooldown, 1100)
    larger = tracking.scale_out(tracked(150, 60), grown, cooldown, 1100)
    later = tracking.scale_out(tracked(100, 60), grown, cooldown, 1300)

    assert same == Decision(not_scaled=tracking.AT_DESIRED)
    assert larger == Decision(5)
    assert later == Decision(7)


def test_a_larger_scale_out_keeps_the_base_of_the_first():
    first = tracking.after_scale_out(NONE, 2, at=1000, seconds=300)

    second = tracking.after_scale_out(first, 4, at=1100, seconds=300)

    assert second == Cooldown(out_since=1100, out_until=1400, out_base=2)


def test_a_scale_out_ends_the_cooldown_of_a_scale_in():
    resting = tracking.after_scale_in(NONE, at=1000, seconds=300)

    out = tracking.scale_out(tracked(90, 60), capacity(4), resting, 1001)
    after = tracking.after_scale_out(resting, 4, at=1001, seconds=60)

    assert out == Decision(6)
    assert after.in_until == 0


def test_a_scale_in_waits_for_its_cooldown_and_says_nothing():
    resting = tracking.after_scale_in(NONE, at=1000, seconds=300)

    during, then = (
        tracking.scale_in(tracked(10, 60), capacity(8), resting, at) for at in (1299, 1300)
    )

    assert during == Decision()
    assert then == Decision(2)


def test_a_clock_that_is_stepped_back_ends_the_cooldowns():
    grown = tracking.after_scale_out(NONE, 2, at=5000, seconds=300)
    shrunk = tracking.after_scale_in(NONE, at=5000, seconds=300)

    out = tracking.scale_out(tracked(100, 60), capacity(4), grown, 1400)
    less = tracking.scale_in(tracked(10, 60), capacity(8), shrunk, 1400)

    assert out == Decision(7)
    assert less == Decision(2)


def test_capacity_stays_when_one_less_would_push_the_metric_over_the_target():
    decision = tracking.scale_in(tracked(45, 60), capacity(3), NONE, 0)

    assert decision == Decision(not_scaled=tracking.FLAPPING)


def test_scale_in_needs_every_policy_and_takes_the_largest_capacity():
    cpu, requests = tracked(10, 60), tracked(40, 60)

    assert tracking.agreed({"cpu": cpu, "requests": None}) is None
    assert tracking.agreed({}) is None
    assert tracking.agreed({"cpu": cpu, "requests": requests})(6) == 4


@given(capacities(), metrics, targets, st.booleans())
def test_no_decision_leaves_the_limits(now, metric, target, grow):
    decide = tracking.scale_out if grow else tracking.scale_in

    decision = decide(tracked(metric, target), now, NONE, 0)

    if decision.capacity is not None:
        assert now.minimum <= decision.capacity <= now.maximum
        assert (decision.capacity > now.desired) is grow
        assert decision.not_scaled is None


@given(capacities(), metrics, metrics, targets)
def test_a_higher_metric_never_means_less_capacity(now, one, other, target):
    low, high = sorted((one, other))

    def after(metric):
        out = tracking.scale_out(tracked(metric, target), now, NONE, 0).capacity
        return out or tracking.scale_in(tracked(metric, target), now, NONE, 0).capacity

    less, more = after(low), after(high)

    assert less is None or more is None or less <= more or more > now.desired


@given(st.integers(1, 40), st.floats(0.01, 1.0), targets)
def test_a_scale_in_never_triggers_a_scale_out_under_the_same_load(running, share, target):
    metric = share * 0.9 * target
    now = capacity(running, minimum=0, maximum=50)

    removed = tracking.scale_in(tracked(metric, target), now, NONE, 0)

    if removed.capacity:
        projected = metric * running / removed.capacity
        assert projected <= target * (1 + 1e-6)
        settled = capacity(removed.capacity, minimum=0, maximum=50)
        assert tracking.scale_out(tracked(projected, target), settled, NONE, 0).capacity is None


@given(
    st.lists(st.floats(1, 100), min_size=1, max_size=40),
    st.integers(60, 600),
)
def test_within_a_cooldown_capacity_never_exceeds_what_one_scale_out_would_give(values, seconds):
    base, cooldown, running = 2, NONE, 2
    for minute, metric in enumerate(values):
        at = 60.0 * minute
        now = capacity(running, maximum=1000)
        wish = tracked(metric, 60)
        base = base if at < cooldown.out_until else running
        decision = tracking.scale_out(wish, now, cooldown, at)
        if decision.capacity is not None:
            assert decision.capacity == math.ceil(base * metric / 60 - 1e-9)
            cooldown = tracking.after_scale_out(cooldown, running, at, seconds)
            running = decision.capacity
