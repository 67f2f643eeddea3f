"""The words for where a release is, and which may follow which."""

from __future__ import annotations

from django.db import models


class Status(models.TextChoices):
    """Where a release is. ECS's own states, in words an operator decides by."""

    PREPARING = "PREPARING", "Preflight running"
    READY_TO_START = "READY_TO_START", "Ready to start"
    STARTING = "STARTING", "Starting"
    QUEUED = "QUEUED", "Queued in ECS"
    SCALING = "SCALING", "Scaling up"
    TESTING = "TESTING", "Taking test traffic"
    NEEDS_DECISION = "NEEDS_DECISION", "Waiting for a decision"
    SHIFTING = "SHIFTING", "Shifting traffic"
    BAKING = "BAKING", "Baking"
    FINISHING = "FINISHING", "Cleaning up"
    ROLLING = "ROLLING", "Rolling"
    ROLLING_BACK = "ROLLING_BACK", "Rolling back"
    SUCCEEDED = "SUCCEEDED", "Succeeded"
    ROLLED_BACK = "ROLLED_BACK", "Rolled back"
    BROKEN = "BROKEN", "Rollback failed"
    STOPPED = "STOPPED", "Stopped"
    CANCELLED = "CANCELLED", "Cancelled"
    FAILED = "FAILED", "Could not be started"


DRAFT = frozenset({Status.PREPARING, Status.READY_TO_START})
MOVING = frozenset(
    {
        Status.QUEUED,
        Status.SCALING,
        Status.TESTING,
        Status.NEEDS_DECISION,
        Status.SHIFTING,
        Status.BAKING,
        Status.FINISHING,
        Status.ROLLING,
    }
)
IN_FLIGHT = MOVING | {Status.STARTING, Status.ROLLING_BACK}
FINISHED = frozenset(
    {
        Status.SUCCEEDED,
        Status.ROLLED_BACK,
        Status.BROKEN,
        Status.STOPPED,
        Status.CANCELLED,
        Status.FAILED,
    }
)
_ENDED_BY_ECS = frozenset({Status.SUCCEEDED, Status.ROLLED_BACK, Status.BROKEN, Status.STOPPED})

# ECS walks its stages by itself and a poll may miss some, so while a deployment moves, any stage
# may follow any other. What never happens: leaving a final state, or turning a rollback around.
TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.PREPARING: frozenset({Status.READY_TO_START, Status.CANCELLED}),
    Status.READY_TO_START: frozenset({Status.PREPARING, Status.STARTING, Status.CANCELLED}),
    Status.STARTING: MOVING
    | _ENDED_BY_ECS
    | {Status.ROLLING_BACK, Status.CANCELLED, Status.FAILED},
    **{status: (MOVING - {status}) | _ENDED_BY_ECS | {Status.ROLLING_BACK} for status in MOVING},
    # Back to moving: AWS refused the rollback. Succeeded: the rollback came too late.
    Status.ROLLING_BACK: MOVING | _ENDED_BY_ECS | {Status.CANCELLED, Status.FAILED},
    **{status: frozenset() for status in FINISHED},
}
