"""Releases of before the epoch: ECS lists them as it lists those made in the sandbox."""

from __future__ import annotations

from datetime import datetime

import pytest

from sandbox.history import releases
from tests.sandbox.account import FAST, Account, wait_until


@pytest.fixture
def epoch(account):
    return datetime.fromisoformat(account.control("GET", "status")["epoch"])


def listed(account, cluster, service, **filters):
    answer = account.ecs.list_service_deployments(
        cluster=cluster, service=service, maxResults=100, **filters
    )
    return answer["serviceDeployments"]


def test_every_past_release_is_listed_with_its_times(account, epoch):
    for cluster, service in (("production", "news-api"), ("staging", "news-api")):
        expected = [
            (release.created_at, release.finished_at, release.status)
            for release in releases(epoch)
            if (release.cluster, release.service) == (cluster, service)
        ]

        found = listed(account, cluster, service, createdAt={"before": epoch})

        times = [(one["createdAt"], one["finishedAt"], one["status"]) for one in found]
        assert sorted(times) == expected


def test_the_rolled_back_release_names_what_it_went_back_to(account, epoch):
    (brief,) = listed(account, "production", "news-api", status=["ROLLBACK_SUCCESSFUL"],
                      createdAt={"before": epoch})  # fmt: skip

    deployment = account.deployment(brief["serviceDeploymentArn"])

    source = deployment["sourceServiceRevisions"][0]["arn"]
    assert deployment["rollback"]["serviceRevisionArn"] == source
    definition = account.revision(source)["taskDefinition"]
    described = account.ecs.describe_task_definition(taskDefinition=definition)
    container = described["taskDefinition"]["containerDefinitions"][0]
    assert container["image"].endswith(":1.3.1")


def test_the_running_revision_follows_those_of_the_past(account, epoch):
    newest = max(
        release.task_definition_revision
        for release in releases(epoch)
        if release.service == "news-ingest"
    )

    running = account.service("production", "news-ingest")["taskDefinition"]

    assert int(running.rsplit(":", 1)[-1]) > newest


@pytest.fixture
def young_account(tmp_path):
    """A fresh world that just began to answer; its tasks are still starting."""
    # In minutes of real length nothing that is still under way ends before the test looks.
    account = Account(tmp_path / "home", environment=FAST | {"SANDBOX_SECONDS_PER_MINUTE": "60"})
    yield account
    account.stop()


def test_a_release_at_once_has_a_revision_to_return_to(young_account):
    wait_until(young_account._answers)
    running = young_account.service()["taskDefinition"]
    pause = {"targetType": "PAUSE", "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"]}

    arn = young_account.release(
        "1.4.1", strategy="CANARY", bakeTimeInMinutes=0, lifecycleHooks=[pause]
    )

    (source,) = young_account.deployment(arn)["sourceServiceRevisions"]
    assert young_account.revision(source["arn"])["taskDefinition"] == running
