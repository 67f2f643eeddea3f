"""The pure part: words of ECS in, words for operators out."""

from __future__ import annotations

import pytest

from aws.ecs.deployments import Hook, RevisionState, ServiceDeployment
from deployments import states
from deployments.models import (
    DRAFT,
    FINISHED,
    IN_FLIGHT,
    MOVING,
    TRANSITIONS,
    DecisionKind,
    Status,
)

WAITING = (Hook("ecs-pause-1", "PAUSE", "AWAITING_ACTION"),)
ANSWERED = (Hook("ecs-pause-1", "PAUSE", "SUCCEEDED"),)
LAMBDA = (Hook("hook-1", "AWS_LAMBDA", "AWAITING_ACTION"),)


def seen(status="IN_PROGRESS", stage="", hooks=(), strategy="CANARY", weight=0.0):
    return ServiceDeployment(
        arn="arn",
        status=status,
        lifecycle_stage=stage,
        hooks=hooks,
        target=RevisionState("revision", production_weight=weight),
        configuration={"strategy": strategy},
    )


@pytest.mark.parametrize(
    ("status", "stage", "hooks", "expected"),
    [
        ("PENDING", "", (), Status.QUEUED),
        ("IN_PROGRESS", "RECONCILE_SERVICE", (), Status.SCALING),
        ("IN_PROGRESS", "PRE_SCALE_UP", (), Status.SCALING),
        ("IN_PROGRESS", "SCALE_UP", (), Status.SCALING),
        ("IN_PROGRESS", "POST_SCALE_UP", (), Status.SCALING),
        ("IN_PROGRESS", "TEST_TRAFFIC_SHIFT", (), Status.TESTING),
        ("IN_PROGRESS", "POST_TEST_TRAFFIC_SHIFT", (), Status.TESTING),
        ("IN_PROGRESS", "PRE_PRODUCTION_TRAFFIC_SHIFT", (), Status.SHIFTING),
        ("IN_PROGRESS", "PRODUCTION_TRAFFIC_SHIFT", (), Status.SHIFTING),
        ("IN_PROGRESS", "POST_PRODUCTION_TRAFFIC_SHIFT", (), Status.BAKING),
        ("IN_PROGRESS", "BAKE_TIME", (), Status.BAKING),
        ("IN_PROGRESS", "CLEAN_UP", (), Status.FINISHING),
        ("IN_PROGRESS", "", (), Status.ROLLING),
        ("IN_PROGRESS", "PRE_PRODUCTION_TRAFFIC_SHIFT", WAITING, Status.NEEDS_DECISION),
        ("IN_PROGRESS", "", WAITING, Status.NEEDS_DECISION),
        ("IN_PROGRESS", "BAKE_TIME", ANSWERED, Status.BAKING),
        ("IN_PROGRESS", "PRE_SCALE_UP", LAMBDA, Status.SCALING),
        ("STOP_REQUESTED", "BAKE_TIME", (), Status.ROLLING_BACK),
        ("ROLLBACK_REQUESTED", "BAKE_TIME", (), Status.ROLLING_BACK),
        ("ROLLBACK_IN_PROGRESS", "", WAITING, Status.ROLLING_BACK),
        ("SUCCESSFUL", "CLEAN_UP", (), Status.SUCCEEDED),
        ("STOPPED", "", (), Status.STOPPED),
        ("ROLLBACK_SUCCESSFUL", "", (), Status.ROLLED_BACK),
        ("ROLLBACK_FAILED", "", (), Status.BROKEN),
    ],
)
def test_each_word_of_ecs_has_one_meaning(status, stage, hooks, expected):
    assert states.status_of(seen(status, stage, hooks)) == expected


@pytest.mark.parametrize(
    ("status", "stage"), [("IN_PROGRESS", "WARM_UP"), ("THAWING", "BAKE_TIME")]
)
def test_a_word_nobody_knows_keeps_the_release_running(status, stage):
    unknown = seen(status, stage)

    assert states.status_of(unknown) in MOVING
    assert not states.is_known(unknown)


@pytest.mark.parametrize(
    ("strategy", "stage", "weight", "expected"),
    [
        ("CANARY", "PRE_PRODUCTION_TRAFFIC_SHIFT", 0.0, DecisionKind.START_CANARY),
        ("CANARY", "PRE_PRODUCTION_TRAFFIC_SHIFT", 10.0, DecisionKind.PROMOTE),
        ("LINEAR", "PRE_PRODUCTION_TRAFFIC_SHIFT", 20.0, DecisionKind.STEP),
        ("BLUE_GREEN", "PRE_PRODUCTION_TRAFFIC_SHIFT", 0.0, DecisionKind.SHIFT),
        ("BLUE_GREEN", "POST_TEST_TRAFFIC_SHIFT", 0.0, DecisionKind.ACCEPT_TEST),
        ("BLUE_GREEN", "POST_PRODUCTION_TRAFFIC_SHIFT", 100.0, DecisionKind.ACCEPT),
        ("BLUE_GREEN", "PRE_SCALE_UP", 0.0, DecisionKind.CONTINUE),
        ("ROLLING", "", None, DecisionKind.CONTINUE),
    ],
)
def test_what_continuing_means_depends_on_stage_strategy_and_weight(
    strategy, stage, weight, expected
):
    asked = seen(stage=stage, strategy=strategy, weight=weight)

    assert states.decision_kind(asked) == expected


def test_every_status_is_of_exactly_one_sort():
    assert set(Status) == DRAFT | IN_FLIGHT | FINISHED
    assert not DRAFT & IN_FLIGHT
    assert not IN_FLIGHT & FINISHED


def test_every_status_has_its_row_in_the_table():
    assert set(TRANSITIONS) == set(Status)


@pytest.mark.parametrize("status", sorted(FINISHED))
def test_nothing_leaves_a_final_state(status):
    assert not TRANSITIONS[status]


@pytest.mark.parametrize("status", sorted(IN_FLIGHT - {Status.ROLLING_BACK}))
def test_everything_in_flight_can_be_rolled_back(status):
    assert Status.ROLLING_BACK in TRANSITIONS[status]
