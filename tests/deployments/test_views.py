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
from tests.deployments.ecs import NEW_DIGEST

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def silent_bell(monkeypatch):
    """The bell only wakes a worker; no worker runs here, and the row carries the work."""
    monkeypatch.setattr("deployments.ringing._ring", lambda task: None)


@pytest.fixture
def as_olga(client, olga):
    client.force_login(olga)
    return client


@pytest.fixture
def as_anna(client, anna):
    client.force_login(anna)
    return client


def filled_in(service, **changes):
    build.image()
    return {
        "key": str(uuid.uuid4()),
        "service": service.slug,
        "image": NEW_DIGEST,
        "preset": "canary",
        "reason": "Faster search results",
    } | changes


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


def test_the_review_shows_checks_changes_and_what_will_be_sent(as_olga, ecs, draft):
    release = build.look(draft)

    page = as_olga.get(release.get_absolute_url()).content.decode()

    assert "All traffic goes to news-api-blue." in page
    assert "news-api image" in page
    assert "canaryPercent" in page
    assert "Start: release 1.4.1" in page


def test_a_blocked_release_has_no_start_button(as_olga, ecs, draft):
    ecs.images.clear()

    release = build.look(draft)
    page = as_olga.get(release.get_absolute_url()).content.decode()

    assert "A check blocks this release" in page
    assert "Start: release" not in page


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


def test_the_page_of_a_paused_canary_says_what_each_button_does(as_anna, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)

    page = as_anna.get(release.get_absolute_url()).content.decode()

    assert "Promote 1.4.1 to 100 %" in page
    assert "Reject: back to 1.4.0" in page
    assert "traffic leaves 1.4.1 in about a second" in page


def test_a_viewer_sees_everything_and_no_button(client, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    client.force_login(make.user())

    page = client.get(release.get_absolute_url()).content.decode()

    assert "Waiting for a decision" in page
    assert "<form" not in page.split('id="actions"')[1].split("</section>")[0]


def test_an_unchanged_live_part_is_not_sent_again(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    url = release.get_absolute_url()
    part = as_olga.get(url, headers={"HX-Request": "true", "HX-Target": "actions"})
    seen = part.content.decode().split("?seen=")[1].split('"')[0]
    headers = {"HX-Request": "true", "HX-Target": "actions"}

    unchanged = as_olga.get(f"{url}?seen={seen}", headers=headers)
    operations.roll_back(release=release, by=olga, at=timezone.now(), reason="Errors")
    changed = as_olga.get(f"{url}?seen={seen}", headers=headers)

    assert (unchanged.status_code, changed.status_code) == (204, 200)
    assert changed.content.decode().lstrip().startswith('<section id="actions"')


def test_a_finished_release_no_longer_polls(as_olga, ecs, draft, olga):
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="SUCCESSFUL")
    release = build.look(release)

    page = as_olga.get(release.get_absolute_url()).content.decode()

    assert "hx-trigger" not in page.split('id="progress"')[1].split("</main>")[0]


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


def test_approvals_list_what_waits(as_olga, ecs, draft, olga):
    build.paused(draft, olga, ecs)

    page = as_olga.get(reverse("deployments:approvals")).content.decode()

    assert "1.4.1" in page
    assert "Promote" in page


def test_the_list_shows_those_in_flight_first(as_olga, ecs, service, olga):
    ended = build.look(build.draft(service, olga, key="old"))
    build.started(build.draft(service, olga, key="new"), olga)
    operations.cancel(release=ended, by=olga, at=timezone.now())

    page = as_olga.get(reverse("deployments:list")).content.decode()

    assert page.index("Starting") < page.index("Cancelled")


def test_the_list_filters_by_service(as_olga, ecs, draft):
    page = as_olga.get(reverse("deployments:list") + "?service=other").content.decode()

    assert "This service has not been released yet." in page


def test_a_refusal_is_audited(as_olga, ecs, draft):
    as_olga.post(reverse("deployments:start", args=[draft.pk]))

    entry = AuditEntry.objects.get(action="deployments.start")
    assert entry.outcome == "refused"
    assert "preflight is still running" in entry.detail["why"]


def test_without_a_service_the_form_asks_which(as_olga, service):
    page = as_olga.get(reverse("deployments:new")).content.decode()

    assert f"?service={service.slug}" in page


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


def test_the_button_asks_for_fresh_images(as_olga, service):
    repository = build.image().repository

    as_olga.post(reverse("deployments:refresh_images"), {"service": service.slug})

    repository.refresh_from_db()
    assert repository.refresh_requested_at is not None


def test_the_live_list_and_inbox_are_not_sent_again_unchanged(as_olga, ecs, draft, olga):
    build.paused(draft, olga, ecs)
    for name, part in (("list", "releases"), ("approvals", "decisions")):
        headers = {"HX-Request": "true", "HX-Target": part}
        page = as_olga.get(reverse(f"deployments:{name}"), headers=headers).content.decode()
        seen = page.split("seen=")[1].split('"')[0]

        again = as_olga.get(reverse(f"deployments:{name}") + f"?seen={seen}", headers=headers)

        assert again.status_code == 204


@pytest.mark.parametrize(
    "name", ["list", "approvals", "new", "detail", "start", "cancel", "roll_back", "restore"]
)
def test_a_stranger_is_sent_to_the_entrance(client, draft, name):
    arguments = [draft.pk] if name not in {"list", "approvals", "new"} else []

    response = client.post(reverse(f"deployments:{name}", args=arguments))

    assert response.status_code == 302
    assert "/accounts/login/" in response.url


@pytest.mark.parametrize("name", ["check_again", "start", "cancel", "roll_back", "restore"])
def test_a_viewer_may_not_act(client, draft, name):
    client.force_login(make.user())

    response = client.post(reverse(f"deployments:{name}", args=[draft.pk]))

    assert response.status_code == 403
