from __future__ import annotations

import numpy as np
import pytest

from monitoring import golden
from monitoring.golden import GOLDEN, Missing, Objectives, State

NAN = float("nan")


def f4(*values):
    return np.array(values, dtype=np.float32)


def columns(**given):
    """A load balancer's minutes: 100 requests and nothing wrong, unless given."""
    length = len(next(iter(given.values())))
    roles = ("requests", "errors_5xx", "errors_4xx", "elb_5xx", "elb_503")
    return {
        role: f4(*given.get(role, [100 if role == "requests" else NAN] * length)) for role in roles
    }


def recent(**given):
    """Five judged minutes of a healthy service, unless given."""
    healthy = {
        "p99": 0.2,
        "rate": 2.0,
        "errors": 0.0,
        "cpu": 30.0,
        "memory": 40.0,
        "running": 2.0,
        "requests": 120.0,
    }
    return {name: f4(*given.get(name, [healthy[name]] * 5)) for name in GOLDEN}


def judge(*, tasks=(2, 2), **given):
    running, desired = tasks
    return golden.judge(recent(**given), objectives=Objectives(), desired=desired, running=running)


def test_errors_are_those_of_targets_and_load_balancer_by_all_requests():
    found = golden.error_percent(columns(errors_5xx=[3.0], elb_5xx=[2.0], elb_503=[2.0]))

    # RequestCount leaves the two requests out for which there was no target.
    assert found[0] == pytest.approx(100 * 5 / 102)


def test_no_error_count_means_no_errors_where_there_were_requests():
    assert golden.error_percent(columns(errors_5xx=[NAN]))[0] == 0.0


def test_without_requests_there_is_no_error_ratio():
    found = golden.error_percent(columns(errors_5xx=[NAN, NAN], requests=[NAN, 0.0]))

    assert np.isnan(found).all()


def test_every_request_refused_for_want_of_a_target_is_all_errors():
    found = golden.error_percent(
        columns(requests=[0.0], errors_5xx=[NAN], elb_5xx=[7.0], elb_503=[7.0])
    )

    assert found[0] == 100.0


def test_a_target_group_has_errors_of_its_own_only():
    group = {"requests": f4(50), "errors_5xx": f4(5), "errors_4xx": f4(NAN)}

    assert golden.error_percent(group)[0] == 10.0
    assert golden.client_error_percent(group)[0] == 0.0


def test_cache_hits_without_misses_are_all_hits():
    assert golden.hit_percent(f4(9, NAN, NAN), f4(NAN, 4, NAN))[:2].tolist() == [100.0, 0.0]
    assert np.isnan(golden.hit_percent(f4(NAN), f4(NAN)))[0]


@pytest.mark.parametrize(
    ("role", "meaning"),
    [("errors_5xx", Missing.ZERO), ("p99", Missing.NULL), ("cpu", Missing.ALARM)],
)
def test_each_role_says_what_its_absence_means(role, meaning):
    assert golden.missing(role) is meaning


def test_requests_a_minute_become_requests_a_second():
    assert golden.per_second(f4(120))[0] == 2.0


def test_a_service_within_its_objectives_is_healthy():
    assert judge().state is State.HEALTHY


def test_too_many_errors_are_named_with_their_limit():
    verdict = judge(errors=[4.1] * 5)

    assert verdict.state is State.DEGRADED
    assert verdict.reason == "errors 4.1 %, more than 1 %"


def test_errors_are_weighed_by_requests():
    verdict = judge(errors=[100, 0, 0, 0, 0], requests=[1, 1000, 1000, 1000, 1000])

    assert verdict.state is State.HEALTHY


def test_a_handful_of_requests_judges_nothing():
    assert judge(errors=[100] * 5, requests=[3] * 5).state is State.HEALTHY


def test_one_slow_minute_is_not_a_slow_service():
    assert judge(p99=[0.2, 9.0, 0.2, 9.0, 0.2]).state is State.HEALTHY


def test_three_slow_minutes_are():
    verdict = judge(p99=[0.2, 1.5, 1.5, 0.2, 1.812])

    assert verdict.reason == "p99 1812 ms, slower than 1000 ms"


def test_a_missing_task_degrades():
    assert judge(tasks=(1, 2)).reason == "1 of 2 tasks running"


@pytest.mark.parametrize(("signal", "value"), [("cpu", 86.0), ("memory", 91.0)])
def test_saturation_degrades(signal, value):
    assert judge(**{signal: [value] * 5}).state is State.DEGRADED


def test_silence_is_no_data_and_never_healthy():
    silent = {name: [NAN] * 5 for name in GOLDEN}

    assert judge(**silent).state is State.NO_DATA


def test_a_service_scaled_to_zero_is_silent_on_purpose():
    silent = {name: [NAN] * 5 for name in GOLDEN}

    assert judge(tasks=(0, 0), **silent).state is State.HEALTHY


def test_a_service_without_traffic_is_healthy_and_says_so():
    quiet = {name: [NAN] * 5 for name in ("p99", "rate", "errors", "requests")}

    assert judge(**quiet) == golden.Verdict(State.HEALTHY, "no requests")


def test_several_reasons_are_all_named():
    verdict = judge(tasks=(1, 2), cpu=[99.0] * 5)

    assert verdict.reason == "1 of 2 tasks running; CPU 99 %, above 85 %"


def test_the_newest_three_minutes_are_not_judged():
    hour = np.zeros((60, len(GOLDEN)), dtype=np.float32)
    hour[57:] = 99

    judged = golden.judged(hour)

    assert all(len(values) == 5 and not values.any() for values in judged.values())


def test_objectives_of_a_service_replace_the_defaults():
    objectives = Objectives.of(latency_ms=250, availability=99.9)

    assert objectives.latency == 0.25
    assert objectives.errors == pytest.approx(1.0)
    assert Objectives.of(latency_ms=None, availability=None) == Objectives()


def test_the_newest_value_is_none_without_values():
    assert golden.latest(f4(NAN)) is None
    assert golden.latest(f4(1, 2, NAN)) == 2.0
