"""The forms by which a release is asked for."""

from __future__ import annotations

import pytest
from django.urls import reverse

from deployments.models import Release
from tests import make
from tests.deployments import build
from tests.deployments.build import filled_in

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent_bell")]


def test_a_release_asked_for_twice_by_one_form_is_one_release(as_olga, service):
    form = filled_in(service)

    first = as_olga.post(reverse("deployments:new"), form)
    second = as_olga.post(reverse("deployments:new"), form)

    assert first.status_code == second.status_code == 302
    assert first.url == second.url
    assert Release.objects.count() == 1


def test_the_form_keeps_what_was_typed_and_says_what_is_wrong(as_olga, service):
    response = as_olga.post(
        reverse("deployments:new"), filled_in(service, percent="101", reason="short")
    )

    page = response.content.decode()
    assert response.status_code == 422
    assert 'value="101"' in page
    assert "less than or equal to 100" in page
    assert "at least 10 characters" in page
    assert Release.objects.count() == 0


def test_a_percentage_finer_than_ecs_takes_is_refused(as_olga, service):
    response = as_olga.post(reverse("deployments:new"), filled_in(service, percent="10.05"))

    assert response.status_code == 422


def test_the_form_offers_the_images_of_the_services_own_repository(as_olga, service):
    build.image()

    page = as_olga.get(f"{reverse('deployments:new')}?service={service.slug}").content.decode()

    assert "1.4.1" in page
    assert "Blue/green with pause" in page
    assert "Rolling" not in page


def test_an_images_vulnerabilities_are_told_worst_first(as_olga, service):
    build.image(findings={"LOW": 2, "UNTRIAGED": 4, "HIGH": 1, "CRITICAL": 3, "MEDIUM": 5})

    page = as_olga.get(f"{reverse('deployments:new')}?service={service.slug}").content.decode()

    assert "3 critical, 1 high, 5 medium, 2 low, 4 untriaged" in page


def test_a_service_without_a_load_balancer_is_offered_only_rolling(as_olga, db):
    ingest = make.service(name="news-ingest", load_balancer="", target_groups=[])
    build.image()

    page = as_olga.get(f"{reverse('deployments:new')}?service={ingest.slug}").content.decode()

    assert "Rolling" in page
    assert "Canary" not in page


def test_without_a_service_the_form_asks_which(as_olga, service):
    page = as_olga.get(reverse("deployments:new")).content.decode()

    assert f"?service={service.slug}" in page


def test_the_button_asks_for_fresh_images(as_olga, service):
    repository = build.image().repository

    as_olga.post(reverse("deployments:refresh_images"), {"service": service.slug})

    repository.refresh_from_db()
    assert repository.refresh_requested_at is not None
