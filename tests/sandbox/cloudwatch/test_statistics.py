"""Percentiles and trimmed statistics against the definition, applied to the single values."""

from __future__ import annotations

import math
from itertools import count

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


NUMBERS = count()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    store = Store(tmp_path_factory.mktemp("statistics") / "metrics.sqlite")
    yield store
    store.close()


def values_of(store, minutes, *names):
    """Statistics over all minutes as one period, through the store and back."""
    metric = Metric.of("Test", "Latency", Number=str(next(NUMBERS)))
    store.add(
        {
            (metric, START + offset): (aggregate(values), "Seconds")
            for offset, values in enumerate(minutes)
        }
    )
    periods = gather(store.read(metric, START, START + len(minutes)), START, len(minutes))
    return [float(parse(name)(periods)[0]) for name in names]


def value_of(store, minutes, name):
    (value,) = values_of(store, minutes, name)
    return value


@settings(max_examples=40, deadline=None)
@given(
    minutes=st.lists(samples, min_size=1, max_size=3), percent=st.sampled_from([1, 50, 90, 99.9])
)
def test_a_percentile_is_at_most_two_per_cent_off(minutes, percent, store):
    ordered = sorted(value for values in minutes for value in values)
    exact = ordered[max(math.ceil(percent / 100 * len(ordered) - 1e-9), 1) - 1]

    computed = value_of(store, minutes, f"p{percent}")

    assert computed == pytest.approx(exact, rel=BASE - 1 + 1e-6)


@settings(max_examples=40, deadline=None)
@given(values=samples, bound=st.floats(min_value=1e-3, max_value=1e3))
def test_a_trimmed_count_is_exact_but_for_the_bucket_of_its_bound(values, bound, store):
    below = sum(value <= bound / BASE for value in values)
    perhaps = sum(value <= bound * BASE for value in values)

    computed = value_of(store, [values], f"TC(:{bound:.6f})")

    assert below <= computed <= perhaps


@settings(max_examples=40, deadline=None)
@given(minutes=st.lists(samples, min_size=1, max_size=3))
def test_percentiles_never_cross(minutes, store):
    names = ["Minimum", "p10", "p50", "p90", "p99", "p100", "Maximum"]

    values = values_of(store, minutes, *names)

    assert values == sorted(values)


@settings(max_examples=40, deadline=None)
@given(minutes=st.lists(samples, min_size=1, max_size=3))
def test_plain_statistics_are_exact(minutes, store):
    flat = [value for values in minutes for value in values]

    assert value_of(store, minutes, "SampleCount") == len(flat)
    assert value_of(store, minutes, "Sum") == pytest.approx(sum(flat))
    assert value_of(store, minutes, "Average") == pytest.approx(sum(flat) / len(flat))
    assert value_of(store, minutes, "Minimum") == min(flat)
    assert value_of(store, minutes, "Maximum") == max(flat)


def test_a_trimmed_mean_leaves_out_the_slowest(store):
    values = [1.0] * 90 + [100.0] * 10

    assert value_of(store, [values], "tm90") == pytest.approx(1.0, rel=0.02)
    assert value_of(store, [values], "TM(90%:100%)") == pytest.approx(100.0, rel=0.02)
    assert value_of(store, [values], "tc90") == 90
    assert value_of(store, [values], "ts90") == pytest.approx(90.0, rel=0.02)


def test_a_percentile_rank_is_the_share_of_values_in_the_range(store):
    values = [0.1] * 30 + [0.5] * 50 + [2.0] * 20

    assert value_of(store, [values], "PR(:0.3)") == pytest.approx(30.0)
    assert value_of(store, [values], "PR(0.3:1)") == pytest.approx(50.0)


def test_zero_is_the_smallest_value_that_has_percentiles(store):
    values = [0.0, 0.0, 0.0, 3.0]

    assert value_of(store, [values], "p60") == 0.0
    assert value_of(store, [values], "TC(:0)") == 3


def test_with_negative_values_there_are_no_percentiles(store):
    values = [-8.0, 0.0, 3.0]

    assert value_of(store, [values], "Minimum") == -8.0
    for name in ("p50", "TM(:90%)", "TC(:1)", "PR(:1)", "wm90"):
        assert math.isnan(value_of(store, [values], name))


def test_a_winsorized_mean_counts_the_outliers_as_the_edge(store):
    values = [1.0] * 10 + [5.0] * 80 + [1000.0] * 10

    by_percent = value_of(store, [values], "WM(10%:90%)")
    by_value = value_of(store, [values], "WM(2:10)")
    one_sided = value_of(store, [values], "wm90")

    assert by_percent == pytest.approx((10 * 1 + 80 * 5 + 10 * 5) / 100, rel=0.02)
    assert by_value == pytest.approx((10 * 2 + 80 * 5 + 10 * 10) / 100, rel=0.02)
    assert one_sided == pytest.approx((10 * 1 + 80 * 5 + 10 * 5) / 100, rel=0.02)


@settings(max_examples=40, deadline=None)
@given(values=samples, percent=st.sampled_from([50, 90, 99]))
def test_a_trimmed_sum_is_the_trimmed_mean_times_the_trimmed_count(values, percent, store):
    kept = len(values) * percent / 100

    mean, total = (value_of(store, [values], f"{kind}{percent}") for kind in ("tm", "ts"))

    assert total == pytest.approx(mean * kept, rel=1e-4)


def test_an_open_bound_keeps_everything_on_its_side(store):
    values = [0.1] * 30 + [0.5] * 50 + [2.0] * 20

    assert value_of(store, [values], "TC(0.3:)") == 70
    assert value_of(store, [values], "TS(80%:)") == pytest.approx(40.0, rel=0.02)
    assert value_of(store, [values], "IQM") == pytest.approx(
        value_of(store, [values], "TM(25%:75%)")
    )


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
    "name",
    [
        *("p101", "Median", "TM(1:2%)", "TC(:)", "PR(10%:20%)", "WM90", "p", "sum", "pr90"),
        *("TM(90%:10%)", "TC(5:5)", "TS(:101%)", "TM(-1:2)"),
    ],
)
def test_unknown_statistics_are_refused(name):
    with pytest.raises(UnknownStatistic):
        parse(name)
