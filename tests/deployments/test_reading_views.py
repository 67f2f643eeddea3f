"""What the pages of releases show."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from deployments import operations
from tests import make
from tests.deployments import build

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("silent_bell")]


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


def baking(ecs, draft, olga):
    """The page of a release without pauses, ten minutes of bake ahead of it."""
    release = build.started(draft, olga)
    ecs.show(ecs.newest, weight=100.0, status="IN_PROGRESS", lifecycle_stage="BAKE_TIME")
    return build.look(release)


def test_the_end_of_a_bake_is_called_an_estimate_if_nothing_told_ecs_minute(
    as_olga, ecs, draft, olga
):
    release = baking(ecs, draft, olga)

    page = as_olga.get(release.get_absolute_url()).content.decode()

    assert "Instant rollback until about" in page
    assert "an estimate" in page


def test_the_end_of_a_bake_follows_the_minute_that_a_pause_told(as_olga, ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    ecs.show(ecs.newest, hooks=(), weight=100.0, lifecycle_stage="BAKE_TIME")
    release = build.look(release)
    decision = release.decisions.get()
    release.decisions.update(expires_at=decision.opened_at + timedelta(minutes=6))

    response = as_olga.get(release.get_absolute_url())

    assert "an estimate" not in response.content.decode()
    length = response.context["baked_at"] - release.baking_since
    assert length.total_seconds() == pytest.approx(6 * release.bake_minutes)
