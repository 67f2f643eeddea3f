from __future__ import annotations

import pytest
from django.utils import timezone

from aws import ecr
from aws.ecs import deployments as ecs_adapter
from catalog.models import JobRun
from deployments import images, ringing, tasks
from deployments.models import Repository
from tests import make
from tests.deployments import build

pytestmark = pytest.mark.django_db


@pytest.fixture
def read(monkeypatch) -> list[str]:
    """Which repositories ECR was asked about."""
    asked: list[str] = []
    monkeypatch.setattr(ecr, "images", lambda name: asked.append(name) or [])
    return asked


def test_one_beat_too_many_does_nothing(ecs, service, read, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: make.NOON)

    tasks.watch_services()
    tasks.watch_services()

    assert read == ["news-api"]
    assert JobRun.objects.get(job="deployments.watch").succeeded_at is not None


def test_a_new_service_does_not_wait_a_minute_for_its_images(ecs, db, read, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: make.NOON)
    tasks.watch_services()
    make.service()

    tasks.watch_services()

    assert read == ["news-api"]


def test_a_service_that_runs_by_digest_is_shown_by_its_tag(service, read, monkeypatch):
    image = build.image(tags=["1.4.1"])
    found = ecr.Image(
        repository="news-api",
        digest=image.digest,
        tags=("1.4.1",),
        pushed_at=make.NOON,
        size=48_000_000,
    )
    monkeypatch.setattr(ecr, "images", lambda name: [found])
    service.image = f"{image.repository.uri}@{image.digest}"
    service.save()

    images.refresh(at=make.NOON)

    service.refresh_from_db()
    assert service.image_tag == "1.4.1"
    assert service.image.endswith(f":1.4.1@{image.digest}")


def test_images_are_read_on_demand_once(service, read):
    image = build.image()
    Repository.objects.filter(pk=image.repository_id).update(refresh_requested_at=timezone.now())

    tasks.refresh_images()
    tasks.refresh_images()

    assert read == ["news-api"]


def test_a_dead_broker_costs_a_warning_and_nothing_else(monkeypatch, caplog):
    from kombu.exceptions import OperationalError

    class DeadTask:
        def delay(self) -> None:
            raise OperationalError("connection refused")

    monkeypatch.setattr(ringing, "run_due_operations", DeadTask())
    monkeypatch.setattr(ringing, "refresh_images", DeadTask())

    ringing.ring()
    ringing.ring_for_images()

    assert caplog.text.count("the broker does not answer") == 2


def test_the_clients_of_ecs_are_made_before_they_are_needed():
    ecs_adapter.changer.cache_clear()

    ringing._make_clients()

    assert ecs_adapter.changer.cache_info().currsize == 1
