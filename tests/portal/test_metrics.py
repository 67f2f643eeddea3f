from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client, override_settings
from django.utils import timezone

from catalog import schedule, work
from catalog.models import AwsUsage, Operation
from portal.prometheus import Family, Sample, histogram, render
from tests import make

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def noon(time_machine: object) -> None:
    time_machine.move_to(make.NOON, tick=False)


def scraped(client: Client) -> dict[str, float]:
    """Return the value of each series, as Prometheus reads the text."""
    lines = client.get("/metrics").content.decode().splitlines()
    series = [line.rpartition(" ") for line in lines if not line.startswith("#")]
    return {name: float(value) for name, _, value in series}


def test_the_age_of_the_queue_is_that_of_the_oldest_due_operation(client: Client) -> None:
    work.submit(kind="test.wait", target="thing:1", key="one", by=None)
    work.submit(kind="test.wait", target="thing:2", key="two", by=None)
    Operation.objects.filter(target="thing:1").update(due_at=timezone.now() - timedelta(seconds=90))
    Operation.objects.filter(target="thing:2").update(due_at=timezone.now() + timedelta(hours=1))

    found = scraped(client)

    assert found["quarterdeck_operation_queue_age_seconds"] == 90
    assert found['quarterdeck_operations{state="open"}'] == 2
    assert found['quarterdeck_operations{state="parked"}'] == 0


def test_an_empty_queue_is_not_late(client: Client) -> None:
    assert scraped(client)["quarterdeck_operation_queue_age_seconds"] == 0


def test_a_failing_job_is_seen(client: Client) -> None:
    at = timezone.now()
    schedule.claim_slot(job="costs.ingest", every=timedelta(minutes=1), at=at)
    with pytest.raises(ZeroDivisionError), schedule.recorded("costs.ingest"):
        1 / 0  # noqa: B018

    found = scraped(client)

    assert found['quarterdeck_job_failing{job="costs.ingest"}'] == 1
    assert 'quarterdeck_job_success_age_seconds{job="costs.ingest"}' not in found


def test_what_aws_was_asked_today_and_its_price(client: Client) -> None:
    today = timezone.now().date()
    AwsUsage.objects.create(day=today, service="ecs", operation="ListTasks", calls=7)
    AwsUsage.objects.create(
        day=today, service="cost-explorer", operation="GetCostAndUsage", calls=3
    )
    AwsUsage.objects.create(
        day=today - timedelta(days=1), service="ecs", operation="ListServices", calls=9
    )

    found = scraped(client)

    asked = 'quarterdeck_aws_requests_today{service="ecs",operation="ListTasks"}'
    price = (
        "quarterdeck_aws_estimated_cost_today_usd"
        '{service="cost-explorer",operation="GetCostAndUsage"}'
    )
    assert found[asked] == 7
    assert found[price] == 0.03
    assert not any("ListServices" in name for name in found)


def test_the_age_of_the_last_reading_of_aws(client: Client) -> None:
    make.account(read_at=timezone.now() - timedelta(seconds=40))

    found = scraped(client)

    assert found['quarterdeck_aws_read_age_seconds{account="123456789012"}'] == 40


def test_requests_are_counted_by_route_not_by_path(client: Client) -> None:
    client.get("/people/17/")
    before = scraped(client)
    client.get("/people/18/")
    after = scraped(client)

    name = 'quarterdeck_http_requests_total{method="GET",route="/people/<int:pk>/",status="405"}'
    assert after[name] == before[name] + 1
    assert not any("/people/17/" in series for series in after)


def test_the_histogram_counts_every_request(client: Client) -> None:
    client.get("/nowhere/")
    found = scraped(client)

    name = "quarterdeck_http_request_duration_seconds"
    answers = sum(
        value for series, value in found.items() if series.startswith("quarterdeck_http_requests")
    )
    assert found[f"{name}_count"] == found[f'{name}_bucket{{le="+Inf"}}'] == answers


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        ({"Authorization": "Bearer wrong"}, 403),
        ({"Authorization": "Bearer a-long-token"}, 200),
    ],
)
def test_with_a_token_only_its_bearer_is_answered(
    client: Client, headers: dict[str, str], status: int
) -> None:
    with override_settings(METRICS_TOKEN="a-long-token"):
        assert client.get("/metrics", headers=headers).status_code == status


def test_without_a_token_only_this_machine_is_answered(client: Client) -> None:
    assert client.get("/metrics", REMOTE_ADDR="10.0.0.7").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="").status_code == 403
    assert client.get("/metrics", REMOTE_ADDR="::1").status_code == 200


def test_who_comes_through_a_proxy_on_this_machine_is_not_local(client: Client) -> None:
    answer = client.get("/metrics", headers={"X-Forwarded-For": "127.0.0.1"})

    assert answer.status_code == 403


def test_labels_are_escaped() -> None:
    family = Family("f", "gauge", "Help.", [Sample(1, {"name": 'a"b\\c\nd'})])

    assert render([family]).splitlines()[-1] == 'f{name="a\\"b\\\\c\\nd"} 1'


def test_the_buckets_of_a_histogram_are_cumulative() -> None:
    lines = render([histogram("h", "Help.", (0.1, 1.0), [2, 3, 1], 4.5)]).splitlines()

    assert lines[2:] == [
        'h_bucket{le="0.1"} 2',
        'h_bucket{le="1.0"} 5',
        'h_bucket{le="+Inf"} 6',
        "h_sum 4.5",
        "h_count 6",
    ]


def test_a_metric_without_samples_is_left_out() -> None:
    assert render([Family("f", "gauge", "Help.", [])]) == ""
