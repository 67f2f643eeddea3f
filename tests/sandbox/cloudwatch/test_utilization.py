"""CPU and memory of tasks: what a minute of AWS/ECS holds however late it is measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.cloudwatch.metrics import Metric
from sandbox.cloudwatch.utilization import Utilization
from sandbox.measurements import Running, TaskSample

MINUTE = 29_000_040
NOW = MINUTE * 60.0
SERVICE = {"ClusterName": "production", "ServiceName": "news-api"}


def task(cpu_seconds=0.0, name="a"):
    return TaskSample("production", "news-api", name, 1024, 1024, cpu_seconds, 2**20)


def cpu(minutes, minute=MINUTE):
    found = minutes.get((Metric.of("AWS/ECS", "CPUUtilization", **SERVICE), minute))
    return found and found[0]


def test_a_minute_that_was_looked_at_late_holds_all_that_was_used_in_it():
    utilization = Utilization()
    utilization.minutes([task(100.0)], NOW - 5)
    utilization.minutes([task(120.0)], NOW + 45)

    minutes = utilization.minutes([task(120.0)], NOW + 55)

    assert cpu(minutes).total == pytest.approx(100 * 20 / 60)


@pytest.mark.parametrize("step", [3600.0, -3600.0, 61.0])
def test_after_a_step_of_the_clock_nothing_is_known_of_the_time_between(step):
    utilization = Utilization()
    utilization.minutes([task(100.0)], NOW)
    then = NOW + step

    unknown = utilization.minutes([task(101.0)], then)
    known = utilization.minutes([task(103.0)], then + 4)

    assert cpu(unknown, int(then // 60)) is None
    assert cpu(known, int((then + 4) // 60)).total == pytest.approx(50.0)


@given(
    st.lists(st.tuples(st.floats(0.5, 30.0), st.floats(0.0, 1.0)), min_size=4, max_size=40),
)
def test_no_task_is_ever_shown_to_use_more_than_it_did(steps):
    utilization, at, used = Utilization(), NOW, 0.0
    utilization.minutes([task(used)], at)

    for pause, share in steps:
        at, used = at + pause, used + pause * share
        found = cpu(utilization.minutes([task(used)], at), int(at // 60))
        assert 0 <= found.total <= 100 * max(share for _, share in steps) + 1e-3


def test_a_task_that_drains_or_stops_is_not_measured():
    class Fleet:
        def task_samples(self):
            return [task(name="running"), task(name="draining")]

    running = Running(Fleet(), {"running"}.__contains__)

    assert [sample.task_arn for sample in running.task_samples()] == ["running"]
