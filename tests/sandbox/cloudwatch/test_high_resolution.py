"""StorageResolution 1: seconds for three hours, and the minutes they add up to."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sandbox.cloudwatch.service import CloudWatch
from sandbox.errors import AwsError
from tests.sandbox.cloudwatch.asking import (
    EPOCH,
    NOON,
    NOW,
    answer,
    math,
    put,
    stat,
    statistics,
    values,
)


def at(seconds):
    return NOON + timedelta(seconds=seconds)


def put_second(cloudwatch, seconds, *values, **datum):
    put(cloudwatch, 0, *values, Timestamp=at(seconds), StorageResolution=1, **datum)


def seconds_of(result):
    return [int((stamp - NOON).total_seconds()) for stamp in result["Timestamps"]]


def asked(cloudwatch, *queries, start=0, end=60, **parameters):
    told = answer(cloudwatch, *queries, start=start / 60, end=end / 60, **parameters)
    return told["MetricDataResults"][-1]


@pytest.mark.parametrize(
    ("period", "stamps", "sums"),
    [
        (1, [3, 4, 18, 41], [1.0, 2.0, 4.0, 8.0]),
        (5, [0, 15, 40], [3.0, 4.0, 8.0]),
        (10, [0, 10, 40], [3.0, 4.0, 8.0]),
        (20, [0, 40], [7.0, 8.0]),
        (30, [0, 30], [7.0, 8.0]),
        (60, [0], [15.0]),
        (300, [0], [15.0]),
    ],
)
def test_every_period_adds_up_its_seconds(cloudwatch, period, stamps, sums):
    for second, value in ((3, 1.0), (4, 2.0), (18, 4.0), (41, 8.0)):
        put_second(cloudwatch, second, value)

    result = asked(cloudwatch, stat(period=period))

    assert (seconds_of(result), result["Values"]) == (stamps, sums)


def test_values_of_one_second_are_added_up_and_keep_their_distribution(cloudwatch):
    put_second(cloudwatch, 7, 1.0, 2.0, 3.0)
    put_second(cloudwatch, 7, 100.0)

    result = asked(cloudwatch, stat(statistic="p50", period=10))

    assert result["Values"] == [pytest.approx(2.0, rel=0.02)]


def test_both_operations_agree(cloudwatch):
    for second in range(0, 60, 3):
        put_second(cloudwatch, second, float(second))

    data = asked(cloudwatch, stat(period=10))
    points = statistics(cloudwatch, Period=10, EndTime=at(60))["Datapoints"]

    told = sorted((point["Timestamp"], point["Sum"]) for point in points)
    assert told == list(zip(data["Timestamps"], data["Values"], strict=True))


@pytest.mark.parametrize(("period", "first"), [(1, 47), (5, 45), (10, 40), (20, 40), (30, 30)])
def test_the_start_is_rounded_down_to_the_period(cloudwatch, period, first):
    for second in range(60):
        put_second(cloudwatch, second, 1.0)

    result = asked(cloudwatch, stat(period=period), start=47)

    assert seconds_of(result)[0] == first
    assert result["Values"][0] == float(period)


def test_periods_of_both_kinds_begin_at_the_minute(cloudwatch):
    for second in range(60):
        put_second(cloudwatch, second, 1.0)

    result = asked(cloudwatch, stat("fine", period=10), stat("coarse"), start=47)

    assert (seconds_of(result), result["Values"]) == ([0], [60.0])


def test_a_search_for_minutes_begins_at_the_minute(cloudwatch):
    for second in range(60):
        put_second(cloudwatch, second, 1.0)
    found = math("SEARCH('{News,Queue} Jobs', 'Sum', 60)")

    result = asked(cloudwatch, stat("fine", period=10), found, start=47)

    assert (seconds_of(result), result["Values"]) == ([0], [60.0])


def test_seconds_are_kept_for_three_hours_and_minutes_longer(tmp_path):
    moments = [NOW]
    cloudwatch = CloudWatch(tmp_path, EPOCH, clock=lambda: moments[0])
    put_second(cloudwatch, 10, 1.0)
    before = asked(cloudwatch, stat(period=10))["Values"]

    moments[0] = at(3 * 3600 + 30)
    cloudwatch.roll_up()

    assert before == [1.0]
    assert asked(cloudwatch, stat(period=10))["Values"] == []
    assert asked(cloudwatch, stat())["Values"] == [1.0]
    cloudwatch.close()


def test_seconds_survive_the_process(tmp_path):
    first = CloudWatch(tmp_path, EPOCH, clock=lambda: NOW)
    put_second(first, 10, 1.0)

    second = CloudWatch(tmp_path, EPOCH, clock=lambda: NOW)

    assert asked(second, stat(period=1))["Values"] == [1.0]
    first.close()
    second.close()


def test_a_metric_of_minutes_has_a_value_at_its_minute_only(cloudwatch):
    put(cloudwatch, 0, 5.0)
    put(cloudwatch, 1, 6.0)

    result = asked(cloudwatch, stat(period=10), end=120)

    assert (seconds_of(result), result["Values"]) == ([0, 60], [5.0, 6.0])


def test_minutes_and_seconds_of_one_metric_stand_beside_each_other(cloudwatch):
    put(cloudwatch, 0, 5.0)
    put_second(cloudwatch, 70, 6.0, 7.0)
    put(cloudwatch, 2, 8.0)

    result = asked(cloudwatch, stat(period=10, statistic="Maximum"), end=180)

    assert (seconds_of(result), result["Values"]) == ([0, 70, 120], [5.0, 7.0, 8.0])
    quartile = asked(cloudwatch, stat(period=10, statistic="p25"), end=180)["Values"]
    assert quartile == [pytest.approx(value, rel=0.02) for value in (5.0, 6.0, 8.0)]


def test_a_delay_of_publication_holds_seconds_back_too(tmp_path):
    cloudwatch = CloudWatch(tmp_path, EPOCH, clock=lambda: at(60))
    put_second(cloudwatch, 5, 1.0)
    put_second(cloudwatch, 55, 2.0)

    cloudwatch.publication_delay = 20

    assert asked(cloudwatch, stat(period=10))["Values"] == [1.0]
    cloudwatch.close()


def test_metric_math_reckons_in_seconds(cloudwatch):
    for second in (0, 10, 30):
        put_second(cloudwatch, second, float(second))
    metric = stat("m1", period=10, ReturnData=False)

    rate = asked(cloudwatch, metric, math("RATE(m1)"))
    gaps = asked(cloudwatch, metric, math("DIFF_TIME(m1)"))
    filled = asked(cloudwatch, metric, math("FILL(m1, 0)"))
    period = asked(cloudwatch, metric, math("TIME_SERIES(PERIOD(m1))"))

    assert (seconds_of(rate), rate["Values"]) == ([10, 30], [1.0, 1.0])
    assert gaps["Values"] == [10.0, 20.0]
    assert filled["Values"] == [0.0, 10.0, 0.0, 30.0, 0.0, 0.0]
    assert period["Values"] == [10.0] * 6


@pytest.mark.parametrize("period", [0, 2, 15, 45, 61, -60])
def test_other_periods_are_refused(cloudwatch, period):
    with pytest.raises(AwsError) as data:
        values(cloudwatch, stat(period=period))
    with pytest.raises(AwsError) as points:
        statistics(cloudwatch, Period=period)

    assert (data.value.code, points.value.code) == ("ValidationError", "InvalidParameterValue")


def test_seconds_count_against_the_limit_of_points(cloudwatch):
    with pytest.raises(AwsError) as refused:
        statistics(cloudwatch, Period=1, EndTime=at(1441))

    assert refused.value.code == "InvalidParameterCombination"
    assert refused.value.message.startswith("You have requested up to 1441 datapoints")


def test_what_is_put_twice_at_once_is_there_twice(cloudwatch):
    datum = {"MetricName": "Jobs", "Timestamp": at(5), "Value": 2.0, "StorageResolution": 1}

    cloudwatch.put_metric_data(Namespace="News", MetricData=[datum, datum])

    queries = [stat(period=period, dimensions=()) for period in (5, 60)]
    assert [values(cloudwatch, query, end=1) for query in queries] == [[4.0], [4.0]]


def test_the_store_forgets_old_seconds_in_its_file(tmp_path):
    moments = [NOW]
    cloudwatch = CloudWatch(tmp_path, EPOCH, clock=lambda: moments[0])
    put_second(cloudwatch, 10, 1.0)
    moments[0] = NOW + timedelta(hours=4)
    cloudwatch.roll_up()

    moments[0] = NOW

    asking = cloudwatch.get_metric_statistics(
        Namespace="News",
        MetricName="Jobs",
        Dimensions=[{"Name": "Queue", "Value": "a"}],
        StartTime=NOON,
        EndTime=at(60),
        Period=1,
        Statistics=["Sum"],
    )
    assert [point["Timestamp"] for point in asyncio.run(asking)["Datapoints"]] == [NOON]
    cloudwatch.close()
