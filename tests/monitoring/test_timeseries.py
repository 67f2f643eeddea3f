from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import pytest
from django.db import DatabaseError, transaction

from monitoring import timeseries
from monitoring.blocks import empty
from monitoring.layouts import Resources, layout_of
from monitoring.timeseries.days import DayKey
from tests import make

pytestmark = pytest.mark.django_db

LAYOUT = layout_of(
    Resources(
        cluster="production",
        name="news-api",
        load_balancer="app/news-production/01",
        target_groups=("targetgroup/blue/01", "targetgroup/green/02"),
    )
)
LB = LAYOUT.of("lb")
REQUESTS, P99, CPU = LB["requests"], LB["p99"], LAYOUT.of("ecs")["cpu"]
MINUTE = timedelta(minutes=1)
SERVICE = 7


def _write(start, values, *, series=REQUESTS, layout=LAYOUT, at=make.NOON, resource=SERVICE):
    block = empty(len(values), len(layout.series))
    block[:, layout.positions[series]] = values
    number = timeseries.layout_id(layout)
    block_at = timeseries.Block(resource, number, int(start.timestamp()), block)
    timeseries.write([block_at], at=at)


def _read(start, minutes, *, series=REQUESTS, step=60, resource=SERVICE):
    window = timeseries.read(
        resource_id=resource,
        series=[series],
        start=start,
        end=start + minutes * MINUTE,
        step=step,
    )
    return [None if np.isnan(value) else float(value) for value in window.shown[:, 0]]


def _compact(at):
    for key in timeseries.late_days(before=at, limit=99):
        with timeseries.one_writer():
            timeseries.compact(key)


def test_minutes_come_back_as_they_were_written():
    _write(make.NOON, [1, 2, 3])

    assert _read(make.NOON - MINUTE, 5) == [None, 1.0, 2.0, 3.0, None]


def test_a_correction_replaces_a_minute_and_a_missing_value_does_not():
    _write(make.NOON, [1, 2, 3])
    _write(make.NOON, [np.nan, 20, np.nan])

    assert _read(make.NOON, 3) == [1.0, 20.0, 3.0]


def test_a_window_crosses_hours():
    _write(make.NOON - 2 * MINUTE, [1, 2, 3, 4])

    assert _read(make.NOON - 2 * MINUTE, 4) == [1.0, 2.0, 3.0, 4.0]


def test_writing_the_same_minutes_twice_changes_no_row():
    _write(make.NOON, [1, 2, 3])
    block = empty(60, len(LAYOUT.series))
    block[:3, LAYOUT.positions[REQUESTS]] = [1, 2, 3]
    key = (SERVICE, int(make.NOON.timestamp()), timeseries.layout_id(LAYOUT))

    with timeseries.one_writer():
        assert timeseries.merge_hours({key: block}) == 0
        block[0] = 5
        assert timeseries.merge_hours({key: block}) == 1


def test_a_closed_day_reads_the_same_before_and_after_compaction():
    resource = make.service().pk
    day = make.NOON - timedelta(days=1)
    _write(day, [float(number) for number in range(90)], resource=resource)
    before = [_read(day, 90, step=step, resource=resource) for step in (60, 300, 1800)]

    _compact(make.NOON)
    timeseries.forget(at=make.NOON + timedelta(days=5))

    after = [_read(day, 90, step=step, resource=resource) for step in (60, 300, 1800)]
    assert after == before


def test_sums_add_up_percentiles_show_the_worst_and_gauges_their_mean():
    day = make.NOON - timedelta(days=1)
    for series in (REQUESTS, P99, CPU):
        _write(day, [1, 2, 3, 4, 10], series=series)
    _compact(make.NOON)

    coarse = [_read(day, 5, series=series, step=300)[0] for series in (REQUESTS, P99, CPU)]

    assert coarse == [20.0, 10.0, 4.0]


def test_summaries_of_the_open_day_come_from_its_hours():
    _write(make.NOON, [2] * 10)

    assert _read(make.NOON, 10, step=300) == [10.0, 10.0]


def test_means_stay_per_minute_in_a_coarse_window():
    _write(make.NOON, [2, np.nan, 4, np.nan, np.nan])

    window = timeseries.read(
        resource_id=SERVICE,
        series=[REQUESTS],
        start=make.NOON,
        end=make.NOON + 5 * MINUTE,
        step=300,
    )

    assert window.means[0, 0] == 3.0
    assert window.shown[0, 0] == 6.0


def test_old_minutes_go_straight_into_their_day():
    old = make.NOON - timedelta(days=9)
    _write(old, [1, 2])
    _write(old + 2 * MINUTE, [3])

    assert _read(old, 3) == [1.0, 2.0, 3.0]
    key = DayKey(SERVICE, old.date(), timeseries.layout_id(LAYOUT))
    assert timeseries.load_day(key) is not None


def test_a_correction_after_compaction_makes_the_day_late_again():
    yesterday = make.NOON - timedelta(days=1)
    _write(yesterday, [1])
    _compact(make.NOON)
    assert timeseries.late_days(before=make.NOON, limit=9) == []

    _write(yesterday, [5])

    late = timeseries.late_days(before=make.NOON, limit=9)
    assert [key.day for key in late] == [yesterday.date()]
    assert _read(yesterday, 1) == [5.0]


def test_the_stored_day_is_given_out_only_while_it_is_up_to_date():
    yesterday = make.NOON - timedelta(days=1)
    number = timeseries.layout_id(LAYOUT)
    _write(yesterday, [1])
    _compact(make.NOON)
    wanted = {"resource_id": SERVICE, "day": yesterday.date(), "layout_id": number}
    assert timeseries.stored_day(**wanted) is not None

    _write(yesterday, [2])

    assert timeseries.stored_day(**wanted) is None


def test_hours_are_kept_until_their_day_holds_them():
    service = make.service()
    start = make.NOON - timedelta(days=4)
    _write(start, [1.0] * 60, resource=service.pk, at=start)

    timeseries.forget(at=make.NOON)
    late = timeseries.late_days(before=make.NOON, limit=9)
    _compact(make.NOON)
    timeseries.forget(at=make.NOON)

    assert [key.day for key in late] == [start.date()]
    assert _read(start, 60, resource=service.pk) == [1.0] * 60


def test_another_target_group_gets_a_layout_of_its_own_and_old_minutes_stay():
    other = layout_of(
        Resources(
            cluster="production",
            name="news-api",
            load_balancer="app/news-production/01",
            target_groups=("targetgroup/blue/01", "targetgroup/red/03"),
        )
    )
    blue = LAYOUT.of("tg", "targetgroup/blue/01")["requests"]
    _write(make.NOON, [1], series=blue)
    _write(make.NOON + MINUTE, [2], series=blue, layout=other)

    assert timeseries.layout_id(other) != timeseries.layout_id(LAYOUT)
    assert _read(make.NOON, 2, series=blue) == [1.0, 2.0]


def test_a_layout_has_one_number_and_reads_back_equal():
    number = timeseries.layout_id(LAYOUT)

    assert timeseries.layout_id(LAYOUT) == number
    assert timeseries.layout_with(number) == LAYOUT


def test_the_database_refuses_to_change_a_layout():
    from django.db import connection

    timeseries.layout_id(LAYOUT)

    with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
        connection.cursor().execute("update metric_layout set fingerprint = 'x'")


def test_an_hour_without_a_row_is_a_gap_between_its_neighbours():
    _write(make.NOON, [1])
    _write(make.NOON + timedelta(hours=2), [3])

    found = _read(make.NOON, 121)

    assert (found[0], found[120]) == (1.0, 3.0)
    assert set(found[1:120]) == {None}


def test_what_was_read_of_several_layouts_lies_on_one_grid():
    other = layout_of(Resources(cluster="production", name="news-api"))
    cpu = LAYOUT.of("ecs")["cpu"]
    _write(make.NOON, [1], series=cpu)
    _write(make.NOON + timedelta(hours=1), [2], series=cpu, layout=other)

    window = timeseries.read(
        resource_id=SERVICE,
        series=LAYOUT.series,
        start=make.NOON,
        end=make.NOON + 61 * MINUTE,
    )

    assert list(window.column(cpu)[[0, 60]]) == [1.0, 2.0]
    assert np.isnan(window.column(cpu)[1:60]).all()


def test_midnight_splits_days():
    midnight = datetime(2026, 2, 20, tzinfo=UTC)
    _write(midnight - MINUTE, [1, 2])

    window = _read(midnight - MINUTE, 2)

    assert window == [1.0, 2.0]
    number = timeseries.layout_id(LAYOUT)
    for day, row, value in [(date(2026, 2, 19), 1439, 1.0), (date(2026, 2, 20), 0, 2.0)]:
        stored = timeseries.load_day(DayKey(SERVICE, day, number))
        assert stored[row, LAYOUT.positions[REQUESTS]] == value


def test_the_last_hour_is_rewritten_only_when_it_changes():
    golden = empty(60, 3)
    golden[5] = [1, 2, 3]
    timeseries.put_now(make.NOON, {SERVICE: golden})
    first = timeseries.newest(SERVICE)[SERVICE]

    timeseries.put_now(make.NOON, {SERVICE: golden})
    second = timeseries.newest()[SERVICE]

    assert first.changed_at == second.changed_at
    np.testing.assert_array_equal(second.golden, golden)
