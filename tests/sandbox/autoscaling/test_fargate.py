"""A task has the CPU of its units and no more."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import fargate
from sandbox.fargate import PERIOD, Charged, Cpu, Meter, Quota

costs = st.lists(st.floats(0.0001, 0.05), min_size=20, max_size=200)


def finished(vcpus, costs, *, threads=8):
    """When each request ends: every thread takes the next one as soon as it may."""
    quota = Quota(vcpus)
    free = [1.0] * threads
    ends = []
    for cost in costs:
        thread = free.index(min(free))
        start = free[thread]
        free[thread] = start + quota.take(cost, start)
        ends.append(free[thread])
    return ends


def test_work_within_the_quota_never_waits():
    quota = Quota(0.5)

    waits = [quota.take(0.009, 0.01 + number * PERIOD / 5) for number in range(50)]

    assert waits == [0.0] * 50


def test_overdrawn_work_waits_until_its_periods_have_paid_for_it():
    quota = Quota(0.5)

    wait = quota.take(0.12, 10 * PERIOD)

    assert wait == pytest.approx(2 * PERIOD)


def test_what_a_period_leaves_is_lost():
    quota = Quota(0.5)
    quota.take(0.001, 1 * PERIOD)

    wait = quota.take(0.06, 100 * PERIOD)

    assert wait > 0


@given(costs, st.sampled_from([256, 512, 1024, 2048]))
def test_a_task_never_does_more_work_than_its_units(costs, units):
    ends = finished(units / 1024, costs)

    periods = max(ends) / PERIOD - 1.0 / PERIOD + 1

    assert sum(costs) <= units / 1024 * PERIOD * periods + max(costs)


def test_twice_the_units_do_twice_the_work():
    costs = [0.007] * 2000

    small, large = (max(finished(units / 1024, costs)) - 1.0 for units in (512, 1024))

    assert small / large == pytest.approx(2.0, rel=0.05)


def test_waiting_grows_with_the_load():
    def mean_wait(rate):
        quota = Quota(0.5)
        waits = [quota.take(0.007, number / rate) for number in range(500)]
        return sum(waits) / len(waits)

    assert mean_wait(40) == 0
    assert mean_wait(90) > mean_wait(75) > 0.01


def test_a_meter_says_when_nobody_charges_it(tmp_path):
    seen = Meter.create(tmp_path / "meter")
    before = seen.read()

    Meter(tmp_path / "meter").add(0.0)
    Meter(tmp_path / "meter").add(1.5)

    assert before is None
    assert seen.read() == 1.5


def busy(environ, start_response):
    until = time.thread_time() + 0.01
    while time.thread_time() < until:
        pass
    return [b"done"]


def test_requests_charge_their_thread_time_and_are_slowed(tmp_path):
    meter = Meter.create(tmp_path / "meter")
    started, unused = time.monotonic(), time.thread_time()
    application = Charged(busy, Cpu(units=1024, factor=10, meter=meter))

    answers = [application({}, print) for _ in range(4)]

    used = time.thread_time() - unused
    assert answers == [[b"done"]] * 4
    assert 10 * 0.0399 < meter.read() <= 10 * used
    assert time.monotonic() - started >= meter.read() - 2 * PERIOD


def test_outside_of_a_task_nothing_is_charged(monkeypatch):
    monkeypatch.delenv(fargate.METER, raising=False)

    assert fargate.charged(busy) is busy


def test_a_task_finds_its_units_and_meter_in_the_environment(tmp_path):
    meter = Meter.create(tmp_path / "meter")
    environment = {
        fargate.METER: str(tmp_path / "meter"),
        fargate.UNITS: "512",
        fargate.FACTOR: "10",
    }

    cpu = fargate.own_cpu(environment)
    before = meter.read()
    cpu.settle()

    assert before == 0
    assert meter.read() > 0


def test_a_factor_that_is_not_positive_is_refused():
    with pytest.raises(ValueError, match="greater than 0"):
        fargate.factor({fargate.FACTOR: "0"})
