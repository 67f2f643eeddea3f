from __future__ import annotations

from dataclasses import replace

import pytest

from aws.ecr import Image
from aws.ecs.deployments import ServiceFacts
from aws.elbv2 import TargetHealth
from deployments.models import Outcome
from deployments.preflight import Plan, Snapshot, Unreadable, findings
from tests import make

PLAN = Plan(strategy="CANARY", bake_minutes=30, alarm_names=("5xx",))
NO_ANSWER = Unreadable("AWS did not answer")
GOOD = Snapshot(
    service=ServiceFacts("ACTIVE", "ECS", "td:1", 2, 2, 0),
    deployments=(),
    image=Image("news-api", "sha256:1", ("1.4.1",), make.NOON, 1, "COMPLETE", {}),
    weights={make.BLUE: 1, make.GREEN: 0},
    health={make.BLUE: TargetHealth(2, 0, 0)},
    alarms={"5xx": "OK"},
    changes=1,
)


def outcome(check: str, plan: Plan = PLAN, **changes) -> tuple[str, str]:
    found = findings(plan, replace(GOOD, **changes))
    return next((each.outcome, each.text) for each in found if each.check == check)


def service(**changes) -> ServiceFacts:
    return replace(GOOD.service, **changes)


def test_a_service_in_order_passes_every_check():
    assert {each.outcome for each in findings(PLAN, GOOD)} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("check", "changes", "expected"),
    [
        ("Service", {"service": service(controller="CODE_DEPLOY")}, Outcome.BLOCK),
        ("Service", {"service": service(status="DRAINING")}, Outcome.BLOCK),
        ("No other deployment", {"deployments": ("arn:x/d1",)}, Outcome.BLOCK),
        ("Steady state", {"service": service(running=1)}, Outcome.WARN),
        ("Steady state", {"service": service(pending=1)}, Outcome.WARN),
        ("Steady state", {"service": service(desired=0, running=0)}, Outcome.WARN),
        ("Image", {"image": None}, Outcome.BLOCK),
        ("Image scan", {"image": None}, Outcome.UNKNOWN),
        ("Image scan", {"image": replace(GOOD.image, scan_status="PENDING")}, Outcome.UNKNOWN),
        ("Image scan", {"image": replace(GOOD.image, findings={"HIGH": 2})}, Outcome.WARN),
        ("Image scan", {"image": replace(GOOD.image, findings={"LOW": 9})}, Outcome.PASS),
        ("Task definition", {"changes": 0}, Outcome.WARN),
        ("Rollback alarms", {"alarms": {}}, Outcome.BLOCK),
        ("Rollback alarms", {"alarms": {"5xx": "ALARM"}}, Outcome.WARN),
        ("Rollback alarms", {"alarms": {"5xx": "INSUFFICIENT_DATA"}}, Outcome.PASS),
        ("Load balancer rule", {"weights": None}, Outcome.BLOCK),
        ("Load balancer rule", {"weights": {make.BLUE: 1}}, Outcome.BLOCK),
        ("Load balancer rule", {"weights": {make.BLUE: 9, make.GREEN: 1}}, Outcome.BLOCK),
        ("Load balancer rule", {"weights": {make.BLUE: 0, make.GREEN: 0}}, Outcome.BLOCK),
        ("Target health", {"health": {make.BLUE: TargetHealth(0, 2, 0)}}, Outcome.BLOCK),
        ("Target health", {"health": {}}, Outcome.UNKNOWN),
    ],
)
def test_what_is_out_of_order_is_said(check, changes, expected):
    assert outcome(check, **changes)[0] == expected


@pytest.mark.parametrize(
    ("check", "unread"),
    [
        ("Service", "service"),
        ("No other deployment", "deployments"),
        ("Steady state", "service"),
        ("Image", "image"),
        ("Image scan", "image"),
        ("Task definition", "changes"),
        ("Rollback alarms", "alarms"),
        ("Rollback alarms", "service"),
        ("Load balancer rule", "weights"),
        ("Target health", "weights"),
        ("Target health", "health"),
        ("Capacity", "service"),
    ],
)
def test_what_could_not_be_read_is_unknown_with_the_reason(check, unread):
    found, text = outcome(check, **{unread: NO_ANSWER})

    assert found == Outcome.UNKNOWN
    assert "AWS did not answer" in text


def test_without_bake_time_there_is_no_instant_rollback():
    assert outcome("Instant rollback", replace(PLAN, bake_minutes=0))[0] == Outcome.WARN
    assert "30 deployment minutes" in outcome("Instant rollback", PLAN)[1]
    assert "1 deployment minute " in outcome("Instant rollback", replace(PLAN, bake_minutes=1))[1]


def test_without_alarms_somebody_must_watch():
    found, text = outcome("Rollback alarms", replace(PLAN, alarm_names=()))

    assert found == Outcome.WARN
    assert "somebody must watch" in text


def test_an_alarm_that_fires_already_takes_the_net_away():
    text = outcome("Rollback alarms", alarms={"5xx": "ALARM"})[1]

    assert "the automatic rollback net is off" in text


def test_a_rolling_release_needs_no_target_groups():
    rolling = Plan(strategy="ROLLING", bake_minutes=0)

    checks = {each.check for each in findings(rolling, GOOD)}

    assert not checks & {"Load balancer rule", "Target health", "Instant rollback", "Capacity"}
