"""Advice: which size fits what was used, and what it saves."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.optimizer import sizing
from sandbox.optimizer.facts import DatabaseFacts, ServiceFacts
from sandbox.optimizer.recommendations import advised_size, of_databases, of_services
from sandbox.optimizer.sizing import FARGATE, Size, Use

AT = datetime(2026, 11, 22, 12, tzinfo=UTC)
CPU_POLICY = "ECSServiceAverageCPUUtilization"
MEMORY_POLICY = "ECSServiceAverageMemoryUtilization"
sizes = st.sampled_from([Size(cpu, memory) for cpu, each in FARGATE.items() for memory in each])
percents = st.floats(0.1, 100.0)


def use(maximum, average=None, hours=48):
    return Use([float(maximum)] * hours, [float(average or maximum)] * hours)


def service(size, cpu=5, memory=9, tasks=1, scales_by=()):
    return ServiceFacts(
        arn="arn:aws:ecs:us-east-1:123456789012:service/production/a",
        name="production/a",
        tags={"service": "a"},
        task_definition="arn:aws:ecs:us-east-1:123456789012:task-definition/a:1",
        container="a",
        size=size,
        tasks=tasks,
        cpu=use(cpu),
        memory=use(memory),
        scales_by=frozenset(scales_by),
    )


def database(instance_class="db.t4g.medium", cpu=20, *, multi_az=True):
    arn = "arn:aws:rds:us-east-1:123456789012:db:a"
    return DatabaseFacts(arn, "a", "postgres", instance_class, multi_az, (), use(cpu))


def test_a_month_of_tasks_costs_what_aws_s_own_example_says():
    before, after = Size(1024, 3072).monthly(2), Size(1024, 2048).monthly(2)

    assert round(before, 2) == Decimal("78.57")
    assert round(before - after, 2) == Decimal("6.49")


def test_the_recorded_rightsizing_of_a_service_is_reproduced():
    (advice,) = of_services([service(Size(1024, 2048), cpu=20, memory=30)])

    item = advice.summary(AT)
    assert item["currentResourceSummary"] == "1024.0 vCPU/2048 MB memory"
    assert item["recommendedResourceSummary"] == "512.0 vCPU/1024 MB memory"
    assert (item["estimatedMonthlyCost"], item["estimatedMonthlySavings"]) == (18.02, 18.02)
    assert item["estimatedSavingsPercentage"] == 50.0


def test_savings_percentages_are_rounded_up():
    (advice,) = of_services([service(Size(1024, 3072), cpu=60, memory=30)])

    assert advice.summary(AT)["estimatedSavingsPercentage"] == 9.0


@given(size=sizes, cpu=percents, memory=percents)
def test_what_is_advised_leaves_a_third_of_room_or_is_the_largest(size, cpu, memory):
    advised = sizing.advised(size, use(cpu), use(memory))

    fits = (
        size.cpu * cpu / 100 <= advised.cpu * sizing.HEADROOM + 1e-6
        and size.memory * memory / 100 <= advised.memory * sizing.HEADROOM + 1e-6
    )
    assert advised.memory in FARGATE[advised.cpu]
    assert fits or advised == Size(4096, 30720)


@given(size=sizes, cpu=percents, memory=percents)
def test_advice_that_was_taken_gives_no_further_advice(size, cpu, memory):
    advised = sizing.advised(size, use(cpu), use(memory))
    cpu_then, memory_then = size.cpu * cpu / advised.cpu, size.memory * memory / advised.memory

    again = sizing.advised(advised, use(cpu_then), use(memory_then))

    assert again.monthly(1) == advised.monthly(1)


def test_a_service_that_scales_by_cpu_keeps_its_cpu():
    wide = service(Size(512, 4096), cpu=2, memory=5, scales_by=[CPU_POLICY])

    assert advised_size(wide) == Size(512, 1024)


def test_a_service_that_scales_by_both_gets_no_advice():
    wide = service(Size(512, 4096), cpu=2, memory=5, scales_by=[CPU_POLICY, MEMORY_POLICY])

    assert of_services([wide]) == []


def test_more_is_never_recommended_as_a_saving():
    assert of_services([service(Size(256, 512), cpu=99, memory=95)]) == []


def test_an_idle_database_is_advised_one_class_down():
    (advice,) = of_databases([database()])

    assert advice.recommended == "db.t4g.small"
    assert advice.savings == 730 * (Decimal("0.129") - Decimal("0.065"))


@pytest.mark.parametrize(
    ("instance_class", "cpu", "hours"),
    [
        ("db.t4g.medium", 40, 48),
        ("db.t4g.medium", 5, 23),
        ("db.t4g.small", 5, 48),
        ("db.r6g.large", 5, 48),
    ],
)
def test_busy_unmeasured_small_and_unknown_databases_stay(instance_class, cpu, hours):
    assert sizing.smaller_database(instance_class, use(cpu, hours=hours)) is None


def test_a_few_hours_of_an_incident_do_not_keep_a_database_large():
    hours = [20.0] * 330 + [100.0] * 6

    assert sizing.smaller_database("db.t4g.medium", Use(hours, hours)) == "db.t4g.small"


def test_an_id_is_of_a_resource_and_a_day():
    first, second = (of_databases([database(multi_az=m)])[0] for m in (True, False))

    assert first.identifier(AT) == second.identifier(AT)
    assert first.identifier(AT) != first.identifier(AT.replace(day=23))
    assert first.details(AT)["recommendationId"] == first.identifier(AT)
