"""The pauses of a deployment: opens a decision for each, and answers ECS once a person has."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Literal

from aws.ecs import deployments as ecs
from aws.ecs.deployments import Hook, ServiceDeployment
from aws.errors import Refused
from catalog.models import Effect
from catalog.work import Lease, OutcomeUnknown, effect, was_sent_within
from deployments import states
from deployments.models import DecisionKind, DecisionPoint, DecisionState, Release
from deployments.operations.moving import note

SETTLED = timedelta(seconds=10)
_ANSWERED_ELSEWHERE = {
    "SUCCEEDED": DecisionState.APPROVED,
    "FAILED": DecisionState.REJECTED,
    "TIMED_OUT": DecisionState.EXPIRED,
}


def see_pauses(release: Release, seen: ServiceDeployment, at: datetime) -> None:
    """Open a decision for each new pause, and close those that ECS waits for no more."""
    for hook in seen.waiting_hooks:
        _open(release, seen, hook, at)
    waiting = {hook.hook_id for hook in seen.waiting_hooks}
    known = {hook.hook_id: hook for hook in seen.hooks}
    for decision in release.decisions.filter(state=DecisionState.OPEN):
        if decision.hook_id not in waiting:
            _close(release, decision, known.get(decision.hook_id), at)
    _withdraw_late_approvals(release, seen, at)


def _withdraw_late_approvals(release: Release, seen: ServiceDeployment, at: datetime) -> None:
    """Say so where ECS had given a pause up before the approval reached it."""
    late = [hook.hook_id for hook in seen.hooks if hook.status == "TIMED_OUT"]
    for decision in release.decisions.filter(hook_id__in=late, state=DecisionState.APPROVED):
        DecisionPoint.objects.filter(pk=decision.pk).update(
            state=DecisionState.EXPIRED, decided_by=None, decided_at=at
        )
        text = f"{decision.get_kind_display()}: the approval came too late, the pause had expired"
        note(release=release, at=at, text=text)


def _open(release: Release, seen: ServiceDeployment, hook: Hook, at: datetime) -> None:
    kind = states.decision_kind(seen)
    _, created = DecisionPoint.objects.get_or_create(
        hook_id=hook.hook_id,
        defaults={
            "release": release,
            "kind": kind,
            "stage": seen.lifecycle_stage[:64],
            "weight": seen.target.production_weight if seen.target else None,
            "opened_at": at,
            "expires_at": hook.expires_at,
            "timeout_action": hook.timeout_action[:16],
            **_answered_in_advance(release, seen, kind, at),
        },
    )
    if created:
        note(release=release, at=at, text=f"ECS pauses: {kind.label.lower()}?")


def _answered_in_advance(
    release: Release, seen: ServiceDeployment, kind: DecisionKind, at: datetime
) -> dict[str, Any]:
    """Starting the release includes its first few percent, unless it was asked not to."""
    if (
        kind != DecisionKind.START_CANARY
        # Nobody else serves: ECS would give it all traffic at once, not a few percent.
        or not seen.sources
        or release.ask_before_canary
        or release.is_external
        or release.rollback_requested_at
    ):
        return {}
    return {
        "state": DecisionState.APPROVED,
        "decided_by": release.started_by,
        "decided_at": at,
        "reason": "Approved with the start of the release",
    }


def _close(release: Release, decision: DecisionPoint, hook: Hook | None, at: datetime) -> None:
    overdue = decision.expires_at is not None and decision.expires_at <= at
    unseen = DecisionState.EXPIRED if overdue else DecisionState.SUPERSEDED
    state = _ANSWERED_ELSEWHERE.get(hook.status, unseen) if hook else unseen
    closed = DecisionPoint.objects.filter(pk=decision.pk, state=DecisionState.OPEN).update(
        state=state, decided_at=at, reason="Seen in ECS; not decided in Quarterdeck"
    )
    if closed:
        label = DecisionState(state).label.lower()
        note(release=release, at=at, text=f"{decision.get_kind_display()}: {label} in ECS")


def act_on_decisions(lease: Lease, release: Release, seen: ServiceDeployment, at: datetime) -> bool:
    """Tell ECS what people decided about the pauses it waits in. Return whether anything was."""
    waiting = [hook.hook_id for hook in seen.waiting_hooks]
    decided = release.decisions.filter(hook_id__in=waiting).select_related("decided_by")
    acted = False
    for decision in decided:
        if decision.state == DecisionState.REJECTED and not decision.refusals:
            acted = _answer(lease, release, decision, "ROLLBACK", at) or acted
        elif decision.state == DecisionState.APPROVED and not _rollback_is_wanted(release):
            acted = _answer(lease, release, decision, "CONTINUE", at) or acted
    return acted


def _rollback_is_wanted(release: Release) -> bool:
    # Read again: the click may have come while ECS was being described, and it wins.
    return Release.objects.filter(pk=release.pk, rollback_requested_at__isnull=False).exists()


def _answer(
    lease: Lease,
    release: Release,
    decision: DecisionPoint,
    action: Literal["CONTINUE", "ROLLBACK"],
    at: datetime,
) -> bool:
    arn = str(release.service_deployment_arn)
    try:
        effect(
            lease,
            key=f"{action.lower()}:{decision.hook_id}:{decision.refusals}",
            request={"serviceDeploymentArn": arn, "hookId": decision.hook_id, "action": action},
            call=lambda: _continue(arn, decision.hook_id, action),
            find=lambda intent: _answered(arn, decision.hook_id, intent),
        )
    except Refused as error:
        _reopen(release, decision, str(error), at)
    return True


def _continue(arn: str, hook_id: str, action: Literal["CONTINUE", "ROLLBACK"]) -> dict[str, Any]:
    ecs.continue_deployment(arn=arn, hook_id=hook_id, action=action)
    return {}


def _answered(arn: str, hook_id: str, intent: Effect) -> dict[str, Any] | None:
    seen = ecs.describe_deployments([arn]).get(arn)
    if seen is None:
        raise OutcomeUnknown("The pause was answered, and ECS does not show the deployment.")
    if hook_id not in {hook.hook_id for hook in seen.waiting_hooks}:
        return {}
    if was_sent_within(intent, SETTLED):
        raise OutcomeUnknown("The pause was answered, and ECS does not show it yet.")
    return None


def _reopen(release: Release, decision: DecisionPoint, why: str, at: datetime) -> None:
    """Nothing is lost: the decision waits again, with what AWS said beside it."""
    rejected = decision.state == DecisionState.REJECTED
    changes: dict[str, Any] = {"refusals": decision.refusals + 1}
    if not rejected:
        # A rejection stays: the next look asks for the rollback with Stop instead.
        changes |= {"state": DecisionState.OPEN, "decided_by": None, "decided_at": None}
    DecisionPoint.objects.filter(pk=decision.pk).update(**changes)
    release.problem = f"AWS refused the {'rejection' if rejected else 'approval'}. {why}"
    Release.objects.filter(pk=release.pk).update(problem=release.problem)
    note(release=release, at=at, text=release.problem)
