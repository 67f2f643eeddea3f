"""What buttons do, and for whom."""

from __future__ import annotations

import uuid

import pytest
from django.urls import reverse
from django.utils import timezone

from catalog import usage
from catalog.models import AuditEntry, AwsUsage
from deployments import operations
from deployments.models import DecisionState, Release, Status
from tests import make
from tests.deployments import build

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent_bell")]


def test_starting_over_http_starts_once(as_olga, ecs, draft):
    release = build.look(draft)

    as_olga.post(reverse("deployments:start", args=[release.pk]))
    again = as_olga.post(reverse("deployments:start", args=[release.pk]), follow=True)

    assert "Started by olga at" in again.content.decode()
    release.refresh_from_db()
    assert release.status == Status.STARTING


def test_promoting_over_http_needs_an_approver(client, ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    url = reverse("deployments:approve", args=["ecs-pause-1"])
    client.force_login(olga)

    refused = client.post(url)
    client.force_login(anna)
    done = client.post(url, {"reason": "Watched the logs instead"})

    assert (refused.status_code, done.status_code) == (403, 302)
    assert release.decisions.get().state == DecisionState.APPROVED
    assert ecs.calls[-1] == ("continue_deployment", ("ecs-pause-1", "CONTINUE"))


def test_promoting_without_enough_evidence_needs_a_reason(as_anna, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)

    response = as_anna.post(reverse("deployments:approve", args=["ecs-pause-1"]), follow=True)

    assert "write down why you go on" in response.content.decode()
    assert release.decisions.get().state == DecisionState.OPEN


def test_promoting_without_any_evidence_needs_a_reason(as_anna, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    Release.objects.update(target_target_group="", traffic_since=None)

    as_anna.post(reverse("deployments:approve", args=["ecs-pause-1"]))

    assert release.decisions.get().state == DecisionState.OPEN


def test_the_calls_of_a_click_are_counted(as_olga, ecs, draft, olga, monkeypatch):
    release = build.paused(draft, olga, ecs)
    usage.heard("ecs", "StopServiceDeployment")
    monkeypatch.setattr(usage, "FLUSH_SECONDS", 0)

    as_olga.post(reverse("deployments:roll_back", args=[release.pk]), {"reason": "Errors"})

    assert AwsUsage.objects.get(operation="StopServiceDeployment").calls == 1


def test_the_second_approver_is_told_who_was_first(as_anna, ecs, draft, olga, anna):
    release = build.paused(draft, olga, ecs)
    ben = make.approver("ben")
    operations.approve(decision=release.decisions.get(), by=ben, at=timezone.now())

    response = as_anna.post(
        reverse("deployments:approve", args=["ecs-pause-1"]), {"reason": "Me too"}, follow=True
    )

    assert "Promoted by ben at" in response.content.decode()


def test_a_rollback_reaches_ecs_within_the_request(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)

    response = as_olga.post(
        reverse("deployments:roll_back", args=[release.pk]), {"reason": "Errors"}, follow=True
    )

    assert ecs.count("stop_deployment") == 1
    assert "Rolling back" in response.content.decode()


def test_a_rollback_works_with_a_dead_broker(as_olga, ecs, draft, olga, monkeypatch, settings):
    release = build.paused(draft, olga, ecs)
    monkeypatch.undo()
    ecs.stand_in(monkeypatch)
    from portal.celery import app

    monkeypatch.setattr(app.conf, "broker_url", "redis://127.0.0.1:9/0")

    as_olga.post(reverse("deployments:roll_back", args=[release.pk]), {"reason": "Errors"})

    assert ecs.count("stop_deployment") == 1


def test_a_restore_needs_the_services_name_typed(as_olga, ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)
    url = reverse("deployments:restore", args=[release.pk])
    form = {"key": str(uuid.uuid4()), "reason": "Slow since then", "typed": "news"}

    refused = as_olga.post(url, form, follow=True)
    accepted = as_olga.post(url, form | {"typed": "news-api"}, follow=True)

    assert "Type news-api to confirm." in refused.content.decode()
    assert "Restore 1.4.1 → 1.4.0" in accepted.content.decode()


def test_a_refusal_is_audited(as_olga, ecs, draft):
    as_olga.post(reverse("deployments:start", args=[draft.pk]))

    entry = AuditEntry.objects.get(action="deployments.start")
    assert entry.outcome == "refused"
    assert "preflight is still running" in entry.detail["why"]


def test_a_rejection_over_http_goes_back(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)

    as_olga.post(reverse("deployments:reject", args=["ecs-pause-1"]), {"reason": "Too slow"})

    assert ecs.calls[-1] == ("continue_deployment", ("ecs-pause-1", "ROLLBACK"))
    release.refresh_from_db()
    assert release.rollback_reason == "Too slow"


def test_a_second_rejection_is_told_who_was_first(as_olga, ecs, draft, olga):
    build.paused(draft, olga, ecs)
    url = reverse("deployments:reject", args=["ecs-pause-1"])
    as_olga.post(url, {"reason": "Too slow"})

    again = as_olga.post(url, {"reason": "Too slow"}, follow=True)

    assert "Rollback requested by olga at" in again.content.decode()


def test_a_draft_is_cancelled_and_checked_again_over_http(as_olga, ecs, draft):
    release = build.look(draft)

    as_olga.post(reverse("deployments:check_again", args=[release.pk]))
    release.refresh_from_db()
    checking = release.status
    as_olga.post(reverse("deployments:cancel", args=[release.pk]))

    release.refresh_from_db()
    assert (checking, release.status) == (Status.PREPARING, Status.CANCELLED)


def test_a_restore_of_what_no_longer_runs_is_refused_in_words(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    form = {"key": str(uuid.uuid4()), "reason": "Slow since then", "typed": "news-api"}

    page = as_olga.post(reverse("deployments:restore", args=[release.pk]), form, follow=True)

    assert "Only the newest release that succeeded" in page.content.decode()


def test_a_second_rollback_over_http_is_told_who_was_first(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    url = reverse("deployments:roll_back", args=[release.pk])
    as_olga.post(url)

    again = as_olga.post(url, follow=True)

    assert "Rollback requested by olga at" in again.content.decode()
    assert ecs.count("stop_deployment") == 1


@pytest.mark.parametrize("name", ["check_again", "start", "cancel", "roll_back", "restore"])
def test_a_viewer_may_not_act(client, draft, name):
    client.force_login(make.user())

    response = client.post(reverse(f"deployments:{name}", args=[draft.pk]))

    assert response.status_code == 403
