"""Targets that clients register, and what DescribeTargetHealth says of them."""

from __future__ import annotations

from tests.sandbox.account import wait_until
from tests.sandbox.balancing.lab import NOTHING, forward


def reasons(lab, group):
    shown = lab.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    return [row["TargetHealth"].get("Reason") for row in shown]


def test_a_target_is_unused_again_when_nothing_forwards_to_its_group(lab):
    group = lab.group("a")
    lab.server("a", group)
    listener = lab.listen(actions=forward(group))
    lab.healthy(group)

    lab.elb.modify_listener(ListenerArn=listener, DefaultActions=NOTHING)
    unused = lab.health(group), reasons(lab, group)
    lab.elb.modify_listener(ListenerArn=listener, DefaultActions=forward(group))
    lab.healthy(group)

    assert unused == (["unused"], ["Target.NotInUse"])
    assert lab.name_at() == "a"


def test_a_target_on_a_port_of_its_own_is_deregistered_by_that_port_only(lab):
    group = lab.group("a")
    leaving, staying = lab.server("leaving", group), lab.server("staying", group)
    lab.listen(actions=forward(group))
    wait_until(lambda: lab.health(group) == ["healthy"] * 2)
    address = {"Id": leaving.target["Id"]}

    lab.elb.deregister_targets(TargetGroupArn=group, Targets=[address])
    without_port = lab.health(group)
    lab.elb.deregister_targets(TargetGroupArn=group, Targets=[leaving.target])
    wait_until(lambda: lab.health(group) == ["healthy"])

    assert without_port == ["healthy"] * 2
    assert {lab.name_at() for _ in range(4)} == {staying.name}


def test_a_server_that_is_gone_fails_its_health_checks(lab):
    group = lab.group("a")
    server = lab.server("a", group)
    lab.listen(actions=forward(group))
    lab.healthy(group)

    server.stop()
    wait_until(lambda: lab.health(group) == ["unhealthy"])

    assert reasons(lab, group) == ["Target.FailedHealthChecks"]
