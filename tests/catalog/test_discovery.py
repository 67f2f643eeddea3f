from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from aws import elbv2, sts
from aws.ecs import services as ecs
from aws.ecs import task_definitions
from aws.errors import Denied
from catalog import discovery
from catalog.models import Account, Service
from tests import make

pytestmark = pytest.mark.django_db

NEWS = ecs.EcsService(
    arn="arn:aws:ecs:us-east-1:123456789012:service/production/news-api",
    name="news-api",
    cluster="production",
    status="ACTIVE",
    controller="ECS",
    strategy="CANARY",
    desired_count=2,
    running_count=2,
    pending_count=0,
    task_definition="arn:aws:ecs:us-east-1:123456789012:task-definition/news-api:1",
    target_groups=(make.BLUE, make.GREEN),
    production_rule="arn:rule",
    current_deployment="",
    tags={"owner": "news", "environment": "production"},
)


class Ecs:
    """What the account answers; a test changes it as the account would change."""

    def __init__(self):
        self.services = [NEWS]
        self.tags = {}
        self.described = []


@pytest.fixture
def account(monkeypatch, settings, tmp_path):
    settings.SERVICES_FILE = tmp_path / "services.yaml"
    seen = Ecs()
    monkeypatch.setattr(sts, "account_id", lambda: "123456789012")
    monkeypatch.setattr(ecs, "clusters", lambda: [ecs.Cluster("arn:c", "production", seen.tags)])
    monkeypatch.setattr(ecs, "services", lambda cluster: seen.services)
    monkeypatch.setattr(
        elbv2,
        "target_groups",
        lambda arns: [
            elbv2.TargetGroup(make.BLUE, "blue", "targetgroup/blue/1", "app/news-production/1"),
            elbv2.TargetGroup(make.GREEN, "green", "targetgroup/green/2", ""),
        ],
    )

    def describe(arn):
        seen.described.append(arn)
        return replace(DEFINITION, arn=arn)

    monkeypatch.setattr(task_definitions, "describe", describe)
    return seen


DEFINITION = make.task_definition()


def test_a_service_is_found_with_its_load_balancer_and_image(account):
    discovery.discover(at=make.NOON)

    service = Service.objects.get()
    assert service.slug == "production-news-api"
    assert service.load_balancer == "app/news-production/1"
    assert (service.image_tag, service.cpu_units) == ("1.4.0", 512)
    assert (service.owner, service.environment) == ("news", "production")


def test_the_file_completes_what_ecs_says(account, settings):
    settings.SERVICES_FILE.write_text(
        "services:\n  - {cluster: production, name: news-api, title: News API, tier: 1}\n"
    )

    discovery.discover(at=make.NOON)

    assert Service.objects.get().title == "News API"
    assert Service.objects.get().tier == 1


def test_a_mistake_in_the_file_is_shown_and_what_was_known_stays(account, settings):
    settings.SERVICES_FILE.write_text(
        "services:\n  - {cluster: production, name: news-api, title: News API}\n"
    )
    discovery.discover(at=make.NOON)
    settings.SERVICES_FILE.write_text("services:\n  - {cluster: production, naem: news-api}\n")

    discovery.discover(at=make.NOON + timedelta(minutes=1))

    assert "line 2" in Account.objects.get().read_error
    assert Service.objects.get().title == "News API"


def test_a_second_reading_updates_and_asks_for_no_known_task_definition(account):
    discovery.discover(at=make.NOON)
    account.services = [replace(NEWS, running_count=1)]

    discovery.discover(at=make.NOON + timedelta(minutes=1))

    assert Service.objects.get().running_count == 1
    assert account.described == [NEWS.task_definition]


def test_a_service_that_ecs_no_longer_lists_is_gone_and_may_come_back(account):
    discovery.discover(at=make.NOON)
    account.services = []
    discovery.discover(at=make.NOON + timedelta(minutes=1))
    assert not Service.objects.present().exists()

    account.services = [NEWS]
    discovery.discover(at=make.NOON + timedelta(minutes=2))

    assert Service.objects.present().get().gone_at is None


def test_a_cluster_tag_becomes_the_notice_of_the_account(account):
    account.tags = {discovery.NOTICE_TAG: "Sandbox: a deployment minute takes 6 s"}

    discovery.discover(at=make.NOON)

    assert Account.objects.get().notice == "Sandbox: a deployment minute takes 6 s"


def test_a_missing_permission_is_recorded_and_nothing_is_forgotten(account, monkeypatch):
    discovery.discover(at=make.NOON)
    denied = Denied(
        "ecs:ListClusters: the credentials lack the permission ecs:ListClusters.",
        code="AccessDeniedException",
        operation="ecs:ListClusters",
        action="ecs:ListClusters",
    )

    def refuse():
        raise denied

    monkeypatch.setattr(ecs, "clusters", refuse)

    with pytest.raises(Denied):
        discovery.discover(at=make.NOON + timedelta(minutes=1))

    assert "lack the permission ecs:ListClusters" in Account.objects.get().read_error
    assert Service.objects.present().count() == 1


def test_two_services_whose_names_read_alike_keep_their_own_pages(account):
    account.services = [
        NEWS,
        replace(NEWS, arn=NEWS.arn + "-2", cluster="production", name="news_api"),
        replace(NEWS, arn=NEWS.arn + "-3", cluster="production-news", name="api"),
    ]

    discovery.discover(at=make.NOON)

    assert len(set(Service.objects.values_list("slug", flat=True))) == 3


def test_an_empty_account_has_no_services(account):
    account.services = []

    discovery.discover(at=make.NOON)

    assert Account.objects.get().read_at == make.NOON
    assert not Service.objects.exists()


def test_a_long_tag_is_cut_and_hides_nothing(account):
    account.services = [replace(NEWS, tags={"owner": "x" * 256, "environment": "y" * 256})]

    discovery.discover(at=make.NOON)

    assert Service.objects.get().owner == "x" * 120
    assert Service.objects.get().tags["owner"] == "x" * 256


def test_a_service_with_the_longest_name_of_ecs_is_found(account):
    account.services = [replace(NEWS, name="n" * 255)]

    discovery.discover(at=make.NOON)

    assert Service.objects.get().name == "n" * 255


def test_a_file_that_is_no_text_is_a_mistake_like_others(account, settings):
    settings.SERVICES_FILE.write_bytes(b"services: \xff\xfe")

    discovery.discover(at=make.NOON)

    assert "UTF-8" in Account.objects.get().read_error
    assert Service.objects.get().running_count == 2
