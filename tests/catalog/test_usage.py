from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import time_machine
from django.db import DatabaseError

from catalog import usage
from catalog.models import AwsUsage

TODAY = date(2026, 3, 2)
NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def empty_meter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "_meter", usage._Meter())


def counted() -> list[tuple[str, int, int]]:
    rows = AwsUsage.objects.order_by("operation")
    return [(row.operation, row.calls, row.metrics) for row in rows]


@pytest.mark.django_db
@time_machine.travel(NOON, tick=False)
def test_calls_are_added_up_per_operation_and_day() -> None:
    usage.heard("ecs", "DescribeServices")
    usage.heard("ecs", "DescribeServices")
    usage.heard("ecs", "ListTasks")
    usage.flush()
    usage.heard("ecs", "ListTasks")
    usage.flush()

    assert counted() == [("DescribeServices", 2, 0), ("ListTasks", 2, 0)]
    assert AwsUsage.objects.filter(day=TODAY).count() == 2


@pytest.mark.django_db
@time_machine.travel(NOON, tick=False)
def test_metrics_are_charged_and_their_request_is_not() -> None:
    usage.heard("cloudwatch", "GetMetricData")
    usage.record_metrics(500)
    usage.heard("cost-explorer", "GetCostAndUsage")
    usage.flush()

    assert usage.estimated_usd(AwsUsage.objects.all()) == Decimal("0.015")
    assert usage.price(AwsUsage.objects.get(service="cloudwatch")) == Decimal("0.005")


@pytest.mark.django_db
@time_machine.travel(NOON, tick=False)
def test_what_could_not_be_written_is_written_next_time(monkeypatch: pytest.MonkeyPatch) -> None:
    usage.heard("ecs", "ListTasks")
    with monkeypatch.context() as broken:

        def fails(*_: object) -> None:
            raise DatabaseError("the connection is gone")

        broken.setattr(usage, "_add", fails)
        with pytest.raises(DatabaseError):
            usage.flush()

    usage.heard("ecs", "ListTasks")
    usage.flush_at_exit()

    assert counted() == [("ListTasks", 2, 0)]


@pytest.mark.django_db
def test_the_meter_is_read_out_only_when_it_is_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(usage, "FLUSH_SECONDS", 3600)
    usage.heard("ecs", "ListTasks")
    usage.flush_if_due()
    before = counted()

    usage._meter.flushed_at -= usage.FLUSH_SECONDS
    usage.flush_if_due()

    assert before == []
    assert counted() == [("ListTasks", 1, 0)]


@pytest.mark.django_db
def test_nothing_counted_writes_nothing() -> None:
    usage.flush()

    assert counted() == []
