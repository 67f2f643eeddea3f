"""Target groups, rules and pictures by themselves."""

from __future__ import annotations

import json

import pytest

from sandbox.balancing.model import (
    NO_ANSWER,
    HealthCheck,
    Listener,
    Picture,
    Rule,
    Target,
    TargetGroup,
)


@pytest.mark.parametrize(
    ("codes", "passing", "failing"),
    [
        ("200", [200], [199, 201, 204, None]),
        ("200-299", [200, 250, 299], [199, 300]),
        ("200,302", [200, 302], [201, 301]),
        ("200-201,404", [200, 201, 404], [202, 403]),
    ],
)
def test_a_matcher_takes_codes_and_ranges(codes, passing, failing):
    check = HealthCheck(codes=codes)

    assert all(check.passes(status) for status in passing)
    assert not any(check.passes(status) for status in failing)


def test_thresholds_decide_when_a_target_changes():
    check = HealthCheck(healthy_after=3, unhealthy_after=2)
    target = Target("g", 1, "1")

    states = []
    for status in (500, 200, 500, 200, 500, 500, 200, 200, 200):
        target.judge(status, check)
        states.append(target.state)

    assert states == ["initial"] + ["healthy"] * 4 + ["unhealthy"] * 3 + ["healthy"]


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (None, "Target.Timeout"),
        (NO_ANSWER, "Target.FailedHealthChecks"),
        (503, "Target.ResponseCodeMismatch"),
    ],
)
def test_an_unhealthy_target_says_how_it_failed(status, reason):
    target = Target("g", 1, "1")

    for _ in range(3):
        target.judge(status)

    assert (target.state, target.reason) == ("unhealthy", reason)


@pytest.mark.parametrize(
    ("port", "checked"), [("traffic-port", 4001), ("8000", 4001), ("9000", 9000)]
)
def test_a_tasks_container_port_is_checked_where_its_process_listens(port, checked):
    target = Target("g", 4001, "1", address="10.20.16.7", container_port=8000)

    assert target.checked_at(HealthCheck(port=port)) == checked


def test_the_default_rule_is_the_last_and_priorities_are_numbers():
    rules = [Rule(priority, "app/x/1", priority=priority) for priority in ("default", "10", "9")]

    by_place = sorted(rules, key=lambda rule: rule.place)

    assert [rule.priority for rule in by_place] == ["9", "10", "default"]


def test_a_picture_is_the_same_after_it_was_written_down():
    picture = Picture(
        [Listener("arn:x:listener/app/x/1/2", "app/x/1", 80, answers=4000)],
        [Rule("r", "app/x/1", {"g": 2.5}, "l", "default", [], {})],
        [TargetGroup("g", 8000, "ip", HealthCheck(path="/x", codes="200,302"), 30.0)],
    )

    again = Picture.of(json.loads(json.dumps(picture.document())))

    assert again == picture
