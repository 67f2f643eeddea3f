"""What scales a service does not outlive it."""

from __future__ import annotations

import asyncio

from sandbox.autoscaling.departures import Departures
from tests.sandbox.account import wait_until
from tests.sandbox.autoscaling.asking import CPU, tracking
from tests.sandbox.autoscaling.test_healing import TARGET, alarms, put, scaling, service, thresholds

__all__ = ["alarms", "scaling"]


def test_a_deleted_service_takes_its_target_policies_alarms_and_schedules_along(scaling, alarms):
    made = service(scaling, alarms)
    put(made)
    made.put_scheduled_action(
        ScheduledActionName="night",
        **TARGET,
        Schedule="rate(1 day)",
        ScalableTargetAction={"MinCapacity": 1},
    )
    scaling.service.status = "DRAINING"

    asyncio.run(Departures(made).round())

    assert made.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert made.describe_scheduled_actions(ServiceNamespace="ecs")["ScheduledActions"] == []
    assert thresholds(alarms) == []


def test_a_service_that_is_there_keeps_what_scales_it(scaling, alarms):
    made = service(scaling, alarms)
    put(made)

    asyncio.run(Departures(made).round())

    assert len(made.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"]) == 1
    assert thresholds(alarms) == [54.0, 60.0]


def test_an_alarm_that_a_composite_alarm_follows_stays_and_everything_else_goes(scaling, alarms):
    made = service(scaling, alarms)
    put(made)
    (policy,) = made.book.policies.values()
    alarms.put_composite("busy-or-not", f'ALARM("{policy.alarms[0]}")')
    scaling.service.status = "DRAINING"

    asyncio.run(Departures(made).round())

    assert made.describe_scalable_targets(ServiceNamespace="ecs")["ScalableTargets"] == []
    assert thresholds(alarms) == [60.0]
    service(scaling, alarms)


def test_a_service_and_its_target_end_together_over_the_wire(account, client):
    ecs, name = account.ecs, "short-lived"
    like = account.service("production", "news-ingest")
    ecs.create_service(
        cluster="staging",
        serviceName=name,
        taskDefinition=like["taskDefinition"],
        networkConfiguration=like["networkConfiguration"],
        launchType="FARGATE",
        desiredCount=0,
    )
    target = TARGET | {"ResourceId": f"service/staging/{name}"}
    client.register_scalable_target(**target, MinCapacity=0, MaxCapacity=1)
    client.put_scaling_policy(PolicyName="cpu", **target, **tracking(CPU))

    ecs.delete_service(cluster="staging", service=name, force=True)

    wait_until(lambda: not client.describe_scaling_policies(**target)["ScalingPolicies"])
    wait_until(
        lambda: (
            not client.describe_scalable_targets(
                ServiceNamespace="ecs", ResourceIds=[target["ResourceId"]]
            )["ScalableTargets"]
        )
    )
