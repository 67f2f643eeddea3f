"""The evidence as the page shows it, from the portal's own store of minutes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from deployments import queries
from deployments.models import DecisionPoint, Release
from monitoring.queries import TargetGroupSignals
from tests import make
from tests.deployments import build

pytestmark = pytest.mark.django_db
NOON = datetime(2026, 3, 2, 12, 0, 40, tzinfo=UTC)


@pytest.fixture
def canary(draft):
    Release.objects.filter(pk=draft.pk).update(
        traffic_since=NOON,
        source_target_group=make.BLUE,
        target_target_group=make.GREEN,
        previous_image="news-api:1.4.0",
    )
    return Release.objects.get(pk=draft.pk)


@pytest.fixture
def measured(monkeypatch):
    """Have the store hold these signals; remember which minutes were asked for."""
    asked = {}

    def measure(*signals):
        def compare(*, service, start, end):
            asked.update(start=start, end=end)
            return list(signals)

        monkeypatch.setattr(queries, "compare_target_groups", compare)
        return asked

    return measure


def signals(arn, requests, errors) -> TargetGroupSignals:
    name = arn.rpartition(":")[2]
    return TargetGroupSignals(
        name, requests, errors, errors / requests, 0.02, 0.06, 0.2, 0.3, minutes=9
    )


def test_both_fleets_are_compared_over_the_same_whole_minutes(canary, measured):
    asked = measured(signals(make.BLUE, 14_220, 14), signals(make.GREEN, 1_580, 50))

    old, new = queries.compared(canary, NOON + timedelta(minutes=9))

    assert (old.version, old.requests) == ("1.4.0", 14_220)
    assert (new.version, new.errors) == ("1.4.1", 50)
    assert asked["start"] == NOON.replace(second=0)


def test_the_verdict_names_what_is_worse(canary, measured):
    measured(signals(make.BLUE, 14_220, 14), signals(make.GREEN, 1_580, 50))

    verdict = queries.judged(queries.compared(canary, NOON + timedelta(minutes=9)))

    assert verdict is not None
    assert verdict.failed


def test_a_fleet_without_minutes_is_unknown_and_not_spotless(canary, measured):
    measured(signals(make.BLUE, 14_220, 14))

    columns = queries.compared(canary, NOON + timedelta(minutes=9))
    verdict = queries.judged(columns)

    assert columns[1].requests is None
    assert verdict is not None
    assert not verdict.passed


def test_after_a_rollback_the_comparison_ends_with_it(canary, measured):
    asked = measured()
    canary.rollback_requested_at = NOON + timedelta(minutes=3)

    queries.compared(canary, NOON + timedelta(hours=5))

    assert asked["end"] == NOON + timedelta(minutes=3)


def test_before_any_traffic_there_is_nothing_to_compare(draft):
    assert queries.compared(draft, timezone.now()) == []
    assert queries.judged([]) is None


def test_the_store_of_minutes_answers_the_comparison(canary):
    old, new = queries.compared(canary, NOON + timedelta(minutes=9))

    assert (old.requests, new.requests) == (None, None)


def test_a_minute_takes_as_long_as_the_expiry_of_a_pause_shows(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    decision = release.decisions.get()
    DecisionPoint.objects.filter(pk=decision.pk).update(
        expires_at=decision.opened_at + timedelta(minutes=6)
    )

    assert queries.seconds_per_minute(release.service) == pytest.approx(6.0)


def test_a_pause_that_was_seen_late_does_not_shorten_the_bake(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    DecisionPoint.objects.update(expires_at=timezone.now() + timedelta(minutes=45))

    assert queries.seconds_per_minute(release.service) == 60.0


def test_a_pause_of_an_earlier_release_tells_how_long_a_minute_is(ecs, draft, olga):
    earlier = build.paused(draft, olga, ecs)
    ecs.pause(ecs.newest, "ecs-pause-2", weight=10.0, minutes=3)
    build.look(earlier)
    opened = earlier.decisions.get(hook_id="ecs-pause-2").opened_at
    DecisionPoint.objects.filter(hook_id="ecs-pause-1").update(
        opened_at=opened - timedelta(hours=1), expires_at=opened - timedelta(minutes=54)
    )

    assert queries.seconds_per_minute(earlier.service) == pytest.approx(6.0)


def test_without_any_pause_nobody_knows_how_long_a_minute_is(draft):
    assert queries.seconds_per_minute(draft.service) is None


def test_a_pause_of_another_service_tells_nothing(ecs, draft, olga):
    build.paused(draft, olga, ecs)

    assert queries.seconds_per_minute(make.service(name="other")) is None


def test_a_release_whose_hooks_have_no_time_out_tells_nothing(ecs, draft, olga):
    build.paused(draft, olga, ecs)
    Release.objects.update(configuration={"lifecycleHooks": [{"targetType": "PAUSE"}]})

    assert queries.seconds_per_minute(draft.service) is None


def test_what_expires_first_is_decided_first(ecs, draft, olga):
    release = build.paused(draft, olga, ecs)
    ecs.pause(ecs.newest, "ecs-pause-soon", weight=10.0, minutes=5)
    build.look(release)

    waiting = [decision.hook_id for decision in queries.waiting_decisions()]

    assert waiting == ["ecs-pause-soon", "ecs-pause-1"]
