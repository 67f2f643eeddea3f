"""From what ECS says of a deployment to the word an operator decides by. Pure.

ECS's words are compared as open strings: a word that nobody has heard of yet keeps the release
running, with the raw word on the page.
"""

from __future__ import annotations

from aws.ecs.deployments import ServiceDeployment
from deployments.models import DecisionKind, Status, Strategy

STAGES = (
    "RECONCILE_SERVICE",
    "PRE_SCALE_UP",
    "SCALE_UP",
    "POST_SCALE_UP",
    "TEST_TRAFFIC_SHIFT",
    "POST_TEST_TRAFFIC_SHIFT",
    "PRE_PRODUCTION_TRAFFIC_SHIFT",
    "PRODUCTION_TRAFFIC_SHIFT",
    "POST_PRODUCTION_TRAFFIC_SHIFT",
    "BAKE_TIME",
    "CLEAN_UP",
)
_BY_STATUS = {
    "PENDING": Status.QUEUED,
    "STOP_REQUESTED": Status.ROLLING_BACK,
    "ROLLBACK_REQUESTED": Status.ROLLING_BACK,
    "ROLLBACK_IN_PROGRESS": Status.ROLLING_BACK,
    "SUCCESSFUL": Status.SUCCEEDED,
    "STOPPED": Status.STOPPED,
    "ROLLBACK_SUCCESSFUL": Status.ROLLED_BACK,
    "ROLLBACK_FAILED": Status.BROKEN,
}
_BY_STAGE = {
    "RECONCILE_SERVICE": Status.SCALING,
    "PRE_SCALE_UP": Status.SCALING,
    "SCALE_UP": Status.SCALING,
    "POST_SCALE_UP": Status.SCALING,
    "TEST_TRAFFIC_SHIFT": Status.TESTING,
    "POST_TEST_TRAFFIC_SHIFT": Status.TESTING,
    "PRE_PRODUCTION_TRAFFIC_SHIFT": Status.SHIFTING,
    "PRODUCTION_TRAFFIC_SHIFT": Status.SHIFTING,
    "POST_PRODUCTION_TRAFFIC_SHIFT": Status.BAKING,
    "BAKE_TIME": Status.BAKING,
    "CLEAN_UP": Status.FINISHING,
    "": Status.ROLLING,
}


def status_of(seen: ServiceDeployment) -> Status:
    """Return the release's state; an unknown status or stage counts as still running."""
    if seen.status in _BY_STATUS:
        return _BY_STATUS[seen.status]
    if seen.waiting_hooks:
        return Status.NEEDS_DECISION
    return _BY_STAGE.get(seen.lifecycle_stage, Status.ROLLING)


def is_known(seen: ServiceDeployment) -> bool:
    """Whether ECS used only words that this portal knows."""
    status_known = seen.status in _BY_STATUS or seen.status == "IN_PROGRESS"
    return status_known and seen.lifecycle_stage in _BY_STAGE


def decision_kind(seen: ServiceDeployment) -> DecisionKind:
    """Return what continuing the pause that `seen` is in would do.

    The hook itself does not name its stage, and for canaries the same stage asks twice: before
    the first traffic (weight 0) and before all of it.
    """
    if seen.lifecycle_stage == "POST_TEST_TRAFFIC_SHIFT":
        return DecisionKind.ACCEPT_TEST
    if seen.lifecycle_stage == "POST_PRODUCTION_TRAFFIC_SHIFT":
        return DecisionKind.ACCEPT
    if "PRODUCTION_TRAFFIC_SHIFT" not in seen.lifecycle_stage:
        return DecisionKind.CONTINUE
    return _before_traffic(seen)


def _before_traffic(seen: ServiceDeployment) -> DecisionKind:
    weight = seen.target.production_weight if seen.target else None
    if seen.strategy == Strategy.CANARY and weight is None:
        # Not known is not zero: the start of a canary may have been approved in advance.
        return DecisionKind.CONTINUE
    if seen.strategy == Strategy.CANARY:
        return DecisionKind.PROMOTE if weight else DecisionKind.START_CANARY
    if seen.strategy == Strategy.LINEAR:
        return DecisionKind.STEP
    return DecisionKind.SHIFT
