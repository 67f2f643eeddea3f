"""Percentiles and trimmed statistics against the definition, applied to the single values."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.cloudwatch.metrics import Metric, aggregate, statistic_set
from sandbox.cloudwatch.periods import gather
from sandbox.cloudwatch.points import BASE
from sandbox.cloudwatch.statistics import UnknownStatistic, parse
from sandbox.cloudwatch.store import Store

METRIC = Metric.of("Test", "Latency")
START = 29_000_000
seconds = st.floats(min_value=1e-4, max_value=1e4)
samples = st.lists(seconds, min_size=1, max_size=200)


def value_of(statistic: str, minutes: list[list[float]], tmp_path_factory) -> float:
    """The statistic over all minutes as one period, through the store and back."""
    store = Store(tmp_path_factory.mktemp("store") / "metrics.sqlite")
    store.add(
        {
            (METRIC, START + offset): (aggregate(values), "Seconds")
            for offset, values in enumerate(minutes)
        }
    )
    points = store.read(METRIC, START, START + len(minutes))
    store.close()
    return float(parse(statistic)(gather(points, START, len(minutes)))[0])


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.lists(samples, min_size=1, max_size=3), percent=st.sampled_from([1, 50, 90, 99.9])
)
def test_a_percentile_is_at_most_two_per_cent_off(minutes, percent, tmp_path_factory):
    ordered = sorted(value for values in minutes for value in values)
    exact = ordered[max(math.ceil(percent / 100 * len(ordered) - 1e-9), 1) - 1]

    computed = value_of(f"p{percent}", minutes, tmp_path_factory)

    assert computed == pytest.approx(exact, rel=BASE - 1 + 1e-6)


@settings(max_examples=40, deadline=None)
@given(values=samples, bound=st.floats(min_value=1e-3, max_value=1e3))
def test_a_trimmed_count_is_exact_but_for_the_bucket_of_its_bound(values, bound, tmp_path_factory):
    below = sum(value <= bound / BASE for value in values)
    perhaps = sum(value <= bound * BASE for value in values)

    computed = value_of(f"TC(:{bound:.6f})", [values], tmp_path_factory)

    assert below <= computed <= perhaps


@settings(max_examples=40, deadline=None)
@given(minutes=st.lists(samples, min_size=1, max_size=3))
def test_percentiles_never_cross(minutes, tmp_path_factory):
    names = ["Minimum", "p10", "p50", "p90", "p99", "p100", "Maximum"]

    values = [value_of(name, minutes, tmp_path_factory) for name in names]

    assert values == sorted(values)


@settings(max_examples=40, deadline=None)
@given(minutes=st.lists(samples, min_size=1, max_size=3))
def test_plain_statistics_are_exact(minutes, tmp_path_factory):
    flat = [value for values in minutes for value in values]

    assert value_of("SampleCount", minutes, tmp_path_factory) == len(flat)
    assert value_of("Sum", minutes, tmp_path_factory) == pytest.approx(sum(flat))
    assert value_of("Average", minutes, tmp_path_factory) == pytest.approx(sum(flat) / len(flat))
    assert value_of("Minimum", minutes, tmp_path_factory) == min(flat)
    assert value_of("Maximum", minutes, tmp_path_factory) == max(flat)


def test_a_trimmed_mean_leaves_out_the_slowest(tmp_path_factory):
    values = [1.0] * 90 + [100.0] * 10

    assert value_of("tm90", [values], tmp_path_factory) == pytest.approx(1.0, rel=0.02)
    assert value_of("TM(90%:100%)", [values], tmp_path_factory) == pytest.approx(100.0, rel=0.02)
    assert value_of("tc90", [values], tmp_path_factory) == 90
    assert value_of("ts90", [values], tmp_path_factory) == pytest.approx(90.0, rel=0.02)


def test_a_percentile_rank_is_the_share_of_values_in_the_range(tmp_path_factory):
    values = [0.1] * 30 + [0.5] * 50 + [2.0] * 20

    assert value_of("PR(:0.3)", [values], tmp_path_factory) == pytest.approx(30.0)
    assert value_of("PR(0.3:1)", [values], tmp_path_factory) == pytest.approx(50.0)


def test_zero_and_negative_values_have_their_order(tmp_path_factory):
    values = [-8.0, -2.0, 0.0, 0.0, 3.0]

    assert value_of("p20", [values], tmp_path_factory) == pytest.approx(-8.0, rel=0.02)
    assert value_of("p40", [values], tmp_path_factory) == pytest.approx(-2.0, rel=0.02)
    assert value_of("p60", [values], tmp_path_factory) == 0.0
    assert value_of("TC(:0)", [values], tmp_path_factory) == 4


def test_a_statistic_set_hides_its_percentiles_but_not_its_sum(tmp_path):
    store = Store(tmp_path / "metrics.sqlite")
    store.add({(METRIC, START): (statistic_set(4, 10.0, 1.0, 4.0), "Seconds")})

    periods = gather(store.read(METRIC, START, START + 1), START, 1)

    assert parse("Sum")(periods).tolist() == [10.0]
    assert np.isnan(parse("p90")(periods)).all()


def test_a_statistic_set_of_equal_values_has_percentiles(tmp_path):
    store = Store(tmp_path / "metrics.sqlite")
    store.add({(METRIC, START): (statistic_set(4, 10.0, 2.5, 2.5), "Seconds")})

    periods = gather(store.read(METRIC, START, START + 1), START, 1)

    assert parse("p90")(periods)[0] == pytest.approx(2.5)


@pytest.mark.parametrize(
    "name", ["p101", "Median", "TM(1:2%)", "TC(:)", "PR(10%:20%)", "wm90", "p", "sum"]
)
def test_unknown_statistics_are_refused(name):
    with pytest.raises(UnknownStatistic):
        parse(name)
