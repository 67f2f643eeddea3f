"""Metric math against the examples and rules of AWS's guide."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sandbox.errors import AwsError
from tests.sandbox.cloudwatch.asking import NOON, answer, math, minutes, put, stat, values

NONE = None


@pytest.fixture
def metrics(cloudwatch):
    """Queries for metrics of five minutes; None is a minute without data."""

    def publish(**series):
        for name, numbers in series.items():
            for minute, number in enumerate(numbers):
                if number is not NONE:
                    put(cloudwatch, minute, float(number), name=name)
        return [stat(name, name=name, ReturnData=False) for name in series]

    return publish


def evaluated(cloudwatch, queries, expression, end=5, **query):
    """The values of the minutes after noon, None where the expression has none."""
    (result,) = answer(cloudwatch, *queries, math(expression, **query), end=end)[
        "MetricDataResults"
    ]
    found = dict(zip(minutes(result), result["Values"], strict=True))
    return [found.get(minute) for minute in range(end)]


def lines(cloudwatch, queries, expression, **query):
    """Every line of the answer: label and values."""
    found = answer(cloudwatch, *queries, math(expression, **query), end=5)["MetricDataResults"]
    return [(line["Label"], line["Values"]) for line in found]


def refusal(cloudwatch, queries, expression):
    with pytest.raises(AwsError) as refused:
        values(cloudwatch, *queries, math(expression))
    assert refused.value.code == "ValidationError"
    return refused.value.message


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("m1 + 1", [3, 5, NONE, 7, NONE]),
        ("1 - m1", [-1, -3, NONE, -5, NONE]),
        ("m1 + m2", [12, 4, 20, 6, NONE]),
        ("m1 * m2", [20, 0, 0, 0, NONE]),
        ("m1 / m2", [0.2, NONE, 0, NONE, NONE]),
        ("m2 / m1", [5, 0, NONE, 0, NONE]),
        ("-m1 ^ 2", [-4, -16, NONE, -36, NONE]),
        ("2 ^ 3 ^ 0 * m1", [4, 8, NONE, 12, NONE]),
        ("2 + 3 * m1 - 1", [7, 13, NONE, 19, NONE]),
        ("(2 + 3) * m1", [10, 20, NONE, 30, NONE]),
        ("1e1 * m1 / .5", [40, 80, NONE, 120, NONE]),
        ("m1 - AVG(m1)", [-2, 0, NONE, 2, NONE]),
        ("m1 / PERIOD(m1)", [2 / 60, 4 / 60, NONE, 0.1, NONE]),
        ("100 * m1 / SUM([m1, m2])", [100 * 2 / 12, 100, 0, 100, NONE]),
    ],
)
def test_arithmetic_counts_a_missing_value_as_zero_where_another_is(
    cloudwatch, metrics, expression, expected
):
    queries = metrics(m1=[2, 4, NONE, 6, NONE], m2=[10, NONE, 20, NONE, NONE])

    assert evaluated(cloudwatch, queries, expression) == [
        NONE if value is NONE else pytest.approx(value) for value in expected
    ]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("metric1 < metric2", [0, 0, 1, 0]),
        ("metric1 >= 30", [1, 0, 0, 0]),
        ("metric1 > 15 AND metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 15 && metric2 > 15", [1, 0, 0, 0]),
        ("metric1 > 15 OR metric2 > 15", [1, 1, 1, 0]),
        ("metric1 > 15 || metric2 > 15", [1, 1, 1, 0]),
        ("metric2 != 20", [0, NONE, 0, NONE]),
        ("metric1 == 0 AND 1 <= 2", [0, 0, 1, 1]),
    ],
)
def test_comparisons_as_in_the_guide(cloudwatch, metrics, expression, expected):
    queries = metrics(metric1=[30, 20, 0, 0], metric2=[20, NONE, 20, NONE])

    assert evaluated(cloudwatch, queries, expression, end=4) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("IF(metric1, metric2, metric3)", [30, 0, 20, NONE, NONE]),
        ("IF(metric1, 5, metric3)", [5, 5, 20, NONE, NONE]),
        ("IF(metric1, metric2, 5)", [30, 0, 5, 5, NONE]),
        ("IF(metric1, metric2)", [30, 0, NONE, NONE, NONE]),
        ("IF(1, metric2, metric3)", [30, NONE, 0, 0, 30]),
        ("IF(0, metric2, metric3)", [0, 0, 20, NONE, 20]),
        ("IF(metric2 < 10, 10, 2)", [2, NONE, 10, 10, 2]),
        ("IF(AVG(metric3) > 5, metric3)", [0, 0, 20, NONE, 20]),
    ],
)
def test_if_as_in_the_guide(cloudwatch, metrics, expression, expected):
    queries = metrics(
        metric1=[1, 1, 0, 0, NONE], metric2=[30, NONE, 0, 0, 30], metric3=[0, 0, 20, NONE, 20]
    )

    assert evaluated(cloudwatch, queries, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("FILL(m, 7)", [7, 4, 7, 10, 7]),
        ("FILL(m, n)", [1, 4, 3, 10, NONE]),
        ("FILL(m, REPEAT)", [NONE, 4, 4, 10, 10]),
        ("FILL(m, LINEAR)", [NONE, 4, 7, 10, NONE]),
        ("FILL(m, MIN(n))", [1, 4, 1, 10, 1]),
        ("ABS(0 - m)", [NONE, 4, NONE, 10, NONE]),
        ("CEIL(m / 3)", [NONE, 2, NONE, 4, NONE]),
        ("FLOOR(m / 3)", [NONE, 1, NONE, 3, NONE]),
        ("LOG10(m * 10)", [NONE, pytest.approx(1.60206), NONE, 2, NONE]),
        ("LOG(m - 4)", [NONE, NONE, NONE, pytest.approx(1.791759), NONE]),
        ("DIFF(m)", [NONE, NONE, NONE, 6, NONE]),
        ("DIFF_TIME(m)", [NONE, NONE, NONE, 120, NONE]),
        ("RATE(m)", [NONE, NONE, NONE, 0.05, NONE]),
        ("RUNNING_SUM(n)", [1, 3, 6, 10, NONE]),
        ("TIME_SERIES(MAX(m))", [10, 10, 10, 10, 10]),
        ("TIME_SERIES(STDDEV(m))", [3, 3, 3, 3, 3]),
        ("m / DATAPOINT_COUNT(m)", [NONE, 2, NONE, 5, NONE]),
        ("MINUTE(m)", [0, 1, 2, 3, 4]),
        ("HOUR(m) + DAY(m) + DATE(m)", [41, 41, 41, 41, 41]),
        ("YEAR(m) * 100 + MONTH(m)", [202611] * 5),
        ("EPOCH(m)", [NOON.timestamp() + 60 * minute for minute in range(5)]),
        ("IF(DAY(m) < 6, m)", [NONE, NONE, NONE, NONE, NONE]),
    ],
)
def test_functions_of_one_series(cloudwatch, metrics, expression, expected):
    queries = metrics(m=[NONE, 4, NONE, 10, NONE], n=[1, 2, 3, 4, NONE])

    assert evaluated(cloudwatch, queries, expression) == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("SUM(METRICS())", [12, 24, 4, 2, NONE]),
        ("AVG([a1, a2])", [5, 10, 2, NONE, NONE]),
        ("AVG(METRICS())", [4, 8, pytest.approx(4 / 3), pytest.approx(2 / 3), NONE]),
        ("MIN(METRICS())", [1, 2, 4, 2, NONE]),
        ("MAX(METRICS())", [9, 18, 4, 2, NONE]),
        ("STDDEV([a1, a2])", [4, 8, 0, NONE, NONE]),
        ("DATAPOINT_COUNT(METRICS())", [3, 3, 1, 1, NONE]),
        ('SUM(METRICS("a"))', [10, 20, 4, NONE, NONE]),
        ("SUM(METRICS('1'))", [1, 2, 4, NONE, NONE]),
        ('SUM([METRICS("a1"), METRICS("b")])', [3, 6, 4, 2, NONE]),
        ("a1 * METRIC_COUNT(METRICS())", [3, 6, 12, NONE, NONE]),
        ("FIRST(SORT(METRICS(), MAX, DESC))", [9, 18, NONE, NONE, NONE]),
        ("LAST(SORT(METRICS(), MAX, DESC))", [2, 4, NONE, 2, NONE]),
        ("SUM(SLICE(SORT(METRICS(), SUM, ASC), 1))", [11, 22, NONE, 2, NONE]),
        ("SUM(SLICE(SORT(METRICS(), AVG, DESC), 0, 1))", [9, 18, NONE, NONE, NONE]),
        ("SUM(SORT(METRICS(), MIN, ASC, 1))", [1, 2, 4, NONE, NONE]),
        ("SUM(90 / [a1, a2])", [100, 50, 22.5, NONE, NONE]),
    ],
)
def test_functions_of_arrays(cloudwatch, metrics, expression, expected):
    queries = metrics(
        a1=[1, 2, 4, NONE, NONE], a2=[9, 18, NONE, NONE, NONE], b=[2, 4, NONE, 2, NONE]
    )

    assert evaluated(cloudwatch, queries, expression) == expected


def test_an_array_is_as_many_lines_as_it_has_series(cloudwatch, metrics):
    queries = metrics(a=[1], b=[2])

    assert lines(cloudwatch, queries, "METRICS() * 10") == [("e a", [10.0]), ("e b", [20.0])]
    assert lines(cloudwatch, queries, "-[a, b]", Label="Less") == [
        ("Less a", [-1.0]),
        ("Less b", [-2.0]),
    ]
    assert lines(cloudwatch, queries, "[a, b] + a", Label="") == [("a", [2.0]), ("b", [3.0])]


def test_series_without_data_can_be_removed(cloudwatch, metrics):
    queries = [*metrics(a=[1]), stat("empty", name="Empty", ReturnData=False)]

    assert len(lines(cloudwatch, queries, "METRICS()")) == 2
    assert lines(cloudwatch, queries, "REMOVE_EMPTY(METRICS())") == [("e a", [1.0])]


def test_expressions_refer_to_expressions(cloudwatch, metrics):
    queries = metrics(m=[1, 2])
    chain = [math("m", "e0", ReturnData=False)]
    chain += [math(f"e{n - 1} + 1", f"e{n}", ReturnData=False) for n in range(1, 400)]

    assert evaluated(cloudwatch, [*queries, *chain], "e399", end=2) == [400, 401]


def test_metrics_are_no_expressions(cloudwatch, metrics):
    queries = [*metrics(m=[1, 2]), math("m * 100", "big", ReturnData=False)]

    assert evaluated(cloudwatch, queries, "SUM(METRICS())", end=2) == [1, 2]


def test_series_of_different_periods_keep_their_timestamps(cloudwatch, metrics):
    (fine,) = metrics(fine=[1] * 10)
    coarse = stat("coarse", name="fine", period=300, ReturnData=False)

    assert evaluated(cloudwatch, [fine, coarse], "fine + coarse", end=10) == [
        *(6, 1, 1, 1, 1),
        *(6, 1, 1, 1, 1),
    ]


def test_a_time_series_takes_its_period_from_the_query(cloudwatch):
    result = answer(cloudwatch, math("TIME_SERIES(3)", Period=300), end=10)["MetricDataResults"][0]

    assert (minutes(result), result["Values"]) == ([0, 5], [3.0, 3.0])


def test_a_long_sum_is_evaluated(cloudwatch, metrics):
    queries = metrics(m=[1])

    assert evaluated(cloudwatch, queries, "+".join(["m"] * 1000), end=1) == [1000]


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        ("m +", "Invalid syntax"),
        ("m m", "Invalid syntax"),
        ("m = 1", "Invalid syntax"),
        ("m ** 2", "Invalid syntax"),
        ("m; m", "Invalid syntax"),
        ("SUM(m", "Invalid syntax"),
        ("[m,]", "Invalid syntax"),
        ("REPEAT", "Invalid syntax"),
        ("-" * 500 + "m", "Invalid syntax"),
        ("(" * 500 + "m" + ")" * 500, "Invalid syntax"),
        ("unknown * 2", "Unknown identifier 'unknown'"),
        ("e + 1", "Circular reference to 'e'"),
        ("5", "must return a time series"),
        ("AVG(m)", "must return a time series"),
        ("MEDIAN(m)", "Function 'MEDIAN' not found"),
        ("sum(m)", "Function 'sum' not found"),
        ("ANOMALY_DETECTION_BAND(m, 2)", "'ANOMALY_DETECTION_BAND' is not supported"),
        ("SERVICE_QUOTA(m)", "'SERVICE_QUOTA' is not supported"),
        ("INSIGHT_RULE_METRIC('r', 'Sum')", "'INSIGHT_RULE_METRIC' is not supported"),
        ("SELECT AVG(Jobs) FROM News", "SELECT"),
        ("SUM(m, m)", "cannot have 2 arguments"),
        ("IF(m)", "cannot have 1 arguments"),
        ("IF(1, 2, 3)", "at least one time series"),
        ("ABS(2) + m", "does not take a scalar"),
        ("SUM(2) + m", "does not take a scalar"),
        ("FILL(2, m)", "does not take a scalar"),
        ("FILL(m, METRICS())", "cannot fill with an array"),
        ("FILL(m, NOTHING)", "Invalid syntax"),
        ("[m] + [m]", "Unsupported operand types"),
        ("METRICS() > 1", "Unsupported operand types for >: TS[], S"),
        ("[m, 2]", "cannot hold a scalar"),
        ("PERIOD(m + 1) * m", "takes metrics, not expressions"),
        ("HOUR(METRICS())", "does not take TS[]"),
        ("METRIC_COUNT(m) * m", "does not take TS"),
        ("SORT(m, AVG, ASC)", "does not take TS"),
        ("SORT([m], STDDEV, ASC)", "takes AVG, MIN, MAX or SUM"),
        ("SORT([m], 1, ASC)", "needs a keyword"),
        ("SLICE(m, 1)", "does not take TS"),
        ("SLICE([m], m)", "needs a scalar"),
        ("FIRST(SLICE([m], 1))", "at least one time series"),
        ("SUM(METRICS('none'))", "at least one time series"),
        ("METRICS(m)", "needs a string"),
        ("IF([m], 1, 2)", "does not take an array"),
    ],
)
def test_what_cloudwatch_would_refuse_is_refused_by_name(cloudwatch, metrics, expression, reason):
    queries = metrics(m=[1, 2])

    message = refusal(cloudwatch, queries, expression)

    assert message.startswith("Error in expression 'e': ")
    assert reason in message


def test_an_error_names_the_expression_it_is_in(cloudwatch, metrics):
    queries = [*metrics(m=[1]), math("NOPE(m)", "inner", ReturnData=False)]

    message = refusal(cloudwatch, queries, "inner + 1")

    assert message == "Error in expression 'inner': Function 'NOPE' not found"


def test_a_circle_of_expressions_is_refused(cloudwatch, metrics):
    queries = [*metrics(m=[1]), math("two", "one"), math("one + m", "two")]

    assert "Circular reference" in refusal(cloudwatch, queries, "m")


def test_another_account_is_refused(cloudwatch):
    with pytest.raises(AwsError) as refused:
        answer(cloudwatch, stat(AccountId="999999999999"))

    assert refused.value.code == "ValidationError"


def test_filled_values_reach_to_the_end_of_the_window(cloudwatch, metrics):
    queries = metrics(m=[3])

    result = answer(
        cloudwatch, *queries, math("FILL(m, REPEAT)"), end=3
    )["MetricDataResults"][0]  # fmt: skip

    assert [stamp - NOON for stamp in result["Timestamps"]] == [
        timedelta(minutes=minute) for minute in range(3)
    ]
