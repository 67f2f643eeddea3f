"""Alarms and policies that kill -9 tore apart belong together again after the next start."""

from __future__ import annotations

import asyncio

import pytest

from sandbox.autoscaling.book import Book
from sandbox.autoscaling.service import ApplicationAutoScaling
from tests.sandbox.alarms.world import World as AlarmWorld
from tests.sandbox.autoscaling.asking import CPU, SERVICE, tracking
from tests.sandbox.autoscaling.world import RESOURCE
from tests.sandbox.autoscaling.world import World as ScalingWorld

TARGET = SERVICE | {"ResourceId": RESOURCE}


class Killed(BaseException):
    """The sandbox is gone in the middle of something."""


@pytest.fixture
def alarms(tmp_path, monkeypatch):
    world = AlarmWorld(tmp_path / "alarms", monkeypatch)
    yield world
    world.close()


@pytest.fixture
def scaling(tmp_path, alarms):
    world = ScalingWorld(tmp_path / "scaling")
    yield world
    world.state.close()


def service(scaling, alarms):
    """Application Auto Scaling as a start finds it on disk."""
    scaling.book = Book(scaling.state)
    made = ApplicationAutoScaling(scaling.book, scaling.fulfilment, alarms.alarms, None)
    asyncio.run(made.heal())
    return made


def put(scaling_service, target=60.0):
    asyncio.run(
        scaling_service.put_scaling_policy(PolicyName="cpu", **TARGET, **tracking(CPU, target))
    )


def thresholds(alarms):
    """Of the alarms of target tracking there are."""
    found = alarms.call("describe_alarms", AlarmNamePrefix="TargetTracking-")["MetricAlarms"]
    return sorted(alarm["Threshold"] for alarm in found)


def of_policy(scaling_service):
    (policy,) = asyncio.run(scaling_service.describe_scaling_policies(**TARGET))["ScalingPolicies"]
    return policy["Alarms"]


def killed_at(monkeypatch, owner, name, call):
    """Run `call` until it reaches a method, and no further."""

    def die(*_args, **_more):
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, die)
        with pytest.raises(Killed):
            call()


def test_alarms_whose_policy_was_never_kept_are_gone_after_a_start(scaling, alarms, monkeypatch):
    before = service(scaling, alarms)
    killed_at(monkeypatch, before.book, "save", lambda: put(before))
    orphans = thresholds(alarms)

    service(scaling, alarms)

    assert orphans == [54.0, 60.0]
    assert thresholds(alarms) == []


def test_alarms_of_a_policy_that_was_being_deleted_are_gone(scaling, alarms, monkeypatch):
    before = service(scaling, alarms)
    put(before)
    deletion = lambda: asyncio.run(  # noqa: E731
        before.delete_scaling_policy(PolicyName="cpu", **TARGET)
    )
    killed_at(monkeypatch, alarms.alarms, "delete_alarms", deletion)

    service(scaling, alarms)

    assert thresholds(alarms) == []


@pytest.mark.parametrize(
    ("step", "kept"), [("save", [54.0, 60.0]), ("delete_alarms", [45.0, 50.0])]
)
def test_a_policy_that_was_being_changed_has_one_pair_wherever_it_stopped(
    scaling, alarms, monkeypatch, step, kept
):
    before = service(scaling, alarms)
    put(before)
    owner = before.book if step == "save" else alarms.alarms
    killed_at(monkeypatch, owner, step, lambda: put(before, 50.0))

    after = service(scaling, alarms)

    assert thresholds(alarms) == kept
    assert len(of_policy(after)) == 2


def test_alarms_of_others_are_left_alone(scaling, alarms):
    alarms.put(AlarmName="TargetTracking-of-somebody", AlarmActions=["arn:aws:autoscaling:::x"])
    put(service(scaling, alarms))

    service(scaling, alarms)

    assert thresholds(alarms) == [5.0, 54.0, 60.0]


def test_an_alarm_that_was_deleted_behind_the_policys_back_is_not_told(scaling, alarms):
    made = service(scaling, alarms)
    put(made)
    high = of_policy(made)[0]["AlarmName"]

    alarms.call("delete_alarms", AlarmNames=[high])

    assert [alarm["AlarmName"] for alarm in of_policy(made)] != []
    assert high not in [alarm["AlarmName"] for alarm in of_policy(made)]
