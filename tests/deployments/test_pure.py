"""Presets, differences and the drawing of a release."""

from __future__ import annotations

import pytest

from deployments import differences, images, presentation, presets
from deployments.models import Release, Status


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ({"percent": 0.0}, "0.1 to 100.0"),
        ({"percent": 100.1}, "0.1 to 100.0"),
        ({"percent": 10.05}, "steps of 0.1"),
        ({"canary_bake": 1441}, "0 to 1440"),
        ({"bake": -1}, "0 to 1440"),
        ({"pause_minutes": 0}, "1 to 20160"),
        ({"pause_minutes": 20161}, "1 to 20160"),
    ],
)
def test_numbers_that_ecs_refuses_are_refused_before(numbers, words):
    with pytest.raises(ValueError, match=words):
        presets.configuration(presets.named("canary"), **numbers)


def test_a_canary_pauses_before_production_traffic():
    sent = presets.configuration(presets.named("canary"), percent=5.0, bake=10)

    assert sent == {
        "strategy": "CANARY",
        "bakeTimeInMinutes": 10,
        "lifecycleHooks": [
            {
                "targetType": "PAUSE",
                "lifecycleStages": ["PRE_PRODUCTION_TRAFFIC_SHIFT"],
                "timeoutConfiguration": {"timeoutInMinutes": 60, "action": "ROLLBACK"},
            }
        ],
        "canaryConfiguration": {"canaryPercent": 5.0, "canaryBakeTimeInMinutes": 5},
    }


def test_a_hotfix_takes_the_pauses_of_the_last_release_away():
    assert presets.configuration(presets.named("hotfix"))["lifecycleHooks"] == []


def test_a_rolling_release_sends_nothing_that_only_blue_green_knows():
    sent = presets.configuration(presets.named("rolling"))

    assert set(sent) == {
        "strategy",
        "maximumPercent",
        "minimumHealthyPercent",
        "deploymentCircuitBreaker",
    }


def test_alarms_are_sent_switched_on():
    sent = presets.configuration(presets.named("hotfix"), alarms=("5xx",))

    assert sent["alarms"] == {"alarmNames": ["5xx"], "enable": True, "rollback": True}


def container(**changes):
    return {"name": "app", "image": "a:1", "environment": [], **changes}


def test_only_what_changes_is_a_difference():
    before = {"cpu": "512", "containerDefinitions": [container()]}
    after = {"cpu": "1024", "containerDefinitions": [container(image="a:2")]}

    found = [each.as_dict() for each in differences.between(before, after)]

    assert found == [
        {"path": "app image", "before": "a:1", "after": "a:2"},
        {"path": "cpu", "before": "512", "after": "1024"},
    ]


def test_the_order_of_environment_variables_is_no_difference():
    one, two = {"name": "A", "value": "1"}, {"name": "B", "value": "2"}

    found = differences.between(
        {"containerDefinitions": [container(environment=[one, two])]},
        {"containerDefinitions": [container(environment=[two, one])]},
    )

    assert found == []


def test_a_value_that_looks_secret_is_not_shown():
    old = container(environment=[{"name": "API_TOKEN", "value": "abc"}])
    new = container(environment=[{"name": "API_TOKEN", "value": "def"}])

    found = differences.between({"containerDefinitions": [old]}, {"containerDefinitions": [new]})

    assert [(each.before, each.after) for each in found] == [("(hidden)", "(hidden)")]


@pytest.mark.parametrize(
    ("image", "uri"),
    [
        ("host.example:5000/team/app:1.0", "host.example:5000/team/app"),
        ("host.example/app@sha256:00", "host.example/app"),
        ("host.example/app:1.0@sha256:00", "host.example/app"),
        ("app", "app"),
    ],
)
def test_the_repository_of_an_image(image, uri):
    assert images.uri_of(image) == uri


CANARY = presets.configuration(presets.named("canary"), percent=10.0, bake=30)


def release(status, stage="", weight=None, configuration=None, **changes) -> Release:
    fields = {"strategy": "CANARY", "ecs_status": "IN_PROGRESS"} | changes
    return Release(
        status=status,
        lifecycle_stage=stage,
        target_weight=weight,
        configuration=configuration or CANARY,
        **fields,
    )


def current(drawn: Release) -> str:
    return next(step.name for step in presentation.rail(drawn) if step.state == "current")


@pytest.mark.parametrize(
    ("drawn", "expected"),
    [
        (release(Status.STARTING), "Start"),
        (release(Status.SCALING, "RECONCILE_SERVICE"), "Start"),
        (release(Status.SCALING, "SCALE_UP"), "Scale up"),
        (release(Status.SHIFTING, "PRODUCTION_TRAFFIC_SHIFT", 0.0), "Canary 10 %"),
        (release(Status.BAKING, "BAKE_TIME", 10.0), "Canary 10 %"),
        (release(Status.NEEDS_DECISION, "PRE_PRODUCTION_TRAFFIC_SHIFT", 10.0), "Decision"),
        (release(Status.SHIFTING, "PRODUCTION_TRAFFIC_SHIFT", 100.0), "Shift to 100 %"),
        (release(Status.BAKING, "BAKE_TIME", 100.0), "Bake 30 min"),
        (release(Status.FINISHING, "CLEAN_UP", 100.0), "Clean up"),
        (release(Status.ROLLING_BACK, "BAKE_TIME", 0.0), "Rolling back"),
    ],
)
def test_the_rail_shows_where_a_canary_is(drawn, expected):
    assert current(drawn) == expected


def test_the_rail_of_a_successful_release_is_done():
    drawn = presentation.rail(release(Status.SUCCEEDED, "CLEAN_UP", 100.0))

    assert {step.state for step in drawn} == {"done"}


def test_the_rail_of_a_rolled_back_release_ends_where_it_was_left():
    from tests import make

    drawn = presentation.rail(release(Status.ROLLED_BACK, "", 0.0, traffic_since=make.NOON))

    assert [(step.name, step.state) for step in drawn][-2:] == [
        ("Canary 10 %", "left"),
        ("Rolled back", "left"),
    ]


def test_a_rolling_release_has_a_short_rail_and_no_traffic_bar():
    drawn = release(Status.ROLLING, strategy="ROLLING", configuration={"strategy": "ROLLING"})

    assert current(drawn) == "Roll"
    assert presentation.bar(drawn) is None
    assert presentation.bar(release(Status.SUCCEEDED, weight=100.0, strategy="ROLLING")) is None


def test_the_traffic_bar_adds_up():
    drawn = presentation.bar(release(Status.SHIFTING, weight=33.3))

    assert drawn is not None
    assert drawn.old + drawn.new == 100.0
